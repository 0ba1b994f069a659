"""The analog macro: the digital control of an analog crossbar, whose physics is behind its pins."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.analog import GAIN_FRAC
from hebbar.cycles import AnalogTiming
from hebbar.isa import Sweep
from hebbar.machine import MachineConfig
from hebbar.pins import Phase as Pin
from hebbar.pins import activity_drive_bits, column_bits, error_drive_bits, pins, row_bits

from .array_macro import LATER, ArrayMacro, Phase
from .cell_access import CellAccess
from .fields import asks
from .fixed import named
from .line_drivers import LineDrivers
from .successive import Successive
from .tile import Shapes, TileSignature

__all__ = ["AnalogMacro", "PINS", "macro_ports"]

PINS = "macro_"
"""What the ports at the pins begin with."""


def macro_ports(machine: MachineConfig) -> dict[str, wiring.Member]:
    """The pins as ports of the control, none where there is no analog macro."""
    if machine.tile != "analog":
        return {}
    return {PINS + n: In(w) if n == "compare" else Out(w) for n, w in pins(machine).items()}


class _Lines(wiring.Component):
    """The registers of the lines and the strobes of the work, as the control of an array expects them."""

    def __init__(self, machine: MachineConfig, drivers: LineDrivers) -> None:
        self.groups = machine.weight_words // machine.array_stride
        super().__init__({"fire": In(1), "feed": In(1), "learn": In(1), "block": In(self.groups),
                          "columns": In(drivers.columns.shape()), "errors": In(drivers.errors.shape()),
                          "saturated": Out(20)})

    def elaborate(self, platform):
        return Module()


class AnalogMacro(ArrayMacro):
    """FWD, TRN and UPD of a whole block through drivers, held lines and P + C converters that are shared.

    The phases of ``hw.array_macro``, but inputs are driven bit by bit, a row group is converted in as many cycles
    as the converters have bits and one more, a column word likewise, and an update takes pulses. Row converter p
    serves row p of every row group, column converter i lane i of every word. Clipped weights are not counted: the
    macro does not tell.
    Cycles: ``hebbar.cycles.AnalogTiming``.

    Ports: see TileSignature; the pins of ``hebbar.pins`` as ``macro_*``. They depend on registers alone;
    ``compare`` has to answer in the same cycle.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shapes = machine, Shapes(machine)
        self.timing = AnalogTiming(machine)
        wiring.Component.__init__(self, {**TileSignature(machine).members, **macro_ports(machine)})

    def elaborate(self, platform):
        m, machine = Module(), self.machine
        m.submodules.drivers = self._drivers = drivers = LineDrivers(machine)
        m.submodules.lines = self._array = _Lines(machine, drivers)
        m.submodules.cells = self._cells = CellAccess(machine)
        m.submodules.row_search = self._rows = Successive(machine.row_tiles, row_bits(machine))
        m.submodules.column_search = self._words = Successive(machine.lanes, column_bits(machine))
        wiring.connect(m, wiring.flipped(self.host), self._cells.host)
        m.d.comb += [drivers.columns.eq(self._array.columns), drivers.errors.eq(self._array.errors)]
        self._word_sums = Signal(self.shapes.backs)
        m.d.comb += [self._word_sums[i].eq(s) for i, s in enumerate(self._calibrated("column", self._words))]
        self._control(m)
        self._slowest(m)
        self._search(m, self._rows, "convert", asks(self._flags, Sweep.FWD))
        self._search(m, self._words, "back", Const(1))
        self._pins(m)
        return m

    def phases(self) -> list[Phase]:
        command, control, t = self._command, self.machine.analog.control, self.timing
        fwd, trn, upd = (asks(self._flags, f) for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD))
        update = [Phase("up", upd, control.pulses), Phase("down", upd, control.pulses)] \
            if control.update == "stochastic" else [Phase("serial", upd, error_drive_bits(self.machine))]
        return [Phase("load", Const(1), command.columns + t.load_latency),
                Phase("columns", fwd, activity_drive_bits(self.machine), control.bit_cycles), Phase("fire", fwd, 1),
                Phase("convert", Const(1), command.groups, Mux(fwd, row_bits(self.machine) + 1, 1)),
                Phase("settle", asks(self._flags, LATER), t.settle),
                Phase("rows", trn, error_drive_bits(self.machine), control.bit_cycles), Phase("feed", trn, 1),
                Phase("back", trn, command.columns, column_bits(self.machine) + 1), *update, Phase("learn", upd, 1)]

    def _slowest(self, m: Module) -> None:
        """The smallest rate of the plastic columns, 31 where there are none."""
        rates = [named(m, Mux(c.entry.plastic, c.rate, 31), "plastic_rate") for c in self._array.columns]
        while len(rates) > 1:
            pairs = [named(m, Mux(a < b, a, b), "slower") for a, b in zip(rates[::2], rates[1::2])]
            rates = pairs + rates[len(pairs) * 2:]
        m.d.comb += self._drivers.slowest.eq(rates[0])

    def _search(self, m: Module, search: Successive, phase: str, asked: Value) -> None:
        """All bits of a step, then one cycle in which the codes are taken and the search starts anew."""
        m.d.comb += [search.bit.eq(search.bits - 1 - self._tick),
                     search.search.eq(self._in[phase] & asked & ~self._ends[phase]),
                     search.start.eq(~self._in[phase] | self._ends[phase]),
                     search.above.eq(self.macro_compare)]

    def _converted(self, m: Module, group: Value) -> None:
        m.d.sync += [self.sums[p].eq(s) for p, s in enumerate(self._calibrated("row", self._rows))]

    def _calibrated(self, side: str, search: Successive) -> list[Value]:
        """What the codes mean: ``(code << step) - offset`` times the gain, rounded half up."""
        control, codes = self.machine.analog.control, list(search.codes)
        codes = [code << getattr(control, f"{side}_step") for code in codes]
        if not control.calibrated(side):
            return codes
        half = 1 << GAIN_FRAC - 1
        return [((code - offset) * gain + half) >> GAIN_FRAC
                for code, (offset, gain) in zip(codes, control.calibration(side, len(codes)))]

    def _backs(self, column: int) -> Value:
        return self._word_sums

    def _pins(self, m: Module) -> None:
        """What the macro does in this cycle."""
        phase = Signal(4)
        strobe = Signal()
        busy = self._cells.busy
        learn = Pin.FINISH if self.machine.analog.control.update == "stochastic" else Pin.APPLY
        meaning = {"columns": Pin.COLUMNS, "fire": Pin.HOLD_ROWS, "rows": Pin.ROWS, "feed": Pin.HOLD_COLUMNS,
                   "serial": Pin.STEP, "up": Pin.UP, "down": Pin.DOWN, "learn": learn}
        for name, pin in meaning.items():
            if name in self._in:
                with m.If(self._in[name]):
                    m.d.comb += [phase.eq(pin), strobe.eq(self._ends[name])]
        for search, pin in ((self._rows, Pin.COMPARE_ROWS), (self._words, Pin.COMPARE_COLUMNS)):
            with m.If(search.search):
                m.d.comb += [phase.eq(pin), strobe.eq(1), self.macro_dac.eq(search.dac)]
        line = Mux(self._in["back"], self._first_column, self._first_row) + self._step
        drivers, cells = self._drivers, self._cells
        m.d.comb += [
            drivers.phase.eq(phase), drivers.bit.eq(self._step), cells.above.eq(self.macro_compare),
            self.macro_phase.eq(Mux(busy, cells.phase, phase)), self.macro_strobe.eq(Mux(busy, cells.strobe, strobe)),
            self.macro_line.eq(line), self.macro_row_drive.eq(drivers.row_drive),
            self.macro_column_drive.eq(drivers.column_drive), self.macro_amplitude.eq(drivers.amplitude),
            self.macro_rate.eq(drivers.rate), self.macro_enable.eq(drivers.enable), self.macro_cell.eq(cells.cell),
            self.macro_cell_mask.eq(cells.mask), self.macro_cell_code.eq(cells.code)]
        with m.If(busy):
            m.d.comb += self.macro_dac.eq(cells.dac)

    @staticmethod
    def public(machine: MachineConfig, module: str) -> list[str]:
        """Nothing: the weights are in the macro."""
        return []
