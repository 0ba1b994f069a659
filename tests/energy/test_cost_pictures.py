"""Pictures of what a run costs: what they show is the estimate, and what is swept is the machine."""

from itertools import pairwise

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.energy import load_technology
from hebbar.energy.run import priced_runs
from hebbar.report.cost_figures import against, blocks_and_verbs
from hebbar.studies import cost_sweeps
from hebbar.studies.cost_sweeps import changes, sweeps

QUIET = Reporter(quiet=True)


@pytest.fixture
def quick(monkeypatch):
    """Registers that need no netlist."""
    monkeypatch.setattr(cost_sweeps, "register_bits", lambda m: {"tile": 40 * m.lanes * m.row_tiles})


def test_stacked_bars_are_the_energy_of_the_run():
    """Without it a block or a verb could be missing from the picture, or stand in it twice."""
    [found] = priced_runs(load("tiny"), 2, ["cmos45"], 100, QUIET)
    axes = blocks_and_verbs(found).axes[0]
    assert sum(patch.get_width() for patch in axes.patches) == pytest.approx(found.whole.typical / 1000)
    assert sum(patch.get_width() > 0 for patch in axes.patches) == sum(e.typical > 0 for e in found.places.values())
    assert [line.get_xdata()[1] for line in axes.lines] == pytest.approx(
        [sum(e.high for (b, _), e in found.places.items() if b == name.get_text()) / 1000
         for name in axes.get_yticklabels()])


def test_energy_rises_with_steps_and_bits(quick):
    """More steps are more sweeps and wider weights wider words: without it a change could be of another machine."""
    found = sweeps(load("tiny"), load_technology("cmos45"), QUIET)
    for axis in ("inference steps T", "bits of a weight"):
        energies = [p.energy.typical for p in found[axis]]
        assert len(energies) > 2 and all(one < other for one, other in pairwise(energies)), axis
    assert all(sum(p.own for p in points) == 1 for points in found.values())
    axes = against({axis: [(p.at, p.label, p.energy, p.own) for p in of] for axis, of in found.items()}, "cmos45").axes
    top = max(p.energy.high for of in found.values() for p in of) / 1000
    assert len(axes) == 3 and all(a.get_ylim()[1] >= top for a in axes)


def test_a_larger_array_holds_the_same_network():
    """Without it a larger array would be priced with memories of several networks."""
    config = load("digits")
    for _, label, keys, own in changes(config)["multipliers of each verb"]:
        m = config.replace(**keys).machine
        assert f"{m.row_tiles} x {m.lanes}" == label and own is (m == config.machine)
        assert m.weight_words * m.lanes * m.row_tiles == 512 * 16 and m.neuron_words * m.lanes == 32 * 8


def test_a_width_that_the_machine_does_not_take_is_left_out(quick):
    """Without it one refused width would end the whole command."""
    found = sweeps(load("digits"), load_technology("cmos45"), QUIET)
    assert 3 <= len(found["bits of a weight"]) < len(changes(load("digits"))["bits of a weight"])


def test_a_sweep_of_a_preset_with_exits_takes_all_steps(quick):
    """Where inference may end early, the program does not say when."""
    assert len(sweeps(load("early_exit"), load_technology("cmos45"), QUIET)["inference steps T"]) == 6
