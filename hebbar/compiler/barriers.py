"""Barriers: the points at which nothing is in flight, so that golden model and RTL can be compared."""

from hebbar.contract.effects import Access, Resource, effects
from hebbar.contract.isa import decode

from .control_flow import Loops, successors
from .program import Program

__all__ = ["learning_barriers"]


def learning_barriers(program: Program) -> frozenset[int]:
    """Addresses of barriers, which are WAITs that drain and HALTs, that some UPD sweep may precede without another one
    between, on any way that a program can take through its loops."""
    code, found = [decode(word) for word in program.words], set()
    waiting: list[tuple[int, Loops, bool]] = [(entry, (), False) for entry in program.entries.values()]
    seen = set(waiting)
    while waiting:
        address, loops, learning = waiting.pop()
        if address >= len(code):
            continue
        instruction = code[address]
        learning |= any(e.resource is Resource.WEIGHT and e.access is not Access.READ
                        for e in effects(instruction.op, instruction.fields))
        if instruction.barrier:
            if learning:
                found.add(address)
            learning = False
        new = {(to, left, learning) for to, left in successors(address, instruction, loops)} - seen
        seen |= new
        waiting += new
    return frozenset(found)
