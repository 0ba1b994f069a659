"""Whether an EXIT can leave its loop without changing what else a program does.

Where it leaves depends on the data. The compiled machine has to know beforehand that a run reaches its
end and how much it streams, so that EXITs leave loops of whole instructions, and without transfers.
"""

from dataclasses import dataclass, field

from hebbar.compiler.control_flow import leaves
from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, Instruction, Op, decode

__all__ = ["check_exits"]


@dataclass
class _Loop:
    """A loop and what is in it: EXITs and BREAKs that leave it by their address, transfers at any depth. ``around``:
    first addresses of the loops around it."""

    start: int
    end: int
    around: tuple[int, ...]
    exits: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    moves: bool = False


def check_exits(program: Program) -> None:
    """Raise BadInput where what an EXIT decides could change more than how often a loop runs."""
    code = [decode(word) for word in program.words]
    if not any(leaves(i) for i in code):
        return
    loops: list[_Loop] = []
    opened: list[tuple[int, ...]] = []
    landings: list[tuple[int, int, tuple[int, ...]]] = []
    for address, instruction in enumerate(code):
        opened.append(tuple(loop.start for loop in loops))
        if loops and instruction.op is Op.BREAK:
            landings.append((address, instruction.fields["end"], loops[-1].around))
        if loops and address in program.entries.values():
            raise BadInput(f"address {address} is an entry within a loop of a program with EXIT; use the NumPy "
                           "machine.")
        if why := _follow(code, address, loops):
            raise BadInput(f"address {address}: {instruction} {why} in a program with EXIT; use the NumPy machine.")
    if loops:
        raise BadInput(f"address {loops[-1].start}: a LOOP has no NEXT in a program with EXIT; use the NumPy machine.")
    for address, end, around in landings:
        if end >= len(code) or opened[end] != around:
            raise BadInput(f"address {address}: {code[address]} leaves more than its loop in a program with EXIT; use "
                           "the NumPy machine.")


def _follow(code: list[Instruction], address: int, loops: list[_Loop]) -> str:
    """Enter or leave ``loops`` at an instruction; what is wrong with it, or an empty string."""
    op, fields = code[address].op, code[address].fields
    if op is Op.LOOP:
        loops.append(_Loop(address, fields["end"], tuple(loop.start for loop in loops)))
        return f"is nested deeper than {LOOP_DEPTH}" if len(loops) > LOOP_DEPTH else ""
    if op is Op.HALT and loops:
        return "stands in a loop"
    if op in (Op.IN, Op.OUT):
        for loop in loops:
            loop.moves = True
    if leaves(code[address]) or op is Op.BREAK:
        if not loops:
            return "leaves no loop"
        (loops[-1].breaks if op is Op.BREAK else loops[-1].exits).append(fields["end"])
    return _close(address, loops) if op is Op.NEXT else ""


def _close(address: int, loops: list[_Loop]) -> str:
    """Why a NEXT cannot run compiled, or an empty string."""
    if not loops:
        return "closes no loop"
    loop = loops.pop()
    if {loop.end, *loop.exits} != {address + 1} or min(loop.breaks, default=loop.end) < loop.end:
        return f"closes a loop whose LOOP, EXIT or BREAK does not lead to address {address + 1}"
    return "closes a loop with transfers and an EXIT that leaves it" if loop.exits and loop.moves else ""
