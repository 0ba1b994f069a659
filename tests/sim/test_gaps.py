"""Gaps between sweeps, held against the scoreboard at the least distances that they and the tile allow.

Without it a dependence that is dropped, or a gap that is a cycle short, would only show in hardware.
"""

import re
from functools import cache
from itertools import islice

import pytest
from helpers import layered

from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.control_flow import executed
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.gaps import dependences, gaps
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


def assert_told_by_name(program, rounds, entry="train"):
    """Gaps without each dependence in turn; returns how many leave the gaps as they are, are told, and neither."""
    found, same, told, quiet = gaps(program), 0, 0, 0
    for one in dependences(program):
        less = gaps(program, [one])
        if less == found:
            same += 1
            continue
        try:
            soonest(program, less, rounds, entry)
        except Mismatch as error:
            letters = {"reads": "R", "read": "R", "writes": "W", "write": "W"}
            words = re.search(rf"address {one.newer} .* (reads|writes) word (\d+) of {one.resource}, which address "
                              rf"{one.older} .* still has to (read|write)", str(error))
            assert words and one.words[0] <= int(words[2]) <= one.words[1], (str(one), str(error))
            assert one.kind == f"{letters[words[1]]}A{letters[words[3]]}", (str(one), str(error))
            told += 1
        else:
            quiet += 1
    return same, told, quiet


@pytest.mark.parametrize("name", ["il", "ipc", "array"])
def test_a_dependence_that_is_dropped_is_told_by_its_name(name):
    """Sweeps, memory, word and kind are those of the scoreboard; those of the other entry are told when that runs."""
    program = programs()[name]
    counts = [assert_told_by_name(program, 2, entry) for entry in program.entries]
    assert all(same and told for same, told, _ in counts)
    changed = sum(gaps(program, [one]) != gaps(program) for one in dependences(program))
    assert sum(told for _, told, _ in counts) == changed >= 3


@pytest.mark.parametrize("machine, seed", [("rows 4 x 8, wide activities", 3), ("array 2 x 4", 5)])
def test_dependences_of_random_programs_are_told_by_their_names(machine, seed):
    """Any flags over any rows. Not told are those of a way that is not gone."""
    counts = [assert_told_by_name(case.job.program, 1) for case in islice(random_cases(machine, seed=seed), 2)]
    told, quiet = (sum(count[i] for count in counts) for i in (1, 2))
    assert told >= 8 and quiet <= 1


def test_gaps_are_of_dependences_alone():
    """Without those in flight others come into flight; without these as well no gap is left. A random program has all
    three kinds."""
    for program in (programs()["ipc"], next(random_cases("array 2 x 4", seed=5)).job.program):
        dropped, rounds = [], 0
        while new := [one for one in dependences(program, dropped) if one.key not in {d.key for d in dropped}]:
            dropped, rounds = dropped + new, rounds + 1
        assert gaps(program, dropped) == {} and rounds > 1
    assert {one.kind for one in dropped} == {"RAW", "WAR", "WAW"}


@pytest.mark.parametrize("name", ["il", "ipc", "digits"])
def test_chaining_takes_fewer_cycles_than_draining(name):
    drained, less = (sum(Cycles(p).run("train", 3, None)[c] for c in CYCLES)
                     for p in (programs()[name], chained(programs()[name])))
    assert less < drained
