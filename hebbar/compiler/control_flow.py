"""Where a program goes: one reading of LOOP, NEXT, EXIT, BREAK and HALT for everything that follows programs.

``golden.sequencer`` and ``hw.sequencer`` read them on their own; the tests hold this module against them.
"""

from collections.abc import Iterable, Iterator, Sequence

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, Instruction, Op

__all__ = ["leaves", "executed", "followed", "iterations", "successors", "Loops"]

Loops = tuple[int, ...]
"""First addresses of the bodies of the open loops, the innermost last."""


def leaves(instruction: Instruction) -> bool:
    """True for an EXIT that can leave a loop."""
    return instruction.op is Op.EXIT and not instruction.fields["arm"]


def executed(code: Sequence[Instruction], start: int, registers: Sequence[int],
             exits: Iterable[bool] | None = None) -> Iterator[tuple[int, Instruction]]:
    """Every instruction of a run from address ``start`` to its HALT, in order, with its address.

    ``registers``: what the LOOP registers hold. ``exits``: for every EXIT with arm 0 that is executed, in their
    order, whether it leaves its loop; None: none leaves. Raises BadInput unless there is one for each.
    """
    decisions = None if exits is None else iter(exits)
    yield from followed(code, start, registers, decisions)
    if decisions is not None and any(True for _ in decisions):
        raise BadInput("the program halts before its last exit; give one for each EXIT that is executed.")


def followed(code: Sequence[Instruction], start: int, registers: Sequence[int],
             decisions: Iterator[bool] | None) -> Iterator[tuple[int, Instruction]]:
    """``executed`` for one run of several: takes from ``decisions`` what this run needs and leaves the others."""
    address, loops = start, list[list[int]]()
    while True:
        instruction = code[address]
        yield address, instruction
        if instruction.op is Op.HALT:
            return
        address = _next(address, instruction, loops, registers, decisions)


def _next(address: int, instruction: Instruction, loops: list[list[int]], registers: Sequence[int],
          decisions: Iterator[bool] | None) -> int:
    """The next address; ``loops`` holds [start, iterations left] of every open loop."""
    if instruction.op is Op.LOOP:
        count = iterations(address, instruction, registers)
        if not count:
            return instruction.fields["end"]
        loops.append([address + 1, count])
    elif instruction.op is Op.NEXT:
        loops[-1][1] -= 1
        if loops[-1][1]:
            return loops[-1][0]
        loops.pop()
    elif instruction.op is Op.BREAK:
        if instruction.fields["always"] or loops[-1][1] == 1:
            loops.pop()
            return instruction.fields["end"]
        loops[-1][1] -= instruction.fields["counts"]
    elif leaves(instruction) and decisions is not None:
        decision = next(decisions, None)
        if decision is None:
            raise BadInput(f"address {address}: no exit is given for this EXIT; give the decisions of the golden "
                           "machine's trace.")
        if decision:
            loops.pop()
            return instruction.fields["end"]
    return address + 1


def iterations(address: int, loop: Instruction, registers: Sequence[int]) -> int:
    """The rounds of the LOOP at an address; raises BadInput where it takes a register that is not given."""
    register = loop.fields["register"]
    if register > len(registers):
        raise BadInput(f"address {address}: LOOP takes register {register - 1}, and {len(registers)} are given; "
                       "give what every LOOP register from 1 on holds.")
    return registers[register - 1] if register else loop.fields["count"]


def successors(address: int, instruction: Instruction, loops: Loops) -> Iterator[tuple[int, Loops]]:
    """Where the sequencer can go from an instruction, whatever the registers and the data, and the loops that are
    open there."""
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
    elif op is Op.BREAK:
        if not fields["always"]:
            yield address + 1, loops
        if loops:
            yield fields["end"], loops[:-1]
    elif op is not Op.HALT:
        yield address + 1, loops
        if leaves(instruction) and loops:
            yield fields["end"], loops[:-1]
