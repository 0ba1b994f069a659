"""How often every instruction of an entry leaves the sequencer."""

from collections import Counter
from collections.abc import Iterator

from hebbar.compiler import Program
from hebbar.errors import BadInput
from hebbar.isa import Instruction, Op, decode

__all__ = ["executions"]


def executions(program: Program, entry: str, samples: int,
               exits: tuple[bool, ...] = ()) -> Iterator[tuple[Instruction, int]]:
    """Every instruction of an entry with the number of times it is executed, by the loops around it; where an
    EXIT can leave one, by following the program.

    ``exits``: for every EXIT with arm 0 that is executed, in their order, whether it leaves. Raises BadInput
    unless there is one for each.
    """
    start = program.entries[entry]
    code = [decode(word) for word in program.words[start:]]
    code = code[:next(i for i, c in enumerate(code) if c.op is Op.HALT) + 1]
    if exits or any(c.op is Op.EXIT and not c.fields["arm"] for c in code):
        times = _Walk(code, start, samples, exits).times()
    else:
        times = _multiplicities(code, samples)
    yield from ((instruction, times[i]) for i, instruction in enumerate(code))


def _multiplicities(code: list[Instruction], samples: int) -> list[int]:
    """Of code without EXITs that leave."""
    times, found = [1], []
    for instruction in code:
        found.append(times[-1])
        if instruction.op is Op.LOOP:
            times.append(times[-1] * _count(instruction, samples))
        elif instruction.op is Op.NEXT:
            times.pop()
    return found


def _count(loop: Instruction, samples: int) -> int:
    return samples if loop.fields["register"] == 1 else loop.fields["count"]


class _Walk:
    """Follows code that begins at address ``start``, one instruction after the other."""

    def __init__(self, code: list[Instruction], start: int, samples: int, exits: tuple[bool, ...]) -> None:
        self._code, self._start, self._samples = code, start, samples
        self._exits, self._loops = iter(exits), list[list[int]]()

    def times(self) -> Counter[int]:
        """Executions by number of the instruction."""
        at, found = 0, Counter[int]()
        while True:
            found[at] += 1
            if self._code[at].op is Op.HALT:
                break
            at = self._next(at)
        if next(self._exits, None) is not None:
            raise BadInput("the program halts before its last exit; give one for each EXIT that is executed.")
        return found

    def _next(self, at: int) -> int:
        instruction = self._code[at]
        if instruction.op is Op.LOOP:
            count = _count(instruction, self._samples)
            if not count:
                return instruction.fields["end"] - self._start
            self._loops.append([at + 1, count])
        elif instruction.op is Op.NEXT:
            self._loops[-1][1] -= 1
            if self._loops[-1][1]:
                return self._loops[-1][0]
            self._loops.pop()
        elif instruction.op is Op.EXIT and not instruction.fields["arm"] and self._leaves(at):
            self._loops.pop()
            return instruction.fields["end"] - self._start
        return at + 1

    def _leaves(self, at: int) -> bool:
        leaves = next(self._exits, None)
        if leaves is None:
            raise BadInput(f"address {at + self._start}: no exit is given for this EXIT; give the decisions of the "
                           "golden machine's trace.")
        return leaves
