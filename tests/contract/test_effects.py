"""The table of effects, and the walk through programs, against machines that do not read them.

Without this a flag whose effect is missing from the table would cost no energy, need no WAIT and be the author of
no word. Every place of the golden machine is disturbed in turn: what a sweep reads changes what it leaves
elsewhere or how the place itself moves; what it writes changes.
"""

import itertools
import random
from dataclasses import replace
from functools import cache, reduce
from operator import or_
from typing import Any

import numpy as np
import pytest

from golden.machine import Machine
from golden.sequencer import Sequencer
from hebbar.compiler.config import load, parse, preset_names
from hebbar.compiler.control_flow import executed, leaves, successors
from hebbar.compiler.program import compile_config
from hebbar.contract.effects import EFFECTS, Access, Resource, Where, effects
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Into, Mode, Op, Sweep, decode, encode, illegal_sweep
from hebbar.contract.memories import MAP, Mem

ARRAYS = {Resource.ACTIVITY: "activity", Resource.STATE: "state", Resource.ERROR: "error", Resource.CLAMP: "clamp",
          Resource.BASE: "base", Resource.FEEDBACK: "back", Resource.INTEGRAL: "integral"}
PLACES = [(r, w) for r in ARRAYS for w in (Where.ROWS, Where.SOURCES)] + [(Resource.WEIGHT, Where.BLOCK)]
CONFIG = {"network": {"layers": [4, 4, 3, 2], "activation": "leaky"},
          "machine": {"lanes": 4, "row_tiles": 2, "separation": 4, "integral": True},
          "rule": {"name": "ipc", "alpha_shifts": [1, 1, 1], "init_scales": [1.0, 1.0, 1.0], "gamma": 0.5}}
CONTROL = (Op.LOOP, Op.NEXT, Op.EXIT, Op.BREAK)


