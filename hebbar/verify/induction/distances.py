"""What a program on paper keeps between its sweeps, and what they need: the arithmetic beside the proofs.

Nothing of ``hebbar.compiler.gaps`` is used, which finds the gaps that are checked here. A program is read as a graph
whose nodes are instructions; what lies between two sweeps is a shortest path.
"""

from dataclasses import dataclass, field
from functools import cached_property

from hebbar.compiler.control_flow import Loops, successors
from hebbar.compiler.program import Program
from hebbar.contract.access_times import Timed, access_times
from hebbar.contract.beside import PASSING, goes_on
from hebbar.contract.effects import Access, Resource
from hebbar.contract.isa import OPERAND_FLAGS, Instruction, Op, Sweep, decode
from hebbar.contract.timing import DESCRIPTOR_LATENCY

__all__ = ["BETWEEN", "Need", "Paper"]

BETWEEN = DESCRIPTOR_LATENCY + 2
"""Cycles from one sweep to the next at least, as its descriptor is looked up behind its decoding."""


@dataclass(frozen=True)
class Need:
    """The sweep at ``newer`` has to be taken ``cycles`` or more after the one at ``older``, because of a word."""

    older: int
    newer: int
    cycles: int
    why: str


@dataclass
class _Bound:
    """Least cycles from a sweep to where the tile is free with the gap served, and to the last sweep behind it."""

    free: int
    taken: int

    def join(self, other: "_Bound") -> bool:
        """Become the smaller of both; whether that is a change."""
        changed = other.free < self.free or other.taken < self.taken
        self.free, self.taken = min(self.free, other.free), min(self.taken, other.taken)
        return changed


@dataclass
class Paper:
    """A program for a row engine and what follows from its words alone.

    ``reached``: every address with the loops that can be open there, from all entries.
    """

    program: Program
    reached: set[tuple[int, Loops]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.code: list[Instruction] = [decode(word) for word in self.program.words]
        waiting: list[tuple[int, Loops]] = [(entry, ()) for entry in self.program.entries.values()]
        self.reached.update(waiting)
        while waiting:
            new = set(self._after(*waiting.pop())) - self.reached
            self.reached |= new
            waiting += new

    def _after(self, address: int, loops: Loops) -> list[tuple[int, Loops]]:
        return [at for at in successors(address, self.code[address], loops) if at[0] < len(self.code)]

    @cached_property
    def sweeps(self) -> list[int]:
        """The addresses of all SWEEPs that are reached."""
        return sorted({at for at, _ in self.reached if self.code[at].op is Op.SWEEP})

    def slots(self, address: int) -> int:
        """Cycles of the sweep at an address in which the tile is busy with it."""
        fields, machine = self.code[address].fields, self.program.machine
        block, _ = self.program.descriptor(fields["block"])
        return machine.kind.timing(machine).sweep(0, block, Sweep(fields["flags"]))

    def drains(self, address: int) -> bool:
        """Whether an instruction waits until nothing is in flight."""
        instruction = self.code[address]
        if instruction.op is Op.WAIT:
            return not instruction.fields["gap"]
        if goes_on(instruction):
            return not self.gap(address)
        return instruction.op not in PASSING | {Op.SWEEP}

    def gap(self, address: int) -> int:
        """The gap of the WAIT directly before an address; 0 where there is none."""
        before = self.code[address - 1] if address else None
        return before.fields["gap"] if before is not None and before.op is Op.WAIT else 0

    @cached_property
    def bounds(self) -> dict[int, dict[int, tuple[int, int]]]:
        """Least cycles by sweep and by address behind it that is reached without draining: from the one in which the
        sweep is taken to the one in which the tile is free and the gap over, and to the last sweep taken before."""
        return {sweep: self._bounds(sweep) for sweep in self.sweeps}

    def _bounds(self, sweep: int) -> dict[int, tuple[int, int]]:
        found: dict[tuple[int, Loops], _Bound] = {}
        waiting: list[tuple[tuple[int, Loops], _Bound]] = [
            (to, _Bound(self.slots(sweep), 0)) for at in self.reached if at[0] == sweep for to in self._after(*at)]
        while waiting:
            at, bound = waiting.pop()
            if at in found:
                if not found[at].join(bound):
                    continue
            else:
                found[at] = bound
            if not self.drains(at[0]):
                waiting += [(to, self._passed(at[0], found[at])) for to in self._after(*at)]
        least: dict[int, tuple[int, int]] = {}
        for (at_address, _), bound in found.items():
            free, taken = least.get(at_address, (bound.free, bound.taken))
            least[at_address] = min(free, bound.free), min(taken, bound.taken)
        return least

    def _passed(self, address: int, bound: _Bound) -> _Bound:
        instruction = self.code[address]
        if instruction.op is Op.WAIT:
            return _Bound(bound.free + instruction.fields["gap"], bound.taken)
        if instruction.op is not Op.SWEEP:
            return _Bound(bound.free, bound.taken)
        taken = max(bound.free, bound.taken + BETWEEN)
        return _Bound(taken + self.slots(address), taken)

    @cached_property
    def longest(self) -> dict[int, int]:
        """The most cycles that words of older sweeps with TRN or UPD may still wait for errors when the gap of each
        sweep is over: as many as the longest row has columns, one less for every cycle in which no such word comes."""
        most: dict[tuple[int, Loops], int] = dict.fromkeys(self.reached, 0)
        waiting = list(self.reached)
        while waiting:
            at = waiting.pop()
            left = self._waiting(at[0], most[at])
            for to in self._after(*at):
                if left > most[to]:
                    most[to] = left
                    waiting.append(to)
        return {at: max(left for (place, _), left in most.items() if place == at) for at in self.sweeps}

    def _waiting(self, address: int, before: int) -> int:
        """What is left of ``before`` behind an instruction."""
        instruction = self.code[address]
        if self.drains(address):
            return 0
        if instruction.op is Op.WAIT:
            return max(before - instruction.fields["gap"], 0)
        if instruction.op is not Op.SWEEP:
            return before
        if Sweep(instruction.fields["flags"]) & OPERAND_FLAGS:
            return max(before, self.program.descriptor(instruction.fields["block"])[0]["columns"])
        return max(before - self.slots(address), 0)

    def needs(self, older: int, newer: int) -> Need:
        """The least distance of two sweeps, of any order in the program, at which the newer one reaches no word that
        the older one still has to do with."""
        worst = Need(older, newer, 0, "nothing")
        last: dict[tuple[Resource, int], list[tuple[Access, int]]] = {}
        for t in self._accesses(older):
            last.setdefault((t.resource, t.word), []).append((t.access, t.last))
        for t in self._accesses(newer):
            for theirs, done in last.get((t.resource, t.word), ()):
                if t.access is theirs is not Access.WRITE:
                    continue  # two reads, or two sums of TRN, may come in any order
                if done - t.first + 1 > worst.cycles:
                    why = f"{t.access} of {t.resource} word {t.word} after {theirs}"
                    worst = Need(older, newer, done - t.first + 1, why)
        return worst

    def _accesses(self, address: int) -> list[Timed]:
        fields, machine = self.code[address].fields, self.program.machine
        block, entries = self.program.descriptor(fields["block"])
        late = max(self.longest.get(address, 0) - block["columns"], 0)
        return list(access_times(machine.kind.timing(machine), block, entries, Sweep(fields["flags"]), late))
