"""Static chaining: how soon a sweep may follow the one before it, so that it overtakes no older one.

All latencies are static, so a WAIT that drains could be a distance between two sweeps instead. The distances are
derived from the timing table (``hebbar.contract.access_times``), over all ways through loops; what drains by itself
goes on doing so. ``hebbar.compiler.chaining`` makes of them a program, ``hebbar bench chain`` says what they buy.

A gap is counted from the first cycle in which the tile could take the next sweep, not from the one in which it took the
last: a loop is entered behind a long sweep and gone through again behind a short one, and one number is to do for both.

Distances only grow when the host stalls or the tile is late, so what holds for the least of them holds for all.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from hebbar.contract.access_times import access_times
from hebbar.contract.effects import Access, Resource
from hebbar.contract.isa import OPERAND_FLAGS, Op, Sweep, decode
from hebbar.contract.timing import DESCRIPTOR_LATENCY

from .control_flow import Loops, successors

if TYPE_CHECKING:
    from .program import Program

__all__ = ["gaps"]

Place = tuple[Resource, int]
"""A memory and a word of it."""
Times = dict[Place, int]
"""A cycle for each place."""


@dataclass(frozen=True)
class _Sweep:
    """First and last accesses of a sweep, in cycles after it is taken, when no earlier one holds it up.

    ``sums`` are those of TRN, which may follow one another; ``back``: places that TRN and UPD write; ``slots``: cycles
    until the tile can take the next sweep.
    """

    columns: int
    slots: int
    reads: tuple[Times, Times]
    writes: tuple[Times, Times]
    sums: tuple[Times, Times]
    back: frozenset[Place]

    def gap(self, state: "_State") -> int:
        """The least gap behind the sweep before."""
        need = 0
        for firsts, others in ((self.reads[0], (state.writes, state.sums)), (self.sums[0], (state.reads, state.writes)),
                               (self.writes[0], (state.reads, state.writes, state.sums))):
            for place, first in firsts.items():
                for last in others:
                    if place in last:
                        need = max(need, last[place] - first + 1)
        return need


@dataclass
class _State:
    """What sweeps in flight still do, at most: the last read and write of each place in cycles after the tile is free
    again, and the most columns whose words may wait for TRN and UPD."""

    reads: Times = field(default_factory=dict)
    writes: Times = field(default_factory=dict)
    sums: Times = field(default_factory=dict)
    longest: int = 0

    def after(self, sweep: _Sweep, gap: int) -> "_State":
        """The state once ``sweep`` has been taken, ``gap`` cycles or more after the tile was free, and is walked
        through."""
        passed = gap + sweep.slots
        new = _State(_less(self.reads, passed), _less(self.writes, passed), _less(self.sums, passed),
                     max(self.longest, sweep.columns if sweep.back else 0))
        delay = max(new.longest - sweep.columns, 0)
        for old, own in ((new.reads, sweep.reads[1]), (new.writes, sweep.writes[1]), (new.sums, sweep.sums[1])):
            _join(old, {p: t + delay * (p in sweep.back) - sweep.slots for p, t in own.items()})
        return new

    def join(self, other: "_State") -> bool:
        """Become the worse of both; whether that is a change."""
        grown = [_join(mine, theirs) for mine, theirs in (
            (self.reads, other.reads), (self.writes, other.writes), (self.sums, other.sums))]
        grown.append(other.longest > self.longest)
        self.longest = max(self.longest, other.longest)
        return any(grown)


def _less(times: Times, passed: int) -> Times:
    return {place: last - passed for place, last in times.items() if last > passed}


def _join(times: Times, others: Times) -> bool:
    grown = False
    for place, last in others.items():
        if last > times.get(place, 0):
            times[place], grown = last, True
    return grown


def gaps(program: "Program") -> dict[int, int]:
    """The gaps of all SWEEPs that need one, by address: the least cycles from the one in which the tile is free.

    For the others tile and sequencer keep enough distance by themselves. WAITs are passed over."""
    code = [decode(word) for word in program.words]
    read = cache(lambda block, flags: _sweep(program, block, Sweep(flags)))
    found: dict[int, int] = {}
    states: dict[tuple[int, Loops], _State] = {(entry, ()): _State() for entry in program.entries.values()}
    least: dict[tuple[int, Loops], int] = dict.fromkeys(states, 0)
    waiting = list(states)
    while waiting:
        at = min(waiting)
        waiting.remove(at)
        address, loops = at
        if address >= len(code):
            continue
        instruction, state, distance = code[address], states[at], least[at]
        if instruction.op is Op.SWEEP:
            sweep = read(instruction.fields["block"], instruction.fields["flags"])
            need = sweep.gap(state)
            if need > distance:
                found[address] = max(found.get(address, 0), need)
            state = state.after(sweep, max(found.get(address, 0), distance))
            distance = max(DESCRIPTOR_LATENCY + 2 - sweep.slots, 0)
        elif instruction.op not in (Op.WAIT, Op.LOOP, Op.NEXT):
            state, distance = _State(), 0
        waiting += [to for to in successors(address, instruction, loops) if _reached(states, least, to, state, distance)
                    and to not in waiting]
    return found


def _reached(states: dict[tuple[int, Loops], _State], least: dict[tuple[int, Loops], int], to: tuple[int, Loops],
             state: _State, distance: int) -> bool:
    """Whether what is known at an instruction changes when it is reached with ``state``."""
    if to not in states:
        states[to] = _State(dict(state.reads), dict(state.writes), dict(state.sums), state.longest)
        least[to] = distance
        return True
    sooner = distance < least[to]
    least[to] = min(least[to], distance)
    return states[to].join(state) or sooner


def _sweep(program: "Program", number: int, flags: Sweep) -> _Sweep:
    (block, entries), machine = program.descriptor(number), program.machine
    timing = machine.kind.timing(machine)
    times: dict[Access, tuple[Times, Times]] = {access: ({}, {}) for access in Access}
    back: set[Place] = set()
    for t in access_times(timing, block, entries, flags):
        place, (first, last) = (t.resource, t.word), times[t.access]
        first[place], last[place] = min(t.first, first.get(place, t.first)), max(t.last, last.get(place, t.last))
        if flags & OPERAND_FLAGS and t.access is not Access.READ and t.resource in (Resource.FEEDBACK, Resource.WEIGHT):
            back.add(place)
    return _Sweep(block["columns"], timing.sweep(0, block, flags), times[Access.READ], times[Access.WRITE],
                  times[Access.ADD], frozenset(() if machine.kind.array else back))
