"""Micro-operations and the fences between them.

A learning rule is a list of these (``hebbar.rules``). Sweeps overlap in the machine; ``fenced``
inserts a WAIT wherever one needs the result of an earlier one (or would overwrite what it reads).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from .isa import Op, Sweep
from .layout import Block, View

__all__ = ["SweepOp", "TransferOp", "LoopOp", "WaitOp", "MicroOp", "Gain", "fenced", "separated"]


class Gain(int, Enum):
    """GAIN registers by use."""

    GAMMA = 0
    ONE = 1


@dataclass(frozen=True)
class SweepOp:
    """One SWEEP: a block, a column range of it, what to do.

    ``fresh``: source populations whose back sums this sweep starts anew.
    """

    block: Block
    view: View
    flags: Sweep
    gain: Gain = Gain.GAMMA
    fresh: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.block.place.population.name

    @property
    def sources(self) -> set[str]:
        first, count = self.view
        return {c.edge.source for c in self.block.columns[first:first + count]}

    def reads(self) -> set[tuple[str, str]]:
        """Resources (memory, population) read."""
        f, g = self.flags, self.name
        used = [(bool(f & Sweep.FWD), {("a", s) for s in self.sources}),
                (bool(f & Sweep.UPD), {("a", s) for s in self.sources}),
                (f.weights, {("w", g)}),
                (bool(f & Sweep.BASE), {("base", g)}),
                (bool(f & (Sweep.ERR | Sweep.STEP | Sweep.DELTA | Sweep.ACT)), {("x", g)}),
                (not f & Sweep.ERR and bool(f & (Sweep.TRN | Sweep.UPD | Sweep.STEP)), {("e", g)}),
                (bool(f & Sweep.BACK), {("back", g)})]
        return set().union(*(resources for on, resources in used if on))

    def writes(self) -> set[tuple[str, str]]:
        """Resources (memory, population) written."""
        f, g = self.flags, self.name
        used = [(bool(f & Sweep.HOIST), {("base", g)}),
                (bool(f & (Sweep.ERR | Sweep.DELTA)), {("e", g)}),
                (bool(f & (Sweep.INIT | Sweep.STEP)), {("x", g)}),
                (bool(f & Sweep.ACT), {("a", g)}),
                (bool(f & Sweep.UPD), {("w", g)}),
                (bool(f & Sweep.TRN), {("back", s) for s in self.sources})]
        return set().union(*(resources for on, resources in used if on))


@dataclass(frozen=True)
class TransferOp:
    """IN or OUT of one population; ``memory`` is a ``hebbar.memories.Mem``. Drains by itself."""

    op: Op
    population: str
    memory: int
    last: bool = False


@dataclass(frozen=True)
class LoopOp:
    """Repeat ``body`` ``count`` times, or as often as LOOP register ``register`` (1..4) says."""

    body: tuple["MicroOp", ...]
    count: int = 0
    register: int = 0


@dataclass(frozen=True)
class WaitOp:
    """Drain the machine."""


MicroOp = SweepOp | TransferOp | LoopOp | WaitOp


@dataclass
class _Pending:
    """What the sweeps since the last fence read and write."""

    reads: set = field(default_factory=set)
    writes: set = field(default_factory=set)

    def clash(self, op: SweepOp) -> bool:
        """True when ``op`` must not overtake: RAW, WAR or WAW. TRN sums may follow one another."""
        sums = {r for r in op.writes() if r[0] == "back"}
        return bool(op.reads() & self.writes or op.writes() & self.reads
                    or (op.writes() - sums) & self.writes)

    def add(self, op: SweepOp) -> None:
        self.reads |= op.reads()
        self.writes |= op.writes()


def fenced(ops: Iterable[MicroOp]) -> tuple[MicroOp, ...]:
    """The same operations with the WAITs that data dependences need.

    A loop body starts and ends drained, so its iterations need no analysis of their own.
    """
    out: list[MicroOp] = []
    pending = _Pending()
    for op in ops:
        if isinstance(op, SweepOp):
            if pending.clash(op):
                out.append(WaitOp())
                pending = _Pending()
            pending.add(op)
        else:
            if isinstance(op, LoopOp):
                if pending.writes:
                    out.append(WaitOp())
                op = LoopOp(fenced(op.body), op.count, op.register)
            pending = _Pending()
        out.append(op)
    if pending.writes:
        out.append(WaitOp())
    return tuple(out)


def separated(ops: Iterable[MicroOp]) -> list[MicroOp]:
    """The same schedule with predict, feed back and learn in sweeps of their own.

    What a machine does that cannot share a read between them: same results, more reads.
    """
    out: list[MicroOp] = []
    for op in ops:
        if isinstance(op, LoopOp):
            out.append(replace(op, body=tuple(separated(op.body))))
            continue
        if not isinstance(op, SweepOp):
            out.append(op)
            continue
        for part in (~(Sweep.TRN | Sweep.UPD), Sweep.TRN, Sweep.UPD):
            flags = op.flags & part
            if flags:
                out.append(replace(op, flags=flags, view=op.view if flags.weights else (0, 0)))
    return out
