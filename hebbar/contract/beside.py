"""What goes on beside an IN: an IN behind a WAIT with a gap begins as a sweep does, and the program goes on.

The host and the unit that writes a memory take turns at its port, the unit first, so any sweep passes an IN. One that
touches the words that move may not, which is for the compiler to see to, as with the gaps of sweeps
(``hebbar.compiler.gaps``): a WAIT with ``input`` waits for the last beat, and so does all but sweeps, gaps and loops.
"""

from .isa import Instruction, Op
from .memories import Mem

__all__ = ["BESIDE", "PASSING", "goes_on", "passes"]

PASSING = frozenset({Op.LOOP, Op.NEXT, Op.BREAK})
"""Instructions that say where a program goes on and nothing else: they wait for nothing and leave in flight what is."""

BESIDE = (Mem.ACTIVITY, Mem.STATE, Mem.CLAMP)
"""The memories that an IN may write beside sweeps."""


def goes_on(instruction: Instruction) -> bool:
    """Whether the program goes on beside an instruction when it stands behind a WAIT with a gap."""
    return instruction.op is Op.IN and instruction.fields["memory"] in BESIDE


def passes(instruction: Instruction) -> bool:
    """Whether an instruction does not wait for an IN beside it."""
    if instruction.op is Op.WAIT:
        return not instruction.barrier and not instruction.fields["input"]
    return instruction.op in PASSING | {Op.SWEEP}
