"""What every instruction reads and writes: the column beside its encoding in ``hebbar.contract.isa``.

One table, read by whatever reasons about programs: the compiler's WAITs, the counts of memory accesses, the
comparison's search for the instruction that wrote a word, and the generator of random programs. The machines
themselves (``golden.machine``, ``golden.neuron``, ``hw.sequencer``, ``hw.neuron``) do not read it: they are what
the table is held against.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .isa import MOVES, OPERAND_FLAGS, WEIGHT_FLAGS, Into, Op, Sweep
from .memories import Mem

__all__ = ["Resource", "Where", "Access", "Effect", "EFFECTS", "STREAMED", "effects"]


class Resource(StrEnum):
    """What an instruction can read or write."""

    ACTIVITY = "activity"
    STATE = "state"
    ERROR = "error"
    CLAMP = "clamp"
    BASE = "base"
    FEEDBACK = "feedback"
    WEIGHT = "weight"
    INTEGRAL = "integral"


class Where(StrEnum):
    """Which part of it: the destination rows of the block, the sources of its columns, or its weights."""

    ROWS = "rows"
    SOURCES = "sources"
    BLOCK = "block"


class Access(StrEnum):
    """ADD reads and writes; additions of several instructions to one place may come in any order."""

    READ = "read"
    WRITE = "write"
    ADD = "add"


@dataclass(frozen=True)
class Effect:
    """One access of a SWEEP, which happens when it has one of ``flags``, all of ``given`` and none of ``unless``."""

    access: Access
    resource: Resource
    where: Where
    flags: Sweep = Sweep(0)
    given: Sweep = Sweep(0)
    unless: Sweep = Sweep(0)

    def happens(self, flags: Sweep) -> bool:
        """Whether a sweep with ``flags`` has this effect."""
        return bool(flags & self.flags) and flags & self.given == self.given and not flags & self.unless


_MOVES = Sweep.STEP | Sweep.DELTA
_CHANGES = Sweep.INIT | Sweep.STEP | Sweep.FIRE
"""The flags that change a state unless it is clamped."""

EFFECTS: tuple[Effect, ...] = (
    Effect(Access.READ, Resource.WEIGHT, Where.BLOCK, WEIGHT_FLAGS),
    Effect(Access.READ, Resource.ACTIVITY, Where.SOURCES, Sweep.FWD | Sweep.UPD),
    Effect(Access.READ, Resource.BASE, Where.ROWS, Sweep.BASE),
    Effect(Access.READ, Resource.STATE, Where.ROWS, Sweep.ERR | _MOVES | Sweep.ACT | Sweep.FIRE),
    Effect(Access.READ, Resource.CLAMP, Where.ROWS, _CHANGES),
    Effect(Access.READ, Resource.ERROR, Where.ROWS, Sweep.STEP, unless=Sweep.ERR),
    Effect(Access.READ, Resource.ERROR, Where.ROWS, OPERAND_FLAGS, unless=Sweep.ERR | Sweep.POST),
    Effect(Access.READ, Resource.ACTIVITY, Where.ROWS, OPERAND_FLAGS, given=Sweep.POST),
    Effect(Access.READ, Resource.FEEDBACK, Where.ROWS, _MOVES, given=Sweep.BACK),
    Effect(Access.READ, Resource.INTEGRAL, Where.ROWS, Sweep.INTEGRATE, given=Sweep.ERR, unless=Sweep.INIT),
    Effect(Access.WRITE, Resource.INTEGRAL, Where.ROWS, Sweep.INTEGRATE, given=Sweep.ERR),
    Effect(Access.WRITE, Resource.BASE, Where.ROWS, Sweep.HOIST),
    Effect(Access.WRITE, Resource.ERROR, Where.ROWS, Sweep.ERR | Sweep.DELTA),
    Effect(Access.WRITE, Resource.STATE, Where.ROWS, _CHANGES),
    Effect(Access.WRITE, Resource.ACTIVITY, Where.ROWS, Sweep.ACT),
    Effect(Access.ADD, Resource.FEEDBACK, Where.SOURCES, Sweep.TRN),
    Effect(Access.WRITE, Resource.WEIGHT, Where.BLOCK, Sweep.UPD),
)
"""The effects of a SWEEP."""

_READ_STATE = Effect(Access.READ, Resource.STATE, Where.ROWS)
_SEPARATED: dict[int, tuple[Effect, ...]] = {
    Into.DIFFERENCE: (_READ_STATE, Effect(Access.WRITE, Resource.ERROR, Where.ROWS)),
    Into.ERROR: (Effect(Access.WRITE, Resource.ERROR, Where.ROWS),),
    Into.STATE: (Effect(Access.WRITE, Resource.STATE, Where.ROWS),)}
STREAMED = {Mem.ACTIVITY: Resource.ACTIVITY, Mem.STATE: Resource.STATE, Mem.ERROR: Resource.ERROR,
            Mem.CLAMP: Resource.CLAMP}
"""The memories that IN and OUT move words of."""


def effects(op: Op, fields: Mapping[str, int]) -> Iterator[Effect]:
    """The effects of an instruction with these fields; ROWS are then of its block, or what it transfers."""
    match op:
        case Op.SWEEP:
            yield from (effect for effect in EFFECTS if effect.happens(Sweep(fields["flags"])))
        case Op.SEPARATE:
            yield Effect(Access.READ, Resource.BASE, Where.ROWS)
            yield from _SEPARATED.get(fields["into"], ())
        case _ if op in MOVES and fields["memory"] in STREAMED:
            yield Effect(Access.READ if op is Op.OUT else Access.WRITE, STREAMED[Mem(fields["memory"])], Where.ROWS)
