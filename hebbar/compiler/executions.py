"""How often every instruction of an entry leaves the sequencer."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hebbar.contract.isa import LOOP_REGISTERS, Instruction, Op, decode

from .control_flow import executed, leaves
from .program import Program

__all__ = ["executions", "most_executions"]


def executions(program: Program, entry: str, samples: int,
               exits: tuple[bool, ...] = ()) -> Iterator[tuple[Instruction, int]]:
    """Every instruction of an entry with the number of times it is executed, by the loops around it; where an
    EXIT can leave one, by following the program.

    ``exits``: for every EXIT with arm 0 that is executed, in their order, whether it leaves. Raises BadInput
    unless there is one for each. LOOP registers other than the first, which holds ``samples``, are zero.
    """
    start, registers = program.entries[entry], (samples, *[0] * (LOOP_REGISTERS - 1))
    code = _code(program, entry)
    if exits or any(leaves(c) for c in code):
        whole = [decode(word) for word in program.words]
        counted = Counter(at - start for at, _ in executed(whole, start, registers, exits))
        times = [counted[i] for i in range(len(code))]
    else:
        times = _multiplicities(code, registers)
    yield from zip(code, times, strict=True)


def most_executions(program: Program, entry: str) -> Iterator[tuple[int, Instruction, int]]:
    """Address, instruction and executions in one sample of which no EXIT leaves a loop."""
    code = _code(program, entry)
    for i, times in enumerate(_multiplicities(code, (1, *[0] * (LOOP_REGISTERS - 1)))):
        yield program.entries[entry] + i, code[i], times


def _code(program: Program, entry: str) -> list[Instruction]:
    """The instructions of an entry, HALT the last."""
    code = [decode(word) for word in program.words[program.entries[entry]:]]
    return code[:next(i for i, c in enumerate(code) if c.op is Op.HALT) + 1]


def _multiplicities(code: list[Instruction], registers: Sequence[int]) -> list[int]:
    """How often every address of code without EXITs that leave is executed."""
    times, entered, found = [1], [0], []
    for at, instruction in enumerate(code):
        found.append(times[-1])
        if instruction.op is Op.LOOP:
            rounds, once = _count(instruction, registers), _once(code, at)
            entered.append(0 if once and rounds > 1 else times[-1])  # the first round is then not the last
            times.append(times[-1] * (min(rounds, 1) if once else rounds))
        elif instruction.op is Op.NEXT:
            times.pop()
            entered.pop()
        elif instruction.op is Op.BREAK:  # what stands behind it is left out in the last round
            times[-1] = 0 if instruction.fields["always"] else max(times[-1] - entered[-1], 0)
            entered[-1] = 0
    return found


def _once(code: list[Instruction], loop: int) -> bool:
    """Whether a BREAK ends every round of the loop at an address, so that it has one at most."""
    depth = 0
    for instruction in code[loop + 1:]:
        depth += (instruction.op is Op.LOOP) - (instruction.op is Op.NEXT)
        if depth < 0 or (not depth and instruction.op is Op.BREAK and instruction.fields["always"]):
            return depth == 0
    return False


def _count(loop: Instruction, registers: Sequence[int]) -> int:
    register = loop.fields["register"]
    return registers[register - 1] if register else loop.fields["count"]
