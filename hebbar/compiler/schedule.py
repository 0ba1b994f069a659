"""Micro-operations and the barriers between them.

A learning rule is a list of these (``hebbar.compiler.rules``). Sweeps overlap in the machine; ``insert_waits``
inserts a WAIT wherever one needs the result of an earlier one (or would overwrite what it reads).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hebbar.contract.effects import EFFECTS, Access, Resource, Where
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import OPERAND_FLAGS, Into, Mode, Op, Sweep

from .blocks import Column
from .layout import Block, View

__all__ = ["SweepOp", "TransferOp", "SeparateOp", "ExitOp", "LoopOp", "WaitOp", "MicroOp", "insert_waits", "separated",
           "categorical"]

Resources = set[tuple[Resource, str]]


@dataclass(frozen=True)
class SweepOp:
    """One SWEEP: a block, a column range of it, what to do.

    ``gain``: gamma, None for that of the rule. ``overwrite``: source words whose feedback sums this sweep starts
    anew. ``slower``: how often alpha is halved in this sweep. ``feeds``: populations that TRN reaches,
    None for all that move.
    """

    block: Block
    view: View
    flags: Sweep
    gain: float | None = None
    overwrite: frozenset[int] = frozenset()
    slower: int = 0
    feeds: frozenset[str] | None = None

    @property
    def name(self) -> str:
        return self.block.place.population.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in view."""
        first, count = self.view
        return self.block.columns[first:first + count]

    @property
    def sources(self) -> set[str]:
        return {c.edge.source for c in self.columns}

    def reads(self) -> Resources:
        """Resources read, with the population they are of."""
        return self._touched(Access.READ)

    def writes(self) -> Resources:
        """Resources written or added to."""
        return self._touched(Access.WRITE, Access.ADD)

    def _touched(self, *accesses: Access) -> Resources:
        named = {Where.ROWS: {self.name}, Where.SOURCES: self.sources, Where.BLOCK: {self.block.owner}}
        return {(e.resource, name) for e in EFFECTS if e.access in accesses and e.happens(self.flags)
                for name in named[e.where]}


@dataclass(frozen=True)
class TransferOp:
    """One of the instructions MOVES on one population; ``memory`` is a ``hebbar.contract.memories.Mem``. Drains by
    itself."""

    op: Op
    population: str
    memory: int
    last: bool = False


@dataclass(frozen=True)
class SeparateOp:
    """SEPARATE: softmax or max of the bases of a population. Drains by itself."""

    block: Block
    mode: Mode
    into: Into


@dataclass(frozen=True)
class ExitOp:
    """EXIT: leave the loop around it unless the energy fell; ``arm``: remember the energy, before a loop.

    The energy is 1/2 sum e^2, in which a population of precision pi weighs pi times what it weighs in that of
    the network.
    """

    arm: bool = False


@dataclass(frozen=True)
class LoopOp:
    """Repeat ``body`` ``count`` times, or as often as LOOP register ``register`` (1..4) says."""

    body: tuple["MicroOp", ...]
    count: int = 0
    register: int = 0


@dataclass(frozen=True)
class WaitOp:
    """Drain the machine."""


MicroOp = SweepOp | TransferOp | SeparateOp | ExitOp | LoopOp | WaitOp
"""What a rule returns a list of."""


@dataclass
class _Pending:
    """What the sweeps since the last barrier read and write."""

    reads: Resources = field(default_factory=set)
    writes: Resources = field(default_factory=set)

    def clash(self, op: SweepOp) -> bool:
        """True when ``op`` must not overtake: RAW, WAR or WAW. TRN sums may follow one another."""
        sums = {r for r in op.writes() if r[0] is Resource.FEEDBACK}
        return bool(op.reads() & self.writes or op.writes() & self.reads
                    or (op.writes() - sums) & self.writes)

    def add(self, op: SweepOp) -> None:
        self.reads |= op.reads()
        self.writes |= op.writes()


def insert_waits(ops: Iterable[MicroOp]) -> tuple[MicroOp, ...]:
    """Insert the WAITs that data dependences need.

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
            if isinstance(op, (LoopOp, SeparateOp, ExitOp)) and pending.writes:
                out.append(WaitOp())
            if isinstance(op, LoopOp):
                op = LoopOp(insert_waits(op.body), op.count, op.register)
            pending = _Pending()
        out.append(op)
    if pending.writes:
        out.append(WaitOp())
    return tuple(out)


def separated(ops: Iterable[MicroOp]) -> list[MicroOp]:
    """Split predict, feed back and learn into sweeps of their own.

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
        for part in (~OPERAND_FLAGS, Sweep.TRN, Sweep.UPD):
            flags = op.flags & (part if part == ~OPERAND_FLAGS else part | Sweep.POST | Sweep.NEG)
            if flags & part:
                out.append(replace(op, flags=flags, view=op.view if flags.weights else (0, 0)))
    return out


def apart(ops: Iterable[MicroOp]) -> list[MicroOp]:
    """Give UPD a sweep of its own where it stands beside TRN: the same results, the weights read once more.

    What a machine does whose UPD shares TRN's multiplier. Raises BadInput for a sweep in which UPD takes activities
    from before it that the sweep also replaces.
    """
    out: list[MicroOp] = []
    for op in ops:
        if isinstance(op, LoopOp):
            out.append(replace(op, body=tuple(apart(op.body))))
        elif isinstance(op, SweepOp) and op.flags & OPERAND_FLAGS == OPERAND_FLAGS:
            if op.flags & Sweep.POST and op.flags & Sweep.ACT:
                raise BadInput(f"rule: a sweep of {op.name!r} has TRN and UPD with the activities from before it, and "
                               "ACT; TRN and UPD share a multiplier (machine.updates is 'shared'), set it to 'own'.")
            out.append(replace(op, flags=op.flags & ~Sweep.UPD))
            out.append(replace(op, flags=op.flags & (Sweep.UPD | Sweep.POST | Sweep.NEG)))
        else:
            out.append(op)
    return out


def categorical(ops: Iterable[MicroOp], populations: Iterable[str]) -> list[MicroOp]:
    """Make the errors of ``populations`` x - softmax(mu): every sweep that computes
    them becomes one that leaves mu in base, a SEPARATE, and one with the flags that use the error."""
    out: list[MicroOp] = []
    for op in ops:
        if isinstance(op, LoopOp):
            out.append(replace(op, body=tuple(categorical(op.body, populations))))
        elif isinstance(op, SweepOp) and op.name in populations and op.flags & Sweep.ERR \
                and not op.flags & Sweep.INIT:
            later = op.flags & (OPERAND_FLAGS | Sweep.NEG | Sweep.STEP | Sweep.BACK | Sweep.ACT)
            out.append(replace(op, flags=op.flags & (Sweep.FWD | Sweep.BASE) | Sweep.HOIST, overwrite=frozenset()))
            out.append(SeparateOp(op.block, Mode.SOFTMAX, Into.DIFFERENCE))
            if later:
                out.append(replace(op, flags=later, view=op.view if later.weights else (0, 0)))
        else:
            out.append(op)
    return out
