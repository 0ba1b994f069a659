"""Published figures and the laws that predict them: units, sources, dimensions, and laws that do not move."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import hebbar.energy.validation as validation
from hebbar.contract.errors import BadInput
from hebbar.energy.validation import sram
from hebbar.energy.validation.fit import fitted, laws_fitted, predictions, role, summary
from hebbar.energy.validation.given import given
from hebbar.energy.validation.laws import LAWS, law_of, pass_pj, voltage_pj
from hebbar.energy.validation.page import FROZEN, page
from hebbar.energy.validation.tables import Design, components, designs, rows
from hebbar.energy.validation.units import in_units, quantity

PASS = ("pub_pj_per_pass", "pub_fj_per_1b_op", "dot_len", "bits_in", "bits_w", "n_conv")
"""What makes a pass out of operations."""

DATA = Path(validation.__file__).parent / "data"
LIBERTY = Path(__file__).parents[2] / "../shared/data/liberty"


def copied(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """The folder of tables with one text replaced."""
    shutil.copytree(DATA, tmp_path / "data")
    path = tmp_path / "data" / name
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    return tmp_path / "data"


def made(**changes: float) -> Design:
    """A macro in voltage mode with round figures."""
    given = {"node_nm": 28.0, "vdd_v": 1.0, "rows_active": 64.0, "rows_per_adc": 64.0, "cols_active": 1.0,
             "dot_len": 64.0, "bits_in": 1.0, "bits_w": 1.0, "n_conv": 16.0, "pub_pj_per_pass": 2.0, "t_pass_ns": 10.0,
             "pub_fj_per_1b_op": 1.0, "core_kbit": 16.0, "pub_area_mm2": 0.1} | changes
    return Design({"class": "sram_analog", "mode": "charge", "kind": "silicon", "chip": "made"}, given)


@pytest.mark.parametrize("old, new, said", [
    ("int add 8b,0.03,pJ,", "int add 8b,0.03,furlong_per_frob,", "unit"),
    ("table,Horowitz ISSCC 2014 fig 1.1.9,2014,yes,\nint add 16b", "table,,2014,yes,\nint add 16b", "source"),
    ("45,0.9,table,Horowitz", "45,0.9,rumour,Horowitz", "kind"),
    ("int add 8b,0.03,pJ,45", "int add 8b,0.03,pJ,-45", "above zero"),
    ("int add 8b,0.03,pJ,45,0.9,table,", "int add 8b,0.03,pJ,45,0.9,table,more,", "fields")])
def test_a_component_that_cannot_be_traced_is_refused(tmp_path, old, new, said):
    """Without it a figure of unknown unit or origin would enter an estimate."""
    with pytest.raises(BadInput, match=said):
        components(copied(tmp_path, "components.csv", old, new))


def test_every_design_has_its_row_a_source_and_a_chip():
    """Without it a row could vanish, and with it the claim that nothing is removed."""
    found = designs()
    assert len(found) == 222 and len({d.id for d in found}) == 222
    assert all(d.chip and d.source for d in found)
    assert {role(d) for d in found if law_of(d)} > {"macro", "figure of a whole system", "study"}


def test_energies_agree_with_themselves():
    """Published per operation and per pass must be one figure: 2 N B_in B_w operations of every conversion."""
    for d in designs():
        g = d.given
        if law_of(d) and not d.missing(PASS):
            work = 2 * g["dot_len"] * g["bits_in"] * g["bits_w"] * g["n_conv"]
            assert g["pub_pj_per_pass"] == pytest.approx(work * g["pub_fj_per_1b_op"] / 1000, rel=0.03), d.id


def test_a_joule_is_no_joule_a_conversion():
    """Without it an energy of a conversion could be added to one of an instruction."""
    with pytest.raises(BadInput, match="dimension"):
        in_units(quantity(1.56, "pJ/conv", "here"), "pJ", "here")
    assert in_units(quantity(1.56, "pJ/conv", "here"), "fJ/conv", "here") == pytest.approx(1560)


def test_the_laws_have_the_dimension_of_energy():
    """The formula that computes with numbers computes with quantities, and joules come out."""
    q = quantity
    gates, lines = voltage_pj(q(28, "nm", ""), q(1, "V", ""), 64, 64, 16, q(28, "nm", ""))
    assert in_units(q(1.15, "fF", "") * gates + q(0.17, "fF", "") * lines, "fJ", "") == pytest.approx(16 * 64 * 1.32)
    assert in_units(q(2.08, "uA", "") * q(0.8, "V", "") * q(10, "ns", ""), "fJ", "") == pytest.approx(16.64)


def test_a_macro_by_hand():
    """64 cells of a gate and a bit line of 64 rows, 16 conversions at 1 V and 28 nm."""
    gate, line = (c.value for c in LAWS["voltage"].constants())
    assert LAWS["voltage"].predict(made()) == pytest.approx(16 * 64 * (gate + line) / 1000)
    assert LAWS["current"].predict(made(node_nm=32.0)) == pytest.approx(16 * 64 * 2.08 * 1.0 * 10 / 1000)


@pytest.mark.parametrize("law, name", [
    *(("voltage", n) for n in ("node_nm", "vdd_v", "dot_len", "bits_in", "rows_per_adc")),
    *(("current", n) for n in ("vdd_v", "t_pass_ns", "rows_active")), ("digital", "vdd_v")])
def test_more_costs_more(law, name):
    """Without it a sign or an exponent could be wrong and still fit."""
    low = made()
    high = made(**{name: low.given[name] * 1.5})
    assert LAWS[law].predict(high) > LAWS[law].predict(low)


def test_digital_macros_know_no_node():
    """The chips show no factor from 65 to 4 nm; a law that had one would be refuted by them."""
    assert LAWS["digital"].predict(made(node_nm=5.0)) == LAWS["digital"].predict(made(node_nm=65.0))


def test_a_law_is_found_again_in_what_it_made():
    """Designs made by a law with other constants give these constants back, where the prior is weak beside them."""
    law, rng = LAWS["current"], np.random.default_rng(0)
    true = 2 * law.constants()[0].value
    built = []
    for _ in range(60):
        d = made(n_conv=float(rng.integers(1, 64)), t_pass_ns=float(rng.integers(2, 90)))
        built.append(made(**d.given | {"pub_pj_per_pass": law.predict(d, (true,)) * math.exp(rng.normal(0, 0.02))}))
    assert fitted(law, built)[0] == pytest.approx(true, rel=0.03)


def test_the_left_out_chip_does_not_speak():
    """A figure changed a thousandfold moves predictions of other chips and not its own."""
    found = designs()
    changed = [Design(d.text, d.given | {"pub_pj_per_pass": d.given["pub_pj_per_pass"] * 1000}) if d.id == "U134" else d
               for d in found]
    before, after = ({p.design.id: p.left_out for p in predictions(f)} for f in (found, changed))
    assert before["U134"] == after["U134"]
    assert any(before[name] != after[name] for name in before)


def test_the_laws_are_those_that_were_frozen():
    """The fresh designs were looked up after the commit that wrote these constants; a law that moves needs new ones."""
    now = laws_fitted(designs())
    for row in rows("frozen.csv"):
        law = LAWS[row["law"]]
        number = [c.name for c in law.constants()].index(row["constant"])
        assert law.constants()[number].value == pytest.approx(float(row["untuned"]), rel=1e-4)
        assert now[row["law"]][number] == pytest.approx(float(row["fitted"]), rel=1e-4)


def test_parts_give_the_whole():
    """Where the parts of a design are published, their sum is the published whole within 2 %."""
    found = given()
    assert len({g.source for g in found}) >= 7
    assert all(abs(g.error) <= 0.02 for g in found), max(found, key=lambda g: abs(g.error))


@pytest.mark.parametrize("term, limit", [("read_pj", 0.07), ("write_pj", 0.05), ("area_um2", 0.05)])
def test_the_law_of_an_sram_predicts_a_macro_it_has_not_seen(term, limit):
    """Without it the memories of a machine could be priced by a curve through ten points."""
    assert np.mean(np.abs(sram.leave_one_out(term))) <= limit


def test_the_figures_of_the_srams_are_those_of_the_liberty_files():
    """Without it a typing error in the table would be a fact."""
    if not LIBERTY.exists():
        pytest.skip("the Liberty files are no part of Hebbar: none in ../shared/data/liberty")
    for row in rows("sram_sg13g2.csv"):
        found = sram.read_liberty(LIBERTY / f"ihp_sram_{row['words']}x{row['bits']}.lib")
        assert all(float(row[term]) == pytest.approx(found[term], rel=2e-3) for term in sram.TERMS)


def test_a_summary_of_known_pairs():
    """Twice, half and exact: medians and shares by hand."""
    found = summary([(2, 1), (1, 2), (1, 1), (4, 1)], 4)
    assert (found.median, found.factor) == (0.75, 2.0)
    assert (found.within_1_5, found.within_2, found.within_3) == (0.25, 0.75, 0.75)


def test_the_page_is_up_to_date():
    """Without it the page would go on praising last month's laws."""
    written = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
    assert written == page(), "run hebbar validate-costs --page docs/validation.md"


def test_the_page_has_every_row_and_names_the_commit():
    """Nothing is removed: every design, every fresh one, whatever its error."""
    text = page()
    assert FROZEN in text
    assert all(f"| {d.id} |" in text for d in designs())
    assert all(d.design in text for d in designs("fresh.csv"))


def test_fresh_designs_are_new_and_have_full_inputs():
    """Without it a chip of the table could pass for one that the laws have never seen."""
    fresh, known = designs("fresh.csv"), {d.chip for d in designs()}
    assert len(fresh) >= 6
    for d in fresh:
        law = law_of(d)
        assert law and not d.missing(law.needs) and int(d.year) >= 2024 and d.chip not in known


def test_published_without_a_pass():
    """A digital macro of which only the efficiency is known is compared by the operation."""
    d = made(pub_fj_per_1b_op=0.9)
    del d.given["pub_pj_per_pass"]
    assert pass_pj(d) == pytest.approx(0.0009)
