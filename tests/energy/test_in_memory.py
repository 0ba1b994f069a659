"""Products of FWD and TRN in other arrays: the validated laws, applied to this machine's counts."""

import pytest

from hebbar.compiler.config import load
from hebbar.energy.in_memory import ARRAYS, in_memory, product_pj
from hebbar.energy.validation.fit import COVERAGE, macro_factor, role
from hebbar.energy.validation.laws import LAWS, law_of
from hebbar.energy.validation.tables import Design, designs

COUNTERS = {"mac_fwd": 1000, "mac_trn": 500}


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: a.law)
def test_a_product_is_what_the_law_says_of_a_macro(array):
    """A macro of one conversion and 64 rows, by the law itself, divided by its products."""
    rows, bits = 64.0, 4.0
    given = {"node_nm": array.node_nm, "vdd_v": array.voltage_v, "rows_active": rows, "rows_per_adc": rows,
             "cols_active": bits if array.law == "voltage" else 1.0, "dot_len": rows, "bits_in": 4.0, "bits_w": bits,
             "n_conv": 1.0, "t_pass_ns": max(array.pass_ns, 1.0), "pub_fj_per_1b_op": 1.0,
             "pub_pj_per_pass": 2 * rows * 4 * bits / 1000}
    kind = "nvm_analog" if array.law == "current" else "sram_analog"
    made = LAWS[array.law].predict(Design({"class": kind, "mode": "charge"}, given))
    assert product_pj(array, 4, 4) == pytest.approx(made / rows)


def test_wider_numbers_take_more():
    """Bits of weights and inputs; in current mode a cell holds four bits."""
    for array in ARRAYS:
        assert product_pj(array, 16, 8) > product_pj(array, 8, 8)
        assert product_pj(array, 8, 16) >= product_pj(array, 8, 8)


def test_four_of_five_published_macros_lie_in_the_range():
    """The range is no taste: it is what the law misses by."""
    for name, law in LAWS.items():
        found = [d for d in designs() if role(d) == "macro" and law_of(d) is law]
        inside = [max(law.predict(d) / law.published(d), law.published(d) / law.predict(d)) <= macro_factor(name) + 1e-9
                  for d in found]
        assert COVERAGE - 0.05 <= sum(inside) / len(inside) <= COVERAGE + 0.1, name


def test_products_add_up_and_share_out():
    """Twice the products, twice the energy; two samples, half of it each."""
    m = load("tiny").machine
    one, twice = in_memory(m, COUNTERS, 1), in_memory(m, {n: 2 * c for n, c in COUNTERS.items()}, 1)
    shared = in_memory(m, COUNTERS, 2)
    for a, b, c in zip(one, twice, shared, strict=True):
        assert b.sample.typical == pytest.approx(2 * a.sample.typical) == pytest.approx(4 * c.sample.typical)
        assert a.sample.low < a.sample.typical < a.sample.high
