"""The drivers of an analog macro: codes to bits on its lines, and to pulses for the stochastic update."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import MacroOp, activity_drive_bits, error_drive_bits
from hebbar.contract.pulses import PROBABILITY_BITS

from .fixed import named
from .pulses import Pulses
from .tile import Shapes

__all__ = ["LineDrivers"]


class LineDrivers(wiring.Component):
    """Registers of a column word and of a row group become wires of the macro, two a line.

    COLUMNS, ROWS, STEP: bit ``bit`` of the magnitudes, on the wire of the sign. UP and DOWN: a row fires with the
    probability ``|e| / 2**k``, a plastic column with ``|a| 2**(1 - activity bits) / 2**(rate - slowest)`` where
    ``slowest`` is the smallest rate of the plastic columns and ``k = slowest + exponent + 1 - activity bits``, so
    that the mean of all meetings is ``e a / 2**rate`` (Gokmen and Vlasov 2016); probabilities end at 1.
    ``slowest`` is 31 where nothing is plastic. Latency: none.

    Parameters
    ----------
    machine : MachineConfig
        Formats, the size of the array and its ``analog`` section.

    Attributes
    ----------
    phase : Signal(4), in
        What the macro does in this cycle (``hebbar.contract.pins.MacroOp``).
    bit : Signal(14), in
        The bit of the codes that is driven.
    slowest : Signal(5), in
        The smallest rate of the plastic columns.
    columns : Signal(Shapes.columns), in
        Activities, map entry and shift of the update of every column word.
    errors : Signal(Shapes.line_errors), in
        The errors of every row group.
    row_drive : Signal(2 * machine.array_rows), out
        Two wires a word line, positive and negative side.
    column_drive : Signal(2 * machine.array_columns), out
        Two wires a bit line.
    amplitude : Signal(machine.array_columns * machine.activity_bits), out
        The activity of every bit line in STEP and APPLY.
    rate : Signal(5 * machine.array_stride), out
        The shift of the update of every column word in STEP and APPLY.
    enable : Signal(machine.array_stride), out
        Whether it has an update.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s = machine, Shapes(machine)
        rows, words = machine.array_rows, machine.array_stride
        super().__init__({
            "phase": In(4), "bit": In(14), "slowest": In(5),
            "columns": In(s.columns), "errors": In(s.line_errors),
            "row_drive": Out(2 * rows), "column_drive": Out(2 * machine.array_columns),
            "amplitude": Out(machine.array_columns * machine.activity_bits), "rate": Out(5 * words),
            "enable": Out(words)})

    def elaborate(self, platform):
        m = Module()
        errors = [self.errors[g][p] for g in range(len(self.errors)) for p in range(self.machine.row_tiles)]
        activities = [(k, a) for k, column in enumerate(self.columns) for a in column.activity]
        aligned = []
        for i, (k, a) in enumerate(activities):
            aligned.append(Signal(signed(activity_drive_bits(self.machine) + 1), name=f"aligned_{i}"))
            m.d.comb += aligned[i].eq(a << self.columns[k].entry.shift)
        serial_rows = _serial(m, errors, self.bit, error_drive_bits(self.machine), "row")
        serial_columns = _serial(m, aligned, self.bit, activity_drive_bits(self.machine), "column")
        stochastic = self.machine.analog.control.update == "stochastic"
        fires = self._pulses(m, errors, activities) if stochastic else None
        with m.Switch(self.phase):
            with m.Case(MacroOp.COLUMNS):
                m.d.comb += self.column_drive.eq(serial_columns)
            with m.Case(MacroOp.ROWS):
                m.d.comb += self.row_drive.eq(serial_rows)
            with m.Case(MacroOp.STEP):
                m.d.comb += [self.row_drive.eq(serial_rows), self.amplitude.eq(Cat(a for _, a in activities))]
                m.d.comb += self._rates()
            with m.Case(MacroOp.APPLY):
                m.d.comb += [self.amplitude.eq(Cat(a for _, a in activities)), *self._rates()]
            if fires:
                with m.Case(MacroOp.UP, MacroOp.DOWN):
                    m.d.comb += [lines.draw.eq(1) for lines in (m.submodules.row_pulses, m.submodules.column_pulses)]
                    m.d.comb += [self.row_drive.eq(fires[0]), self.column_drive.eq(fires[1])]
        return m

    def _rates(self) -> list:
        return [self.rate.eq(Cat(column.rate for column in self.columns)),
                self.enable.eq(Cat(column.entry.plastic for column in self.columns))]

    def _pulses(self, m: Module, errors: list[Value], activities: list[tuple[int, Value]]) -> tuple[Value, Value]:
        """The lines that fire, rows and columns; the same for UP and DOWN: both drive the sign of the line, the macro
        knows which signs meet."""
        control, bits = self.machine.analog.control, self.machine.activity_bits
        m.submodules.row_pulses = rows = Pulses(len(errors), 0)
        m.submodules.column_pulses = columns = Pulses(len(activities), len(errors))
        wide = signed(8)
        shift = Signal(wide)
        exponent = control.pulse_exponent + 1 - bits
        m.d.comb += shift.eq(self.slowest + Const(exponent, wide))
        full = 1 << PROBABILITY_BITS
        up = named(m, (-shift)[:3], "pulse_shift_up")
        for i, e in enumerate(errors):
            size = named(m, _magnitude(e), f"error_size_{i}")
            probability = named(m, Mux(shift < 0, size << PROBABILITY_BITS << up,
                                           (size << PROBABILITY_BITS) >> shift[:6]), f"row_probability_{i}")
            m.d.comb += rows.probability[i].eq(Mux(probability > full, full, probability))
        for i, (k, a) in enumerate(activities):
            column = self.columns[k]
            probability = (_magnitude(a) << PROBABILITY_BITS + 1 - bits) >> (column.rate - self.slowest)[:5]
            m.d.comb += columns.probability[i].eq(Mux(column.entry.plastic, probability, 0))
        return _signed(list(rows.fires), errors), _signed(list(columns.fires), [a for _, a in activities])


def _magnitude(value: Value) -> Value:
    return Mux(value < 0, -value, value)[:len(value)]


def _signed(fires: list[Value], values: list[Value]) -> Value:
    """Two wires a line: fires with a positive value, fires with a negative one."""
    return Cat(Cat(f & (v >= 0), f & (v < 0)) for f, v in zip(fires, values))


def _serial(m: Module, values: list[Value], bit: Value, bits: int, name: str) -> Value:
    """Bit ``bit`` of every magnitude."""
    found = []
    for i, value in enumerate(values):
        magnitude = Signal(bits + 1, name=f"{name}_magnitude_{i}")
        m.d.comb += magnitude.eq(_magnitude(value))
        found.append((magnitude >> bit)[0])
    return _signed(found, values)
