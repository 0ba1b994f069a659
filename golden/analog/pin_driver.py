"""The macro at its pins: what the control drives, cycle by cycle, becomes calls of the crossbar."""

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem
from hebbar.contract.pins import MacroOp, cell_lanes, column_bits, row_bits

from ..fixed import Ints
from .array import AnalogArray
from .converters import LineConverters

__all__ = ["PinDriver"]


def _bits(value: int, count: int) -> NDArray[np.uint8]:
    """The ``count`` lowest bits, the least first."""
    return np.unpackbits(np.frombuffer(value.to_bytes((count + 7) // 8, "little"), np.uint8), count=count,
                         bitorder="little")


def _fields(value: int, count: int, width: int, signed: bool = False) -> Ints:
    """``count`` numbers of ``width`` bits side by side."""
    numbers = _bits(value, count * width).reshape(count, width).astype(np.int64) @ (1 << np.arange(width))
    return numbers - ((numbers >> width - 1) << width) if signed else numbers


class PinDriver:
    """Lines driven bit by bit and pulses are collected until a phase asks for what they mean.

    ``cycle`` is called once in every cycle whose strobe is high and returns ``compare``, bit i of converter i.
    """

    def __init__(self, machine: MachineConfig, array: AnalogArray, rows: LineConverters,
                 columns: LineConverters) -> None:
        self._machine, self._array, self._rows, self._columns = machine, array, rows, columns
        self._drives = {"row": np.zeros(machine.array_rows, np.int64),
                        "column": np.zeros(machine.array_columns, np.int64)}
        self._bit = 0
        self._held: dict[str, NDArray[np.float64]] = {}
        self._cells: tuple[Ints, Ints] = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._clear_pulses()

    def _clear_pulses(self) -> None:
        m = self._machine
        self._words = {phase: [np.zeros(n, np.uint32) for n in (m.array_rows,) * 2 + (m.array_columns,) * 2]
                       for phase in (MacroOp.UP, MacroOp.DOWN)}
        self._counts = dict.fromkeys(self._words, 0)

    def cycle(self, phase: MacroOp, line: int, row_drive: int, column_drive: int, amplitude: int, rate: int,
              enable: int, dac: int, cell: int, cell_mask: int, cell_code: int) -> int:
        """What the macro does in ``phase``; the pins as numbers (``hebbar.contract.pins``)."""
        match phase:
            case MacroOp.COLUMNS:
                self._drive("column", column_drive)
            case MacroOp.ROWS | MacroOp.STEP:
                self._drive("row", row_drive)
            case MacroOp.HOLD_ROWS:
                self._held["rows"] = self._rows.held(self._array.forward(self._taken("column")))
            case MacroOp.HOLD_COLUMNS:
                self._held["columns"] = self._columns.held(self._array.transposed(self._taken("row")))
            case MacroOp.COMPARE_ROWS:
                return self._compare("rows", self._rows, line, row_bits(self._machine), dac)
            case MacroOp.COMPARE_COLUMNS:
                return self._compare("columns", self._columns, line, column_bits(self._machine), dac)
            case MacroOp.APPLY:
                self._apply(amplitude, rate, enable)
            case MacroOp.UP | MacroOp.DOWN:
                self._fire(phase, row_drive, column_drive)
            case MacroOp.FINISH:
                self._array.pulses(*self._words[MacroOp.UP], *self._words[MacroOp.DOWN])
                self._clear_pulses()
            case MacroOp.WRITE | MacroOp.HOLD_CELLS | MacroOp.COMPARE_CELLS:
                return self._single(phase, cell, cell_mask, cell_code, dac)
        return 0

    def _wires(self, drive: int, lines: int) -> tuple[Ints, Ints]:
        """The positive and the negative wires of all lines."""
        both = _bits(drive, 2 * lines).reshape(lines, 2).astype(np.int64)
        return both[:, 0], both[:, 1]

    def _drive(self, side: str, drive: int) -> None:
        plus, minus = self._wires(drive, self._drives[side].size)
        self._drives[side] += (plus - minus) << self._bit
        self._bit += 1

    def _taken(self, side: str) -> Ints:
        driven, self._bit = self._drives[side], 0
        self._drives[side] = np.zeros_like(driven)
        return driven

    def _compare(self, side: str, converters: LineConverters, line: int, bits: int, dac: int) -> int:
        shared = converters.shared
        lines = line * shared + np.arange(shared)
        return _packed(converters.compare(self._held[side][lines], lines, _fields(dac, shared, bits, True)))

    def _apply(self, amplitude: int, rate: int, enable: int) -> None:
        m = self._machine
        words, lanes = m.array_stride, m.lanes
        activity = _fields(amplitude, m.array_columns, m.activity_bits, True)
        rates, enables = (np.repeat(x, lanes) for x in (_fields(rate, words, 5), _fields(enable, words, 1)))
        self._array.step(self._taken("row"), activity, rates, enables)

    def _fire(self, phase: MacroOp, row_drive: int, column_drive: int) -> None:
        m, k = self._machine, np.uint32(self._counts[phase])
        fired = *self._wires(row_drive, m.array_rows), *self._wires(column_drive, m.array_columns)
        for words, now in zip(self._words[phase], fired):
            words |= now.astype(np.uint32) << k
        self._counts[phase] += 1

    def _single(self, phase: MacroOp, cell: int, mask: int, code: int, dac: int) -> int:
        m, count = self._machine, cell_lanes(self._machine)
        if phase == MacroOp.COMPARE_CELLS:
            return _packed(self._held["cells"] >= _fields(dac, count, m.weight_bits, True) - 0.5)
        port = ports(m)[Mem.WEIGHT]
        word, sub = divmod(cell, port.beats_per_word)
        (group, column), (tile, lane) = divmod(word, m.array_stride), divmod(sub * count + np.arange(count), m.lanes)
        rows, columns = group * m.row_tiles + tile, column * m.lanes + lane
        if phase == MacroOp.HOLD_CELLS:
            self._held["cells"] = self._array.cells.read(rows, columns)
        else:
            on = _bits(mask, count).astype(bool)
            self._array.write(rows[on], columns[on], _fields(code, count, m.weight_bits, True)[on])
        return 0


def _packed(answers: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(answers, bitorder="little").tobytes(), "little")
