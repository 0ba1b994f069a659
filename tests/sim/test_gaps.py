"""Gaps between sweeps, held against the scoreboard at the least distances that they and the tile allow.

Without it a dependence that is dropped, or a gap that is a cycle short, would only show in hardware.
"""

from functools import cache
from itertools import islice

import pytest
from helpers import layered

from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.control_flow import executed
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import decode
from hebbar.verify.random_programs import MACHINES, random_cases
from hebbar.verify.shortest import soonest


@cache
def programs():
    """Programs with loops and rows of several lengths, on a row engine and on an array."""
    return {"il": compile_config(layered([9, 7, 5], row_tiles=2, max_columns=8)),
            "ipc": compile_config(layered([5, 9, 4, 3], rule={"name": "ipc", "steps": 2}, row_tiles=2)),
            "digits": compile_config(load("digits")), "array": compile_config(load("array"))}


@pytest.mark.parametrize("name", ["il", "ipc", "digits", "array"])
def test_no_sweep_overtakes_and_no_gap_is_longer_than_it_must_be(name):
    """Each gap in turn is a cycle shorter: told, but for those of a loop that its other way in, or its other way round,
    needs and those that wait for words of a longer row."""
    program = programs()[name]
    found, told = gaps(program), []
    start, code = program.entries["train"], [decode(w) for w in program.words]
    mine = {at for at, _ in executed(code, start, (2, 0, 0, 0), None)} & set(found)
    soonest(program, found, rounds=2)
    for address in mine:
        try:
            soonest(program, found | {address: found[address] - 1}, rounds=2)
        except Mismatch:
            told.append(address)
    assert len(mine) >= 3 and len(told) >= len(mine) - 2, (mine, told, found)


@pytest.mark.parametrize("machine", MACHINES)
def test_random_programs_do_not_overtake(machine):
    """Any flags over any rows, with forced dependences, loops and exits. All gaps away, most are told."""
    told = 0
    for case in islice(random_cases(machine, seed=3), 12):
        program = case.job.program
        found = gaps(program)
        soonest(program, found)
        try:
            soonest(program, {})
        except Mismatch:
            told += 1
    assert told >= 10


@pytest.mark.parametrize("name", ["il", "ipc", "digits"])
def test_chaining_takes_fewer_cycles_than_draining(name):
    drained, less = (sum(Cycles(p).run("train", 3, None)[c] for c in CYCLES)
                     for p in (programs()[name], chained(programs()[name])))
    assert less < drained
