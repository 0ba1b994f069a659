"""How often every instruction of an entry leaves the sequencer."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hebbar.compiler import Program
from hebbar.control_flow import executed, leaves
from hebbar.isa import LOOP_REGISTERS, Instruction, Op, decode

__all__ = ["executions"]


def executions(program: Program, entry: str, samples: int,
               exits: tuple[bool, ...] = ()) -> Iterator[tuple[Instruction, int]]:
    """Every instruction of an entry with the number of times it is executed, by the loops around it; where an
    EXIT can leave one, by following the program.

    ``exits``: for every EXIT with arm 0 that is executed, in their order, whether it leaves. Raises BadInput
    unless there is one for each. LOOP registers other than the first, which holds ``samples``, are zero.
    """
    start, registers = program.entries[entry], (samples, *[0] * (LOOP_REGISTERS - 1))
    whole = [decode(word) for word in program.words]
    code = whole[start:next(a for a in range(start, len(whole)) if whole[a].op is Op.HALT) + 1]
    if exits or any(leaves(c) for c in code):
        times = Counter(at - start for at, _ in executed(whole, start, registers, exits))
    else:
        times = _multiplicities(code, registers)
    yield from ((instruction, times[i]) for i, instruction in enumerate(code))


def _multiplicities(code: list[Instruction], registers: Sequence[int]) -> list[int]:
    """Of code without EXITs that leave."""
    times, found = [1], []
    for instruction in code:
        found.append(times[-1])
        if instruction.op is Op.LOOP:
            times.append(times[-1] * _count(instruction, registers))
        elif instruction.op is Op.NEXT:
            times.pop()
    return found


def _count(loop: Instruction, registers: Sequence[int]) -> int:
    register = loop.fields["register"]
    return registers[register - 1] if register else loop.fields["count"]