class Bench:
    """A machine whose feedback adds up, a block whose rows and sources are different neurons, and random contents."""

    def __init__(self) -> None:
        program, overwrite = compile_config(parse(CONFIG, "test")), 1 << MAP["overwrite"].lsb
        self.machine = Machine(replace(program, maps=tuple(entry & ~overwrite for entry in program.maps)))
        self.rng = np.random.default_rng(1)
        hidden = self.machine.where("x2")  # whose f' is no constant
        self.block = next(i for i, p in enumerate(self.machine.plans) if p.feeds and p.rows.start == hidden.start)
        plan = self.machine.plans[self.block]
        self.at: dict[Where, Any] = {Where.ROWS: np.arange(plan.rows.start, plan.rows.start + plan.count),
                   Where.SOURCES: np.unique(plan.source[plan.used.astype(bool)]), Where.BLOCK: ...}
        assert not set(self.at[Where.ROWS]) & set(self.at[Where.SOURCES])

    def contents(self):
        f, m = self.machine.config.formats, self.machine
        most = {Resource.STATE: 3 << f.state.frac, Resource.ERROR: 1 << f.error.frac, Resource.ACTIVITY: 60,
                Resource.INTEGRAL: 1 << f.error.frac, Resource.BASE: 2 << f.row_sum.frac,
                Resource.FEEDBACK: 2 << f.feedback_sum.frac}
        found = {r: self.rng.integers(-n, n, getattr(m, ARRAYS[r]).shape) for r, n in most.items()}
        return found | {Resource.CLAMP: self.rng.integers(0, 2, m.clamp.shape),
                        Resource.WEIGHT: self.rng.integers(f.weight.lo // 8, f.weight.hi // 8, m.weights.shape)}

    def after(self, contents, run):
        for resource, name in ARRAYS.items():
            getattr(self.machine, name)[...] = contents[resource]
        self.machine.load(contents[Resource.WEIGHT])
        run(self.machine)
        return {r: getattr(self.machine, n).copy() for r, n in ARRAYS.items()} | {
            Resource.WEIGHT: self.machine.weights.copy()}

    def seen(self, run):
        """What ``run`` is seen to read and to write, as (access, resource, where)."""
        before, found = self.contents(), set()
        after = self.after(before, run)
        for resource, where in PLACES:
            at = self.at[where]
            written = before[resource][at] != after[resource][at]
            if written.any():
                found.add((Access.WRITE, resource, where))
            disturbed = {r: v.copy() for r, v in before.items()}
            disturbed[resource][at] = self.contents()[resource][at]
            changed = self.after(disturbed, run)
            moves = (changed[resource][at] != after[resource][at])[written].any()
            changed[resource][at] = after[resource][at]
            if moves or any((changed[r] != after[r]).any() for r in after):
                found.add((Access.READ, resource, where))
        return found


@cache
def bench():
    return Bench()


def declared(found):
    """Effects as the bench sees them: an addition reads and writes."""
    both = {Access.READ: [Access.READ], Access.WRITE: [Access.WRITE], Access.ADD: [Access.READ, Access.WRITE]}
    return {(access, e.resource, e.where) for e in found for access in both[e.access]}


def swept(flags):
    return bench().seen(lambda m: m.sweep(bench().block, flags, 0))


def test_a_sweep_touches_nothing_that_the_table_does_not_name():
    rng, tried = random.Random(0), 0
    while tried < 150:
        flags = Sweep(rng.getrandbits(len(Sweep)))
        if illegal_sweep(flags, True):
            continue
        tried += 1
        undeclared = swept(flags) - declared(effects(Op.SWEEP, {"flags": flags}))
        assert not undeclared, f"{flags!r}: {undeclared}"


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda e: f"{e.access}-{e.resource}-{e.where}-{e.flags:x}")
def test_every_flag_of_an_effect_has_it(effect):
    """Without the other flags that can have it, with any one flag that the table does not exclude, and others at
    random."""
    rng, same = random.Random(1), (effect.access, effect.resource, effect.where)
    having = [e.flags for e in EFFECTS if (e.access, e.resource, e.where) == same]
    free = ~reduce(or_, having) & ~effect.unless
    for flag in effect.flags:
        for beside in free:
            with_it = flag | beside | effect.given
            drawn = [with_it | Sweep(rng.getrandbits(len(Sweep))) & free for _ in range(400)]
            legal = [flags for flags in drawn if not illegal_sweep(flags, True)]
            assert not legal or any(declared([effect]) <= swept(flags) for flags in legal), (
                f"{flag!r} beside {beside!r} never {effect.access}s {effect.resource} of the {effect.where}")


@pytest.mark.parametrize("into", Into)
@pytest.mark.parametrize("mode", Mode)
def test_a_separation_touches_what_the_table_names(mode, into):
    seen = set().union(*(bench().seen(lambda m: m.separate(bench().block, mode, into)) for _ in range(10)))
    assert seen == declared(effects(Op.SEPARATE, {"mode": mode, "into": into, "block": 0}))


@pytest.mark.parametrize("memory", [Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP])
def test_transfers_touch_the_memory_they_name(memory):
    for op, access in ((Op.IN, Access.WRITE), (Op.OUT, Access.READ)):
        found = declared(effects(op, decode(encode(op, memory=memory, count=4)).fields))
        assert found == {(access, Resource(memory.name.lower()), Where.ROWS)}


@pytest.mark.parametrize("name", preset_names())
def test_programs_are_followed_as_the_golden_sequencer_does(name):
    """Every preset and entry, with EXITs that leave at random; each step is one that ``successors`` allows."""
    program = compile_config(load(name))
    code, units = [decode(w) for w in program.words], [Op.SEPARATE, Op.EXIT]
    for seed, (entry, start) in enumerate(program.entries.items()):
        rng, decisions = random.Random(seed), []

        def leave(arm):
            if arm:
                return False
            decisions.append(rng.random() < 0.3)
            return decisions[-1]

        registers = (2, 0, 0, 0)
        expected = list(Sequencer(program.words, lambda i: registers[i], units, leave,
                                  program.machine.integral).run(start))
        walked = list(executed(code, start, registers, decisions))
        assert [step for step in walked if step[1].op not in CONTROL] == expected, entry
        loops = ()
        for (address, instruction), (to, _) in itertools.pairwise(walked):
            ways = [(a, left) for a, left in successors(address, instruction, loops) if a == to]
            assert ways, f"{entry}: {address} {instruction} to {to}"
            loops = ways[0][1] if instruction.op is not Op.NEXT or to != loops[-1] else loops


def test_exits_are_given_exactly():
    exit_loop = [decode(encode(Op.LOOP, end=3, count=2, register=0)),
                 decode(encode(Op.EXIT, end=3, arm=0)), decode(encode(Op.NEXT)), decode(encode(Op.HALT))]
    assert leaves(exit_loop[1]) and [a for a, _ in executed(exit_loop, 0, (), [False, True])] == [0, 1, 2, 1, 3]
    assert [a for a, _ in executed(exit_loop, 0, (), None)] == [0, 1, 2, 1, 2, 3]
    with pytest.raises(BadInput, match="address 1: no exit is given"):
        list(executed(exit_loop, 0, (), [False]))
    with pytest.raises(BadInput, match="before its last exit"):
        list(executed(exit_loop, 0, (), [True, True]))


def test_breaks_leave_in_the_last_round_or_in_any():
    """By hand: two rounds whose rest runs once; a loop that runs once; and the multiplicities, one after the other."""
    inner = [decode(encode(Op.LOOP, end=4, count=2, register=0)),
             decode(encode(Op.BREAK, end=4, always=0, counts=0)), decode(encode(Op.WAIT, gap=1)),
             decode(encode(Op.NEXT)), decode(encode(Op.HALT))]
    assert [a for a, _ in executed(inner, 0, ())] == [0, 1, 2, 3, 1, 4]
    always = [inner[0], decode(encode(Op.BREAK, end=4, always=1, counts=0)), *inner[2:]]
    assert [a for a, _ in executed(always, 0, ())] == [0, 1, 4]
    assert set(successors(1, always[1], (1,))) == {(4, ())}
    assert set(successors(1, inner[1], (1,))) == {(4, ()), (2, (1,))}


def test_a_break_that_counts_ends_a_round_where_it_does_not_leave():
    """By hand: with 1, 2 and 3 rounds the loop is left by the first BREAK, by the second, and by the first again; where
    one counts and is the only one, NEXT takes the other half of the rounds, and the last one where none is left."""
    words = [encode(Op.LOOP, end=6, register=1), encode(Op.BREAK, end=6, counts=1), encode(Op.WAIT, gap=1),
             encode(Op.BREAK, end=7), encode(Op.WAIT, gap=2), encode(Op.NEXT), encode(Op.HALT), encode(Op.HALT)]
    code = [decode(word) for word in words]
    ran = {rounds: [a for a, _ in executed(code, 0, (rounds,))] for rounds in range(4)}
    assert ran == {0: [0, 6], 1: [0, 1, 6], 2: [0, 1, 2, 3, 7], 3: [0, 1, 2, 3, 4, 5, 1, 6]}
    code[3] = decode(encode(Op.WAIT, gap=3))
    assert [a for a, _ in executed(code, 0, (2,))] == [0, 1, 2, 3, 4, 5, 6]
    for rounds, run in ran.items():
        sequencer = Sequencer(tuple(words), lambda _, rounds=rounds: rounds)
        assert [a for a, _ in sequencer.run(0)] == [a for a in run if a > 5]


def test_a_register_that_is_not_given_is_refused():
    loop = [decode(encode(Op.LOOP, end=2, count=5, register=2)), decode(encode(Op.NEXT)), decode(encode(Op.HALT))]
    assert [a for a, _ in executed(loop, 0, (1, 2))] == [0, 1, 1, 2]
    with pytest.raises(BadInput, match="LOOP takes register 1, and 1 are given"):
        list(executed(loop, 0, (1,)))
