"""How often every instruction of an entry leaves the sequencer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hebbar.contract.isa import LOOP_REGISTERS, Instruction, Op, decode

from .control_flow import executed, iterations, leaves
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
        times = _multiplicities(program, entry, registers)
    yield from zip(code, times, strict=True)


def most_executions(program: Program, entry: str) -> Iterator[tuple[int, Instruction, int]]:
    """Address, instruction and executions in one sample of which no EXIT leaves a loop."""
    code = _code(program, entry)
    for i, times in enumerate(_multiplicities(program, entry, (1, *[0] * (LOOP_REGISTERS - 1)))):
        yield program.entries[entry] + i, code[i], times


def _code(program: Program, entry: str) -> list[Instruction]:
    """The instructions of an entry, HALT the last."""
    code = [decode(word) for word in program.words[program.entries[entry]:]]
    return code[:next(i for i, c in enumerate(code) if c.op is Op.HALT) + 1]


def _multiplicities(program: Program, entry: str, registers: Sequence[int]) -> list[int]:
    """How often every instruction of an entry without EXITs that leave is executed, HALT the last."""
    code = [decode(word) for word in program.words]
    found = _Flow(code, registers, Counter())
    start = program.entries[entry]
    found.arrive(start, 0, 1)
    return [found.times[start + i] for i in range(len(_code(program, entry)))]


@dataclass(frozen=True)
class _Flow:
    """How often instructions are arrived at. Rounds of a loop that go all the way to its NEXT are alike, so each loop
    is gone through once for all of them and once for what the last one does."""

    code: Sequence[Instruction]
    registers: Sequence[int]
    times: Counter[int]

    def arrive(self, at: int, left: int, times: int) -> tuple[int, int]:
        """Arrive so many ``times`` at an address with ``left`` rounds of the loop around it, and go on up to its NEXT,
        to where it is left, or to the HALT: the address there or behind it, and the rounds left, zero behind a loop."""
        while True:
            instruction = self.code[at]
            self.times[at] += times
            if instruction.op is Op.HALT:
                return at, 0
            if instruction.op is Op.NEXT:
                return at + 1, left - 1
            if instruction.op is Op.BREAK:
                if instruction.fields["always"] or left == 1:
                    return instruction.fields["end"], 0
                left -= instruction.fields["counts"]
            at = self._loop(at, times) if instruction.op is Op.LOOP else at + 1

    def _loop(self, at: int, times: int) -> int:
        """Go through all rounds of the loop at an address; where the program goes on behind them."""
        rounds = iterations(at, self.code[at], self.registers)
        if not rounds:
            return self.code[at].fields["end"]
        _, left = self.arrive(at + 1, rounds, 0)
        whole = (rounds - 1) // (rounds - left) if left else 0  # passages that take as many rounds as the first
        self.arrive(at + 1, rounds, times * whole)
        return self.arrive(at + 1, rounds - whole * (rounds - left), times)[0]
