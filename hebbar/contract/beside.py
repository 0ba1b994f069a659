"""What goes on beside an IN: an IN behind a WAIT with a gap begins as a sweep does, and the program goes on.

Everything else waits for its end. The host writes a memory through the port of the unit that writes it, so sweeps that
write states or activities wait; one that does not may not touch the words that move, which is for the compiler to see
to, as with the gaps of sweeps (``hebbar.compiler.gaps``).
"""

from .isa import Instruction, Op, Sweep
from .memories import Mem

__all__ = ["ALONE", "BESIDE", "PASSING", "goes_on", "passes"]

PASSING = frozenset({Op.LOOP, Op.NEXT, Op.BREAK})
"""Instructions that say where a program goes on and nothing else: they wait for nothing and leave in flight what is."""

ALONE = Sweep.INIT | Sweep.STEP | Sweep.ACT | Sweep.FIRE
"""The flags with which a sweep writes a memory that an IN beside it may write."""

BESIDE = (Mem.ACTIVITY, Mem.STATE, Mem.CLAMP)
"""The memories that an IN may write beside sweeps. Any of those that do writes errors."""


def goes_on(instruction: Instruction) -> bool:
    """Whether the program goes on beside an instruction when it stands behind a WAIT with a gap."""
    return instruction.op is Op.IN and instruction.fields["memory"] in BESIDE


def passes(instruction: Instruction) -> bool:
    """Whether an instruction does not wait for an IN beside it."""
    if instruction.op is Op.SWEEP:
        return not Sweep(instruction.fields["flags"]) & ALONE
    return instruction.op in PASSING or (instruction.op is Op.WAIT and not instruction.barrier)
