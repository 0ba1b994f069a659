"""List scheduling: an order of sweeps and INs in which fewer wait for one another, by the timing table.

Of two that reach a word of which one changes what the other reads or writes, the older one stays the older one. Sums of
TRN in one word keep their order too, since the first of a step begins them anew, and so do INs, as the host sends them.
What is left free is taken greedily, the method of list scheduling (Landskov et al., ACM Computing Surveys 12(3), 1980).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from hebbar.contract.beside import passes
from hebbar.contract.isa import Op, decode
from hebbar.contract.timing import DESCRIPTOR_LATENCY, RANGE_LATENCY

from .gaps import KINDS, SweepTimes, sweep_times
from .transfers import beats, first_beats

if TYPE_CHECKING:
    from .program import Program

__all__ = ["Distances", "Clock", "ordered", "period"]

SUMS = 2
"""Where the sums of TRN stand among the accesses of a sweep."""
ISSUED = DESCRIPTOR_LATENCY + 3
"""Cycles that the sequencer spends at least on a sweep and the WAIT before it."""
SETTLED = 3
"""Rounds of a loop after which its sweeps are taken as in every later one."""


class Distances:
    """How many cycles after one sweep or IN of a program another one that depends on it may begin; they are told by
    their instructions."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.times = cache(self._times)
        self.between = cache(self._between)
        self.reach = cache(self._reach)

    def _times(self, word: int) -> SweepTimes:
        instruction = decode(word)
        if instruction.op is Op.SWEEP:
            return sweep_times(self._program, word)
        first = first_beats(self._program, instruction)
        cycles = RANGE_LATENCY + sum(1 for _ in beats(self._program, instruction))
        return SweepTimes(0, cycles, ({}, first, {}), ({}, dict.fromkeys(first, cycles), {}), frozenset(), False)

    def _between(self, older: int, newer: int) -> int | None:
        """The distance; None where either may come first."""
        theirs, own = self.times(older).last, self.times(newer).first
        found = [theirs[other][place] - own[mine][place] + 1 for _, mine, other in KINDS
                 for place in own[mine].keys() & theirs[other].keys()]
        if own[SUMS].keys() & theirs[SUMS].keys():
            found.append(1)
        if decode(older).op is Op.IN:
            found = [self.times(older).slots + 1 + ISSUED * bool(found)] if found or not passes(decode(newer)) else []
        return max(found, default=None)

    def _reach(self, word: int) -> int:
        """No distance from a sweep is longer."""
        return 1 + max((last for accesses in self.times(word).last for last in accesses.values()), default=0)


class Clock:
    """When one sweep or IN begins after another, each as soon as the tile and the distances allow."""

    def __init__(self, distances: Distances) -> None:
        self._distances = distances
        self._flight: list[tuple[int, int]] = []
        self.free = 0

    def soonest(self, word: int) -> int:
        """The cycle in which it could begin next."""
        found = ((at, self._distances.between(older, word)) for older, at in self._flight)
        return max([self.free, *(at + distance for at, distance in found if distance is not None)])

    def take(self, word: int) -> None:
        """It begins."""
        at = self.soonest(word)
        self.free = at + (2 if decode(word).op is Op.IN else max(self._distances.times(word).slots, ISSUED))
        self._flight = [(older, then) for older, then in (*self._flight, (word, at))
                        if then + self._distances.reach(older) > self.free]


def period(distances: Distances, body: Iterable[int]) -> int:
    """Cycles of a round of a loop over sweeps, once nothing is left of what stood before it."""
    clock, body = Clock(distances), tuple(body)
    for _ in range(SETTLED):
        begun = clock.free
        for word in body:
            clock.take(word)
    return clock.free - begun


def ordered(distances: Distances, sweeps: Sequence[int], before: Iterable[int] = (), after: Iterable[int] = (),
            urgent: bool = False) -> tuple[int, ...]:
    """The sweeps in another order that does the same, where others stand ``before`` and ``after`` them.

    Of those that nothing holds back any more, the next is an IN, which takes no time of the tile, unless it would wait
    longer than a sweep takes at least; else the one that can be taken soonest, or, ``urgent``, the one with the longest
    chain of dependences behind it.
    """
    every = (*sweeps, *after)
    longest = _chains(distances, every)
    waits = [{i for i in range(j) if distances.between(every[i], every[j]) is not None} for j in range(len(sweeps))]
    clock = Clock(distances)
    for word in before:
        clock.take(word)
    order: list[int] = []
    left = set(range(len(sweeps)))
    while left:
        ready = [i for i in left if not waits[i] & left]
        soonest = {i: clock.soonest(every[i]) for i in ready}
        latest = min(soonest.values()) + ISSUED
        key = {i: (decode(every[i]).op is not Op.IN or soonest[i] > latest, 0 if urgent else soonest[i], -longest[i], i)
               for i in ready}
        best = min(ready, key=key.__getitem__)
        clock.take(every[best])
        left.remove(best)
        order.append(every[best])
    return tuple(order)


def _chains(distances: Distances, sweeps: Sequence[int]) -> list[int]:
    """Cycles from each sweep to the end of the last one that depends on it, over others."""
    found = [distances.times(word).slots for word in sweeps]
    for i in reversed(range(len(sweeps))):
        behind = [(distances.between(sweeps[i], sweeps[j]), found[j]) for j in range(i + 1, len(sweeps))]
        found[i] = max([found[i], *(d + rest for d, rest in behind if d is not None)])
    return found
