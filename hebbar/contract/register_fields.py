"""What the bits of every register mean, in the words that the register map, its manuals and the reference show."""

from enum import IntFlag

from .isa import Field
from .registers import REGISTERS, Built, Cause, Control, Status
from .tiles import TILES

__all__ = ["BUILT", "CAUSES", "CONTROL", "CODES", "STATUS", "fields"]

CONTROL = {
    Control.START: "starts the program at ENTRY",
    Control.STOP: "aborts what runs; input is discarded until CLEAR",
    Control.CLEAR: "ends an abort: START is taken again",
    Control.LATCH: "copies all counters at once into what is read of them",
}
STATUS = {
    Status.RUNNING: "a program runs",
    Status.STREAMING: "a packet or a transfer of the program moves",
    Status.FAULT: "the halt is a fault, which CAUSE names",
    Status.ABORTED: "halted by STOP or a fault: input is discarded and START refused until CLEAR",
}
BUILT = {
    Built.COUNTERS: "counters and LATCH; without them they answer SLVERR",
    Built.SEPARATION: "the unit that SEPARATE needs",
    Built.ENERGY: "the sum that EXIT needs",
    Built.UPDATES: "UPD; without it a SWEEP with UPD is illegal",
    Built.SHARED: "UPD shares TRN's multipliers: a SWEEP with both is illegal",
}
CAUSES = {
    Cause.NONE: "runs, or has not run since the reset or CLEAR",
    Cause.DONE: "HALT",
    Cause.STOPPED: "STOP",
    Cause.ILLEGAL_OP: "an opcode that no instruction has, or whose unit was not built",
    Cause.ILLEGAL_SWEEP: "SWEEP with flags that exclude each other or were not built, SEPARATE to no destination",
    Cause.ILLEGAL_BLOCK: "a block that there is not, or that is larger than memories and units",
    Cause.LOOP: "loops nested too deep, a LOOP register that there is not, NEXT or a leaving EXIT without a loop",
    Cause.ADDRESS: "the program runs on behind the end of its memory",
    Cause.STREAM: "TLAST where it does not belong, or input that HALT finds left over",
    Cause.RANGE: "a packet, an IN or an OUT of a memory or of words that there are not",
    Cause.WATCHDOG: "no progress for WATCHDOG cycles",
}
_FLAGS: dict[str, dict[Control, str] | dict[Status, str]] = {"control": CONTROL, "status": STATUS}


def fields(name: str) -> dict[str, Field]:
    """The fields of a register by name; one of the name ``value`` where it is a number."""
    if name in _FLAGS:
        return {bit.name or "": _bit(bit, meaning) for bit, meaning in _FLAGS[name].items()}
    if name == "version":
        return {"minor": Field(0, 8, "counts what was added"), "major": Field(8, 24, "counts what was changed")}
    if name == "geometry":
        return {"lanes": Field(0, 8, "lanes C of a row tile"), "row_tiles": Field(8, 8, "row tiles P"),
                "tile": Field(16, 8, "what computes with the weights")} | {
                    bit.name or "": _bit(bit, meaning, 24) for bit, meaning in BUILT.items()}
    return {"value": Field(0, REGISTERS[name].bits, REGISTERS[name].meaning)}


def _bit(bit: IntFlag, meaning: str, first: int = 0) -> Field:
    return Field(first + bit.bit_length() - 1, 1, meaning)


CODES: dict[tuple[str, str], dict[str, tuple[int, str]]] = {
    ("cause", "value"): {cause.name: (int(cause), meaning) for cause, meaning in CAUSES.items()},
    ("geometry", "tile"): {name.upper(): (kind.code, kind.meaning) for name, kind in TILES.items()},
}
"""Numbers that stand for something, by register and field: their names and meanings."""
