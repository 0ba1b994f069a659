"""Fences: the points at which nothing is in flight, so that golden model and RTL can be compared."""

from collections.abc import Iterator

from .compiler import Program
from .isa import LOOP_DEPTH, Instruction, Op, Sweep, decode

__all__ = ["learning_fences"]

Loops = tuple[int, ...]
"""First addresses of the bodies of the open loops, the innermost last."""


def learning_fences(program: Program) -> frozenset[int]:
    """Addresses of WAITs and HALTs that some UPD sweep may precede without a fence between, on any way
    that a program can take through its loops."""
    code, found = [decode(word) for word in program.words], set()
    waiting: list[tuple[int, Loops, bool]] = [(entry, (), False) for entry in program.entries.values()]
    seen = set(waiting)
    while waiting:
        address, loops, learning = waiting.pop()
        if address >= len(code):
            continue
        instruction = code[address]
        if instruction.op is Op.SWEEP:
            learning |= bool(Sweep(instruction.fields["flags"]) & Sweep.UPD)
        elif instruction.op in (Op.WAIT, Op.HALT):
            if learning:
                found.add(address)
            learning = False
        new = {(to, left, learning) for to, left in _ways(address, instruction, loops)} - seen
        seen |= new
        waiting += new
    return frozenset(found)


def _ways(address: int, instruction: Instruction, loops: Loops) -> Iterator[tuple[int, Loops]]:
    """Where the sequencer can go from an instruction, and the loops that are open there."""
    op, fields = instruction.op, instruction.fields
    if op is Op.LOOP:
        if fields["register"] or not fields["count"]:
            yield fields["end"], loops
        if (fields["register"] or fields["count"]) and len(loops) < LOOP_DEPTH:
            yield address + 1, (*loops, address + 1)
    elif op is Op.NEXT:
        if loops:
            yield loops[-1], loops
            yield address + 1, loops[:-1]
    elif op is not Op.HALT:
        yield address + 1, loops
        if op is Op.EXIT and loops and not fields["arm"]:
            yield fields["end"], loops[:-1]
