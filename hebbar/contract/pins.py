"""The pins between the digital control and the analog macro: what a phase means, which wires there are.

A cycle counts for the macro when ``strobe`` is high. Lines are driven bit by bit in sign and magnitude, the least
bit first: wire 2 i of a drive is the positive, wire 2 i + 1 the negative side of line i.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

from .geometry import ports
from .memories import Mem

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["MacroOp", "pins", "no_pins", "row_bits", "column_bits", "activity_drive_bits", "error_drive_bits",
           "cell_lanes"]


class MacroOp(IntEnum):
    """What the macro does in a cycle.

    FWD: COLUMNS for every bit of the activities, HOLD_ROWS, then COMPARE_ROWS as the converters search. TRN the
    same from the other side. UPD: deterministic, STEP for every bit of the errors, then APPLY; stochastic, UP and
    DOWN for every pulse, then FINISH: in UP meet lines of equal sign and add, in DOWN lines of opposite sign and
    subtract. Cells: WRITE targets, HOLD_CELLS, COMPARE_CELLS.
    """

    IDLE = 0
    COLUMNS = 1
    HOLD_ROWS = 2
    COMPARE_ROWS = 3
    ROWS = 4
    HOLD_COLUMNS = 5
    COMPARE_COLUMNS = 6
    STEP = 7
    APPLY = 8
    UP = 9
    DOWN = 10
    FINISH = 11
    WRITE = 12
    HOLD_CELLS = 13
    COMPARE_CELLS = 14


def row_bits(machine: "MachineConfig") -> int:
    """Resolution of the converters of FWD."""
    return machine.analog.control.row_bits or machine.row_sum_bits


def column_bits(machine: "MachineConfig") -> int:
    """Resolution of the converters of TRN."""
    return machine.analog.control.column_bits or machine.feedback_sum_bits


def activity_drive_bits(machine: "MachineConfig") -> int:
    """Bits of a driven activity: the magnitude of the least code, and its left shift."""
    return machine.activity_bits + machine.analog.control.align


def error_drive_bits(machine: "MachineConfig") -> int:
    """Bits of a driven error."""
    return machine.error_bits


def cell_lanes(machine: "MachineConfig") -> int:
    """Cells that are written and read at a time, those of a beat."""
    return ports(machine)[Mem.WEIGHT].lanes_per_beat


def pins(machine: "MachineConfig") -> dict[str, int]:
    """Wires by name with their widths; all but ``compare`` go to the macro.

    Pins
    ----
    phase : Signal(4), out
        What the macro does in this cycle, a MacroOp.
    strobe : Signal(1), out
        The cycle counts.
    line : Signal(20), out
        The row group or the column word that is compared.
    row_drive : Signal(2 * machine.array_rows), out
        Two wires a word line, positive and negative side.
    column_drive : Signal(2 * machine.array_columns), out
        Two wires a bit line.
    amplitude : Signal(machine.array_columns * machine.activity_bits), out
        The signed activity of every bit line in STEP and APPLY.
    rate : Signal(5 * machine.array_stride), out
        The shift of the update of every column word.
    enable : Signal(machine.array_stride), out
        Whether it has an update.
    dac : Signal(max(P * row_bits(machine), C * column_bits(machine), cell_lanes(machine) * machine.weight_bits)), out
        Signed codes, side by side, of P row, C column or cell converters.
    cell : Signal(24), out
        Number of the beat in the weight memory.
    cell_mask : Signal(cell_lanes(machine)), out
        Which of its cells are written.
    cell_code : Signal(cell_lanes(machine) * machine.weight_bits), out
        Their signed targets.
    compare : Signal(max(P, C, cell_lanes(machine))), in
        The line or cell of a converter is not below its code; the answer comes in the same cycle.
    """
    tiles, lanes, words, cells = machine.row_tiles, machine.lanes, machine.array_stride, cell_lanes(machine)
    compared = max(tiles, lanes, cells)
    return {
        "phase": 4, "strobe": 1, "line": 20, "row_drive": 2 * machine.array_rows,
        "column_drive": 2 * machine.array_columns, "amplitude": machine.array_columns * machine.activity_bits,
        "rate": 5 * words, "enable": words,
        "dac": max(tiles * row_bits(machine), lanes * column_bits(machine), cells * machine.weight_bits),
        "cell": 24, "cell_mask": cells, "cell_code": cells * machine.weight_bits, "compare": compared}


def no_pins(machine: "MachineConfig") -> dict[str, int]:
    """The wires of a tile without a macro: none."""
    return {}
