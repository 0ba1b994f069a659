"""Fences: the points at which nothing is in flight, so that golden model and RTL can be compared."""

from .compiler import Program
from .isa import Op, Sweep, decode

__all__ = ["learning_fences"]


def learning_fences(program: Program) -> frozenset[int]:
    """Addresses of WAITs and HALTs that some UPD sweep may precede without a fence between."""
    found, learning = set(), False
    for address, word in enumerate(program.words):
        instruction = decode(word)
        if instruction.op is Op.SWEEP:
            learning |= bool(Sweep(instruction.fields["flags"]) & Sweep.UPD)
        elif instruction.op in (Op.WAIT, Op.HALT):
            if learning:
                found.add(address)
            learning = False
    return frozenset(found)
