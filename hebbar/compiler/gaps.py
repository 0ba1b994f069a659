"""Static chaining: how soon a sweep may follow the one before it, so that it overtakes no older one.

All latencies are static, so a WAIT that drains could be a distance between two sweeps instead. The distances are
derived from the timing table (``hebbar.contract.access_times``), over all ways through loops; what drains by itself
goes on doing so. ``hebbar.compiler.chaining`` makes of them a program, ``hebbar bench chain`` says what they buy.

A gap is counted from the first cycle in which the tile could take the next sweep, not from the one in which it took the
last: a loop is entered behind a long sweep and gone through again behind a short one, and one number is to do for both.
Distances only grow when the host stalls or the tile is late, so what holds for the least of them holds for all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING

from hebbar.contract.access_times import access_times
from hebbar.contract.beside import PASSING, goes_on, passes
from hebbar.contract.effects import Access, Resource
from hebbar.contract.isa import FIELDS, OPERAND_FLAGS, Op, Sweep, decode
from hebbar.contract.timing import DESCRIPTOR_LATENCY

from .control_flow import Loops, successors
from .transfers import Place, first_beats

if TYPE_CHECKING:
    from .program import Program

__all__ = ["MOST", "Dependence", "SweepTimes", "Ways", "dependences", "gaps", "sweep_times"]

Times = dict[Place, int]
"""A cycle for each place."""
Accesses = tuple[Times, Times, Times]
"""Reads, writes and sums of a sweep: sums are those of TRN, which may follow one another."""
MOST = (1 << FIELDS[Op.WAIT]["gap"].width) - 1
"""The longest gap; where a longer one would be needed, the program drains."""
KINDS = (("RAW", 0, 1), ("RAW", 0, 2), ("WAR", 2, 0), ("WAW", 2, 1), ("WAR", 1, 0), ("WAW", 1, 1), ("WAW", 1, 2))
"""What a dependence is called, by the accesses of the sweep that depends and those of the older one."""


@dataclass(frozen=True)
class Dependence:
    """The sweep at address ``newer`` reaches ``words``, first and last, of a memory that the one at ``older`` may not
    be done with when the tile is free: RAW, WAR or WAW."""

    older: int
    newer: int
    kind: str
    resource: Resource
    words: tuple[int, int]

    @property
    def key(self) -> tuple[int, int, str, Resource]:
        """What it is told by, whatever the words."""
        return self.older, self.newer, self.kind, self.resource

    def __str__(self) -> str:
        first, last = self.words
        return f"{self.kind} of {self.resource} words {first} to {last}, address {self.older} to {self.newer}"


@dataclass(frozen=True)
class SweepTimes:
    """First and last accesses of a sweep, in cycles after it is taken, when no earlier one holds it up.

    ``back``: places that TRN and UPD write; ``slots``: cycles until the tile can take the next sweep; ``queues``: its
    words wait for errors of their rows in a queue, which they leave in order, one a cycle.
    """

    columns: int
    slots: int
    first: Accesses
    last: Accesses
    back: frozenset[Place]
    queues: bool

    def reaches(self, places: Collection[Place]) -> bool:
        """Whether it reads or writes one of these places."""
        return any(place in places for accesses in self.first for place in accesses)

    def needs(self, state: "_State") -> Iterator[tuple[int, str, Place, int]]:
        """Every place that an older sweep may still have to do with: the older one's address, the kind of dependence,
        the place, and the least gap, which may be below zero."""
        for older, theirs in state.flight.items():
            for kind, own, other in KINDS:
                first, last = self.first[own], theirs[other]
                for place in first.keys() & last.keys():
                    yield older, kind, place, last[place] - first[place] + 1


@dataclass
class _State:
    """What sweeps in flight still do, at most, by their addresses: the last access to each place in cycles after the
    tile is free again; the most cycles that words for TRN and UPD may still wait then; and what INs beside them may
    write."""

    flight: dict[int, Accesses] = field(default_factory=dict)
    longest: int = 0
    streamed: frozenset[Place] = frozenset()

    def after(self, address: int, sweep: SweepTimes, gap: int) -> "_State":
        """The state once ``sweep`` has been taken, ``gap`` cycles or more after the tile was free, and is walked
        through."""
        new = self.later(gap + sweep.slots)
        if sweep.queues:
            new.longest = max(self.longest - gap, sweep.columns)
        delay = max(self.longest - gap - sweep.columns, 0)
        new.join(_State({address: _each(
            lambda times: {p: t + delay * (p in sweep.back) - sweep.slots for p, t in times.items()}, sweep.last)}))
        return new

    def later(self, cycles: int) -> "_State":
        """The state ``cycles`` later."""
        left = {older: _each(lambda times: _less(times, cycles), accesses) for older, accesses in self.flight.items()}
        return _State({older: accesses for older, accesses in left.items() if any(accesses)},
                      max(self.longest - cycles, 0), self.streamed)

    def needs(self, first: Times) -> int:
        """The least gap of an IN whose beats come to words of a memory in these cycles at first."""
        return 1 + max((last - first[place] for accesses in self.flight.values() for times in accesses
                        for place, last in times.items() if place in first), default=0)

    def join(self, other: "_State") -> bool:
        """Become the worse of both; whether that is a change."""
        grown = [other.longest > self.longest, not other.streamed <= self.streamed]
        self.longest, self.streamed = max(self.longest, other.longest), self.streamed | other.streamed
        for older, accesses in other.flight.items():
            mine = self.flight.setdefault(older, ({}, {}, {}))
            grown += [_join(a, b) for a, b in zip(mine, accesses, strict=True)]
        return any(grown)


def _each(change: Callable[[Times], Times], accesses: Accesses) -> Accesses:
    reads, writes, sums = accesses
    return change(reads), change(writes), change(sums)


def _less(times: Times, passed: int) -> Times:
    return {place: last - passed for place, last in times.items() if last > passed}


def _join(times: Times, others: Times) -> bool:
    grown = False
    for place, last in others.items():
        if last > times.get(place, 0):
            times[place], grown = last, True
    return grown


@dataclass
class Ways:
    """All ways through a program: what is in flight before each instruction, by the loops that are open there, and the
    gaps that follow from it, as if there were no dependences ``without``.
    ``times``: what ``sweep_times`` says, where it is known. ``found``: what ``gaps`` says; ``inputs``: the addresses of
    SWEEPs that reach words of an IN that went on ``beside`` others, and wait for its end.
    """

    program: "Program"
    beside: bool = False
    without: Collection[tuple[int, int, str, Resource]] = ()
    times: Callable[[int], SweepTimes] | None = None
    found: dict[int, int] = field(default_factory=dict)
    inputs: set[int] = field(default_factory=set)
    states: dict[tuple[int, Loops], _State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.code = [decode(word) for word in self.program.words]
        self._read = self.times or cache(partial(sweep_times, self.program))
        self._least: dict[tuple[int, Loops], int] = {}
        waiting = [(entry, Loops()) for entry in self.program.entries.values()]
        for at in waiting:
            self._reached(at, _State(), 0)
        while waiting:
            at = min(waiting)
            waiting.remove(at)
            address, loops = at
            if address < len(self.code):
                state, distance = self._behind(at)
                waiting += [to for to in successors(address, self.code[address], loops)
                            if self._reached(to, state, distance) and to not in waiting]

    def sweep(self, address: int) -> SweepTimes | None:
        """The sweep at an address, None where there is another instruction."""
        if address >= len(self.code) or self.code[address].op is not Op.SWEEP:
            return None
        return self._read(self.program.words[address])

    def _behind(self, at: tuple[int, Loops]) -> tuple[_State, int]:
        """What is in flight behind an instruction, and how many cycles the next sweep is later by itself."""
        address, state, distance = at[0], self.states[at], self._least[at]
        instruction, sweep = self.code[address], self.sweep(address)
        if sweep and sweep.reaches(state.streamed):
            self.inputs.add(address)
        if address in self.inputs or not (passes(instruction) or instruction.op is Op.WAIT):
            state = replace(state, streamed=frozenset())
        if self.beside and goes_on(instruction):
            return self._input(address, state), 0
        if sweep is None:
            return (state, distance) if instruction.op in PASSING | {Op.WAIT} else (_State(), 0)
        need = max((need for older, kind, place, need in sweep.needs(state)
                    if (older, address, kind, place[0]) not in self.without), default=0)
        if need > distance:
            self.found[address] = max(self.found.get(address, 0), need)
        state = state.after(address, sweep, max(self.found.get(address, 0), distance))
        return state, max(DESCRIPTOR_LATENCY + 2 - sweep.slots, 0)

    def _input(self, address: int, state: _State) -> _State:
        """What is in flight behind an IN, which is to go on beside sweeps where that hides anything."""
        first = first_beats(self.program, self.code[address])
        if state.flight or ((follower := self.sweep(address + 1)) and not follower.reaches(first)):
            self.found[address] = max(self.found.get(address, 1), state.needs(first))
        if not 0 < (gap := self.found.get(address, 0)) <= MOST:
            return _State()
        return replace(state.later(gap), streamed=frozenset(first))

    def _reached(self, to: tuple[int, Loops], state: _State, distance: int) -> bool:
        """Whether what is known at an instruction changes when it is reached with ``state``."""
        if new := to not in self.states:
            self.states[to], self._least[to] = _State(), distance
        sooner = distance < self._least[to]
        self._least[to] = min(self._least[to], distance)
        return self.states[to].join(state) or sooner or new


def gaps(program: "Program", without: Iterable[Dependence] = (), beside: bool = False) -> dict[int, int]:
    """The gaps of all SWEEPs that need one, and, ``beside``, of INs that are to go on beside sweeps, by address: the
    least cycles from the one in which the tile is free.
    For the others tile and sequencer keep enough distance by themselves. WAITs are passed over. ``without``: as if
    there were no such dependences, which makes the program wrong unless another one needs as much."""
    return Ways(program, beside, {one.key for one in without}).found


def dependences(program: "Program", without: Iterable[Dependence] = ()) -> list[Dependence]:
    """All pairs of sweeps of which the older one may not be done with words of a memory when the tile could take the
    newer one, at the gaps that ``gaps`` finds; in the order of their addresses."""
    ways, words = Ways(program, False, {one.key for one in without}), dict[tuple[int, int, str, Resource], set[int]]()
    for (address, _), state in ways.states.items():
        if sweep := ways.sweep(address):
            for older, kind, (resource, word), _ in sweep.needs(state):
                words.setdefault((older, address, kind, resource), set()).add(word)
    found = [Dependence(*key, (min(of), max(of))) for key, of in words.items()]
    return sorted(found, key=attrgetter("newer", "older", "kind", "resource"))


def sweep_times(program: "Program", word: int) -> SweepTimes:
    """The accesses of a SWEEP of a program, an instruction."""
    fields, machine = decode(word).fields, program.machine
    (block, entries), flags = program.descriptor(fields["block"]), Sweep(fields["flags"])
    timing = machine.kind.timing(machine)
    times: dict[Access, tuple[Times, Times]] = {access: ({}, {}) for access in Access}
    back: set[Place] = set()
    for t in access_times(timing, block, entries, flags):
        place, (first, last) = (t.resource, t.word), times[t.access]
        first[place], last[place] = min(t.first, first.get(place, t.first)), max(t.last, last.get(place, t.last))
        if flags & OPERAND_FLAGS and t.access is not Access.READ and t.resource in (Resource.FEEDBACK, Resource.WEIGHT):
            back.add(place)
    firsts, lasts = zip(times[Access.READ], times[Access.WRITE], times[Access.ADD], strict=True)
    return SweepTimes(block["columns"], timing.sweep(0, block, flags), firsts, lasts,
                  frozenset(() if machine.kind.array else back), bool(flags & OPERAND_FLAGS) and not machine.kind.array)
