"""Golden against RTL by the sequence of writes: element by element, the values written in their order.

Barriers are points at which nothing is in flight; this comparison needs none, since the order in which one element is
written does not depend on time. It leaves out what IN and the host write, and feedback sums, whose parts come in an
order of the tile's own: they show in the states and errors that are made of them, and at the end.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from golden.machine import Machine
from golden.sequencer import Sequencer
from golden.trace import Job, Writes
from hebbar.compiler.program import Program
from hebbar.contract.effects import Resource
from hebbar.contract.isa import Instruction, Into, Mode, Op, Sweep, decode
from hebbar.contract.memories import Mem

from .compare import Comparison, Difference, described, named

__all__ = ["WRITTEN", "FINAL", "compare_writes", "element", "golden_writes"]

WRITTEN = {Resource.STATE: "state", Resource.ERROR: "error", Resource.ACTIVITY: "activity", Resource.BASE: "base",
           Resource.INTEGRAL: "integral", Resource.WEIGHT: "weights"}
"""The memories whose writes are compared, where a machine has them, by their names in the golden machine."""
FINAL = {**WRITTEN, Resource.FEEDBACK: "back"}
"""The memories that are compared as a whole when a run has ended, by the same names."""


class _Followed(Sequencer):
    """Remembers what it handed out last, and how many inputs."""

    last: tuple[int, Instruction]
    inputs = 0

    def run(self, entry: int) -> Iterator[tuple[int, Instruction]]:
        for self.last in super().run(entry):
            self.inputs += self.last[1].op is Op.IN
            yield self.last


class _Told(Machine):
    """A golden machine that keeps what its sweeps and separations write, and when: (address, sample) of each."""

    SEQUENCER = _Followed

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.watcher, self.followed = self, cast(_Followed, self._sequencer)
        self.log: dict[Resource, list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]] = {r: [] for r in WRITTEN}
        self.when: list[tuple[int, int]] = []

    def sweep(self, block: int, flags: Sweep, gain: int) -> None:
        self.when.append((self.followed.last[0], self.followed.inputs))
        super().sweep(block, flags, gain)

    def separate(self, block: int, mode: Mode, into: Into) -> None:
        self.when.append((self.followed.last[0], self.followed.inputs))
        super().separate(block, mode, into)

    def add(self, resource: Resource, at: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Keep what the operation under way has written."""
        self.log[resource].append((len(self.when) - 1, at, values.copy()))


