"""The analog macro: the digital control of an analog crossbar, whose physics is behind its pins."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.analog import GAIN_FRAC, Side
from hebbar.contract.isa import OPERAND_FLAGS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import MacroOp, activity_drive_bits, column_bits, error_drive_bits, row_bits
from hebbar.contract.timing import AnalogTiming

from .cell_access import CellAccess
from .fields import asks
from .fixed import named
from .line_drivers import LineDrivers
from .phase_control import Lines, Phase, PhaseControl
from .sar_logic import SarLogic
from .tile import Shapes, TileSignature

__all__ = ["AnalogMacro", "PINS", "macro_ports"]

PINS = "macro_"
"""What the ports at the pins begin with."""


def macro_ports(machine: MachineConfig) -> dict[str, wiring.Member]:
    """The pins as ports of the control, none where there is no analog macro."""
    return {PINS + n: In(w) if n == "compare" else Out(w) for n, w in machine.kind.pins(machine).items()}


class AnalogMacro(wiring.Component):
    """FWD, TRN and UPD of a whole block through drivers, held lines and P + C converters that are shared.

    The phases of ``hw.array_macro``, under the same control, but inputs are driven bit by bit, a row group is
    converted in as many cycles as the converters have bits and one more, a column word likewise, and an update takes
    pulses. Row converter p
    serves row p of every row group, column converter i lane i of every word. Clipped weights are not counted: the
    macro does not tell.
    Cycles: ``hebbar.contract.timing.AnalogTiming``.

    All pins but ``macro_compare`` depend on registers alone, and that has to answer them in the same cycle.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes and the size of the array; its ``analog`` section has converters and pulses.

    Attributes
    ----------
    macro_* : see hebbar.contract.pins.pins
    * : see hw.tile.TileSignature
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shapes = machine, Shapes(machine)
        self.timing = AnalogTiming(machine)
        super().__init__({**TileSignature(machine).members, **macro_ports(machine)})

    def elaborate(self, platform):
        m, machine = Module(), self.machine
        m.submodules.drivers = self._drivers = drivers = LineDrivers(machine)
        m.submodules.cells = self._cells = CellAccess(machine)
        m.submodules.row_search = self._rows = SarLogic(machine.row_tiles, row_bits(machine))
        m.submodules.column_search = self._words = SarLogic(machine.lanes, column_bits(machine))
        wiring.connect(m, wiring.flipped(self.host), self._cells.host)
        lines = Lines(machine)
        self._phase = phase = PhaseControl(machine, self.timing, self, lines)
        m.d.comb += [drivers.columns.eq(lines.columns), drivers.errors.eq(lines.errors)]
        word_sums = Signal(self.shapes.backs)
        m.d.comb += [word_sums[i].eq(s) for i, s in enumerate(self._calibrated("column", self._words))]

        def take_sums(group: Value) -> None:
            m.d.sync += [phase.sums[p].eq(s) for p, s in enumerate(self._calibrated("row", self._rows))]

        phase.build(m, self._phases(), take_sums, [word_sums] * len(lines.columns))
        self._slowest(m, lines)
        self._search(m, self._rows, "convert", asks(phase.flags, Sweep.FWD))
        self._search(m, self._words, "back", Const(1))
        self._pins(m)
        return m

    def _phases(self) -> list[Phase]:
        command, flags, control, t = self._phase.command, self._phase.flags, self.machine.analog.control, self.timing
        fwd, trn, upd = (asks(flags, f) for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD))
        update = [Phase("up", upd, control.pulses), Phase("down", upd, control.pulses)] \
            if control.update == "stochastic" else [Phase("serial", upd, error_drive_bits(self.machine))]
        return [Phase("load", Const(1), command.columns + t.load_latency),
                Phase("columns", fwd, activity_drive_bits(self.machine), control.bit_cycles), Phase("fire", fwd, 1),
                Phase("convert", Const(1), command.groups, Mux(fwd, row_bits(self.machine) + 1, 1)),
                Phase("settle", asks(flags, OPERAND_FLAGS), t.settle),
                Phase("rows", trn, error_drive_bits(self.machine), control.bit_cycles), Phase("feed", trn, 1),
                Phase("back", trn, command.columns, column_bits(self.machine) + 1), *update, Phase("learn", upd, 1)]

    def _slowest(self, m: Module, lines: Lines) -> None:
        """The smallest rate of the plastic columns, 31 where there are none."""
        rates = [named(m, Mux(c.entry.plastic, c.rate, 31), "plastic_rate") for c in lines.columns]
        while len(rates) > 1:
            pairs = [named(m, Mux(a < b, a, b), "slower") for a, b in zip(rates[::2], rates[1::2])]
            rates = pairs + rates[len(pairs) * 2:]
        m.d.comb += self._drivers.slowest.eq(rates[0])

    def _search(self, m: Module, search: SarLogic, phase: str, asked: Value) -> None:
        """All bits of a step, then one cycle in which the codes are taken and the search starts anew."""
        inside, ends = self._phase.inside[phase], self._phase.ends[phase]
        m.d.comb += [search.bit.eq(search.bits - 1 - self._phase.tick),
                     search.search.eq(inside & asked & ~ends), search.start.eq(~inside | ends),
                     search.above.eq(self.macro_compare)]

    def _calibrated(self, side: Side, search: SarLogic) -> list[Value]:
        """What the codes mean: ``(code << step) - offset`` times the gain, rounded half up."""
        control, codes = self.machine.analog.control, list(search.codes)
        codes = [code << getattr(control, f"{side}_step") for code in codes]
        if not control.calibrated(side):
            return codes
        half = 1 << GAIN_FRAC - 1
        return [((code - offset) * gain + half) >> GAIN_FRAC
                for code, (offset, gain) in zip(codes, control.calibration(side, len(codes)))]

    def _pins(self, m: Module) -> None:
        """What the macro does in this cycle."""
        phase = Signal(4)
        strobe = Signal()
        control, busy = self._phase, self._cells.busy
        learn = MacroOp.FINISH if self.machine.analog.control.update == "stochastic" else MacroOp.APPLY
        meaning = {"columns": MacroOp.COLUMNS, "fire": MacroOp.HOLD_ROWS, "rows": MacroOp.ROWS,
                   "feed": MacroOp.HOLD_COLUMNS, "serial": MacroOp.STEP, "up": MacroOp.UP,
                   "down": MacroOp.DOWN, "learn": learn}
        for name, pin in meaning.items():
            if name in control.inside:
                with m.If(control.inside[name]):
                    m.d.comb += [phase.eq(pin), strobe.eq(control.ends[name])]
        for search, pin in ((self._rows, MacroOp.COMPARE_ROWS), (self._words, MacroOp.COMPARE_COLUMNS)):
            with m.If(search.search):
                m.d.comb += [phase.eq(pin), strobe.eq(1), self.macro_dac.eq(search.dac)]
        line = Mux(control.inside["back"], control.first_column, control.first_row) + control.step
        drivers, cells = self._drivers, self._cells
        m.d.comb += [
            drivers.phase.eq(phase), drivers.bit.eq(control.step), cells.above.eq(self.macro_compare),
            self.macro_phase.eq(Mux(busy, cells.phase, phase)), self.macro_strobe.eq(Mux(busy, cells.strobe, strobe)),
            self.macro_line.eq(line), self.macro_row_drive.eq(drivers.row_drive),
            self.macro_column_drive.eq(drivers.column_drive), self.macro_amplitude.eq(drivers.amplitude),
            self.macro_rate.eq(drivers.rate), self.macro_enable.eq(drivers.enable), self.macro_cell.eq(cells.cell),
            self.macro_cell_mask.eq(cells.mask), self.macro_cell_code.eq(cells.code)]
        with m.If(busy):
            m.d.comb += self.macro_dac.eq(cells.dac)
