"""What an estimate contains of a machine whose products are physics."""

import pytest

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.energy import estimate, load_technology
from hebbar.energy.run import record
from hebbar.report import figures
from hebbar.report.sections import _energy
from hebbar.report.tables import print_energy
from sim.backends import golden
from sim.experiment import replay_job


def test_an_analog_macro_is_left_out_and_named():
    """Its products are physics that no table of digital arithmetic prices; all else is priced as for the array.
    Without it the multipliers of a machine that has none would be charged."""
    found = {}
    for tile in ("array", "analog"):
        program = compile_config(load("array").replace(machine={"tile": tile, "analog": {"control": {"align": 2}}}))
        job = replay_job(program, data_of(program), initial_image(program), 5)
        found[tile] = estimate(program, golden.run(job).counters, 5, load_technology("cmos45"),
                               registers=lambda m: {"bus": 10})
    always = "totals of counters", "flag set and cause of a cycle"
    rows = {tile: {r.component: r.count for r in e.rows if r.component not in always
                   and "register" not in r.component} for tile, e in found.items()}  # those work in every cycle
    dropped = set(rows["array"]) - set(rows["analog"])
    assert {name.split()[0] for name in dropped} == {"FWD", "TRN", "UPD"} and len(dropped) == 6
    assert rows["analog"] == {name: count for name, count in rows["array"].items() if name not in dropped}
    assert "analog macro" in found["analog"].left_out[0] and found["array"].left_out == \
        found["array"].technology.excluded


@pytest.mark.parametrize("tile", ["array", "analog"])
def test_every_total_says_in_its_own_line_what_is_not_in_it(tile, capsys, monkeypatch):
    """Without it the energy of a machine without its crossbar could be quoted as that of the machine."""
    monkeypatch.setenv("COLUMNS", "240")
    program = compile_config(load("array").replace(machine={"tile": tile, "analog": {"control": {"align": 2}}}))
    job = replay_job(program, data_of(program), initial_image(program), 2)
    found = estimate(program, golden.run(job).counters, 2, load_technology("cmos45"), registers=lambda m: {"bus": 10})
    print_energy(found)
    lines = capsys.readouterr().out.partition("left out:")[0].splitlines()
    totals = [line for line in lines if any(words in line for words in (
        "energy of training", "a sample", "an inference step", "typical shares")) and "events a sample" not in line]
    assert len(totals) == 4
    shown = [*totals, *(name for name, _ in _energy(found)["totals"]),
             figures.component_energy(found).axes[0].get_xlabel()]
    assert [", without the analog macro" in line for line in shown] == [tile == "analog"] * len(shown)
    assert record(found)["left_out"] == list(found.left_out)