def golden_writes(job: Job, rows: Mapping[Mem, NDArray[np.int64]] = {}
                  ) -> tuple[Writes, dict[Resource, NDArray[np.int64]], list[tuple[int, int]]]:
    """What the golden machine writes; of each write the number of its operation, and of these address and sample.
    ``rows``: states, errors and activities that it begins with, where they are not those of a new machine."""
    machine = _Told(job.program)
    machine.load(job.weights)
    for mem, values in rows.items():
        getattr(machine, mem.name.lower())[...] = values
    machine.set_rates(job.halvings)
    machine.run(job.entry, job.samples)
    empty, operations, places = np.empty(0, np.int64), dict[Resource, NDArray[np.int64]](), {}
    for resource, log in machine.log.items():
        columns = [(np.full(len(at), number), at, values) for number, at, values in log] or [(empty,) * 3]
        operations[resource], *both = (np.concatenate(c) for c in zip(*columns, strict=True))
        places[resource] = (both[0], both[1])
    final = {resource: getattr(machine, name).reshape(-1).copy() for resource, name in FINAL.items()}
    per_sample = max(len(job.program.inputs[job.entry]), 1)
    when = [(address, max(inputs - 1, 0) // per_sample) for address, inputs in machine.when]
    return Writes(places, final, machine.decisions), operations, when


def compare_writes(job: Job, rtl: Writes, rows: Mapping[Mem, NDArray[np.int64]] = {}) -> Comparison:
    """The writes of ``rtl`` against those of a golden machine that runs the job, from ``rows`` as ``golden_writes``
    does, its memories at the end, and the decisions of its EXITs."""
    golden, operations, when = golden_writes(job, rows)
    words: dict[str, int] = {}
    wrong: dict[str, int] = {}
    firsts: list[tuple[int, Difference]] = []
    for resource in (r for r in WRITTEN if r in rtl.places):
        count, found = _differences(golden.places[resource], rtl.places[resource], operations[resource])
        words[f"writes of {resource}"] = len(golden.places[resource][0])
        wrong[f"writes of {resource}"] = count
        if found is not None:
            number, place, a, b = found
            firsts.append((number, _difference(job.program, resource, place, a, b, when, number)))
    for resource in rtl.final:
        a, b = golden.final[resource], rtl.final[resource]
        words[f"final {resource}"], wrong[f"final {resource}"] = a.size, int(np.count_nonzero(a != b))
        if (a != b).any():
            place = int((a != b).argmax())
            firsts.append((len(when), _difference(job.program, resource, place, a[place], b[place], when, len(when))))
    words["decisions"] = len(golden.decisions)
    wrong["decisions"] = int(golden.decisions != rtl.decisions)
    if wrong["decisions"]:
        firsts.append((len(when), Difference(-1, "at the end", "the list of the decisions of EXITs",
                                             str(golden.decisions), str(rtl.decisions))))
    return Comparison(words, wrong, min(firsts, key=lambda f: f[0])[1] if firsts else None)


def _differences(golden: tuple[NDArray[np.int64], NDArray[np.int64]], rtl: tuple[NDArray[np.int64], NDArray[np.int64]],
                 operations: NDArray[np.int64]) -> tuple[int, tuple[int, int, Any, Any] | None]:
    """How many writes differ or have no partner; of the first its operation, its element, and both values, None where
    there is no such write."""
    keys, theirs = _ranked(golden[0]), _ranked(rtl[0])
    both, mine, other = np.intersect1d(keys, theirs, assume_unique=True, return_indices=True)
    unequal = golden[1][mine] != rtl[1][other]
    alone, extra = np.setdiff1d(keys, both), np.setdiff1d(theirs, both)
    count = int(np.count_nonzero(unequal)) + alone.size + extra.size
    at = np.concatenate([mine[unequal], np.flatnonzero(np.isin(keys, alone))])
    if at.size:
        first = int(at.min())
        there = np.flatnonzero(theirs == keys[first])
        return count, (int(operations[first]), int(golden[0][first]), golden[1][first],
                       rtl[1][there[0]] if there.size else None)
    if extra.size:
        first = int(np.flatnonzero(np.isin(theirs, extra))[0])
        return count, (int(operations.max(initial=0)), int(rtl[0][first]), None, rtl[1][first])
    return count, None


def _ranked(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for the first, second, .. write of each element, the same on both sides."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    rank = np.empty(len(places), np.int64)
    rank[order] = np.arange(len(places)) - np.searchsorted(ordered, ordered)
    return places << 32 | rank


def _difference(program: Program, resource: Resource, place: int, a: Any, b: Any, when: list[tuple[int, int]],
                number: int) -> Difference:
    address, sample = when[number] if number < len(when) else (0, -1)
    code = decode(program.words[address])
    operation = f"address {address} {described(program, code)}" if sample >= 0 else "at the end"
    told = ("not written" if value is None else int(value) for value in (a, b))
    return Difference(sample, operation, element(program, resource, place), *told)


def element(program: Program, resource: Resource, place: int) -> str:
    """An element of a memory in words, by its number."""
    m = program.machine
    if resource is not Resource.WEIGHT:
        return named(program, str(resource), (0, place))[1]
    at = np.unravel_index(place, (m.weight_words, m.row_tiles, m.lanes))
    return named(program, "weights", (0, *map(int, at)))[1]
