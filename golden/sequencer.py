"""The sequencer: executes instruction words one after the other."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, Instruction, Into, Op, Sweep, decode, illegal_sweep

__all__ = ["Sequencer"]

OPTIONAL = {Op.SEPARATE: "the separation unit; set machine.separation to the size of its largest population",
            Op.EXIT: "the energy unit; set machine.energy to true"}
"""What an instruction needs that a machine may lack."""


@dataclass
class _Loop:
    start: int
    left: int


class Sequencer:
    """Yields ``(address, instruction)`` for everything that leaves the sequencer.

    LOOP, NEXT, EXIT, BREAK and WAITs with a gap, which change no value, are consumed here. ``registers`` are the LOOP
    registers, ``units`` the instructions whose optional unit the machine has; ``leave`` answers an EXIT, whose ``arm``
    it is given; ``integral``: the machine has the memory of integrals; ``updates``: ``machine.updates``. Raises
    BadInput for what the machine would halt on: an unknown opcode, one whose unit is missing, an illegal flag set or
    destination, NEXT without LOOP, leaving without LOOP, loops nested too deep, a LOOP register that does not exist, an
    address outside the program.
    """

    def __init__(self, words: tuple[int, ...], registers: Callable[[int], int], units: Collection[Op] = (),
                 leave: Callable[[bool], bool] = lambda arm: False, integral: bool = False,
                 updates: str = "own") -> None:
        self._code = [decode(w) for w in words]
        self._registers, self._units, self._leave = registers, units, leave
        self._integral, self._updates = integral, updates

    def run(self, entry: int) -> Iterator[tuple[int, Instruction]]:
        """Execute from ``entry`` up to and including HALT."""
        address = entry
        loops: list[_Loop] = []
        while True:
            if not 0 <= address < len(self._code):
                raise BadInput(f"the program runs on to address {address}; end it with HALT.")
            instruction = self._code[address]
            self._check(address, instruction)
            match instruction.op:
                case Op.LOOP:
                    address = self._enter(address, instruction.fields, loops)
                case Op.NEXT:
                    address = self._next(address, loops)
                case Op.EXIT:
                    address = self._exit(address, instruction.fields, loops)
                case Op.BREAK:
                    address = self._break(address, instruction.fields, loops)
                case Op.WAIT if not instruction.barrier:
                    address += 1
                case Op.HALT:
                    yield address, instruction
                    return
                case _:
                    yield address, instruction
                    address += 1

    def _check(self, address: int, instruction: Instruction) -> None:
        op, fields = instruction.op, instruction.fields
        if op in OPTIONAL and op not in self._units:
            raise BadInput(f"address {address}: {op.name} needs {OPTIONAL[op]}.")
        if op is Op.SWEEP and (why := illegal_sweep(Sweep(fields["flags"]), self._integral, self._updates)):
            raise BadInput(f"address {address}: {instruction} is illegal, {why}.")
        if op is Op.SEPARATE and fields["into"] not in list(Into):
            raise BadInput(f"address {address}: {instruction} is illegal, there is no destination {fields['into']}.")

    def _enter(self, address: int, fields: Mapping[str, int], loops: list[_Loop]) -> int:
        if len(loops) == LOOP_DEPTH:
            raise BadInput(f"address {address}: loops nested deeper than {LOOP_DEPTH}.")
        register = fields["register"]
        if register > LOOP_REGISTERS:
            raise BadInput(f"address {address}: LOOP register {register} does not exist, "
                           f"there are {LOOP_REGISTERS}.")
        count = self._registers(register - 1) if register else fields["count"]
        if not count:
            return fields["end"]
        loops.append(_Loop(address + 1, count))
        return address + 1

    def _next(self, address: int, loops: list[_Loop]) -> int:
        if not loops:
            raise BadInput(f"address {address}: NEXT without a LOOP.")
        loops[-1].left -= 1
        if loops[-1].left:
            return loops[-1].start
        loops.pop()
        return address + 1

    def _exit(self, address: int, fields: Mapping[str, int], loops: list[_Loop]) -> int:
        if not self._leave(bool(fields["arm"])):
            return address + 1
        return _left(address, Op.EXIT, fields, loops)

    def _break(self, address: int, fields: Mapping[str, int], loops: list[_Loop]) -> int:
        if loops and not fields["always"] and loops[-1].left > 1:
            loops[-1].left -= fields["counts"]
            return address + 1
        return _left(address, Op.BREAK, fields, loops)


def _left(address: int, op: Op, fields: Mapping[str, int], loops: list[_Loop]) -> int:
    """Where a program goes on when the innermost loop is left."""
    if not loops:
        raise BadInput(f"address {address}: {op.name} leaves no LOOP.")
    loops.pop()
    return fields["end"]
