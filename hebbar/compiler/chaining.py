"""Chaining: WAITs that drain become gaps of the next sweep, where ``hebbar.compiler.gaps`` knows them.

What drains by itself goes on doing so. A WAIT that drains costs a cycle there, so one before each of these keeps points
at which nothing is in flight and traces are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import MOVES, Instruction, Op, decode, encode

from .control_flow import Loops, successors
from .gaps import MOST, SweepTimes, Ways

if TYPE_CHECKING:
    from .program import Program

__all__ = ["chained"]

DRAINS = MOVES | {Op.SEPARATE, Op.EXIT, Op.HALT}
"""Instructions that drain whatever stands before them."""
DRAIN = encode(Op.WAIT)


def chained(program: Program, found: Mapping[int, int] | None = None, beside: bool = False,
            times: Callable[[int], SweepTimes] | None = None) -> Program:
    """A program that does the same with as few WAITs that drain as may be; its schedules are those it was made of.

    ``found``: gaps by address in place of those of ``gaps``, to see what others do. ``beside``: INs go on beside sweeps
    where that hides anything, and nothing drains there. ``times``: what ``sweep_times`` says, where it is known.
    Raises BadInput where the machine has no room for it, or a tile whose gaps nothing holds against hardware.
    """
    machine = program.machine
    if machine.kind.macro:
        raise BadInput(f"rule.schedule is 'chained', and the gaps of tile {machine.tile!r} are not checked; set it to "
                       "'drained'.")
    code, inputs = [decode(word) for word in program.words], set[int]()
    if found is None:
        ways = Ways(program, beside, times=times)
        found, inputs = ways.found, ways.inputs
    words: list[int] = []
    places: list[int] = []
    for at, instruction in enumerate(code):
        places.append(len(words))
        words += _waits(code, at, found, inputs)
        if instruction.op is not Op.WAIT:
            words.append(program.words[at])
    if len(words) > machine.program_words:
        raise BadInput(f"the program does not fit: chained it has {len(words)} instructions and machine.program_words "
                       f"is {machine.program_words}; raise it to {len(words)} or set rule.schedule to 'drained'.")
    return replace(program, words=tuple(_moved(word, places) for word in words), entries=type(program.entries)(
        {name: places[at] for name, at in program.entries.items()}))


def _waits(code: Sequence[Instruction], at: int, found: Mapping[int, int], inputs: Collection[int]) -> list[int]:
    """The WAITs in the place of one, or before another instruction; for the end of an IN before those at ``inputs``."""
    op = code[at].op
    if op is Op.WAIT:
        return [DRAIN] * _drains(code, at + 1, found)
    gap = max(found.get(at, 0), at in inputs)
    if op in (Op.SWEEP, Op.IN) and gap:
        return [encode(Op.WAIT, gap=gap, input=at in inputs) if gap <= MOST else DRAIN]
    behind_sweeps = at > 0 and code[at - 1].op in (Op.SWEEP, Op.NEXT)
    waits = MOVES | {Op.SEPARATE, Op.EXIT, Op.NEXT, Op.BREAK}
    return [DRAIN] * (behind_sweeps and op in waits and _drains(code, at, found))


def _drains(code: Sequence[Instruction], address: int, found: Mapping[int, int]) -> bool:
    """Whether every way on from an address drains before the next sweep."""
    around = tuple(at + 1 for at, i in enumerate(code[:address]) if i.op is Op.LOOP and i.fields["end"] > address)
    waiting: list[tuple[int, Loops]] = [(address, around)]
    seen = set(waiting)
    while waiting:
        at, loops = waiting.pop()
        if at >= len(code) or code[at].op is Op.SWEEP:
            return False
        drains = code[at].op in DRAINS and not 0 < found.get(at, 0) <= MOST
        new = set() if drains else set(successors(at, code[at], loops)) - seen
        seen |= new
        waiting += new
    return True


def _moved(word: int, places: Sequence[int]) -> int:
    """An instruction with the new place of the address that it names."""
    instruction = decode(word)
    if "end" not in instruction.fields:
        return word
    return encode(instruction.op, **(instruction.fields | {"end": places[instruction.fields["end"]]}))
