"""The analog macro: a crossbar of conductances between drivers and converters that are shared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.analog import GAIN_FRAC
from hebbar.contract.isa import Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pulses import PROBABILITY_BITS

from .analog.array import AnalogArray
from .analog.converters import LineConverters
from .analog.limits import Limits
from .array_macro import array_visits
from .fixed import Ints, Saturation, round_half_up
from .pulses import Pulses
from .tile import Plan, Tile, Visits

__all__ = ["AnalogMacro", "Calibration", "Window", "to_image"]


def to_image(machine: MachineConfig, codes: Ints) -> Ints:
    """Codes by word and bit line as an image (words, P, C)."""
    cells = codes.reshape(-1, machine.row_tiles, machine.array_stride, machine.lanes)
    return cells.transpose(0, 2, 1, 3).reshape(machine.weight_words, machine.row_tiles, machine.lanes)


@dataclass(frozen=True)
class Window:
    """The lines of a block: word lines ``rows`` and bit lines ``columns``."""

    rows: Ints
    columns: Ints

    def __getitem__(self, part: slice) -> "Window":
        return Window(self.rows[part], self.columns)


class Calibration:
    """What the codes of a side mean: ``(code << step) - offset`` times the gain, rounded half up."""

    def __init__(self, converters: list[tuple[int, int]], step: int) -> None:
        (self.offset, self.gain), self.step = np.array(converters, np.int64).T, step

    def of(self, codes: Ints, lines: Ints) -> Ints:
        """Sums of ``codes`` (n,) that came from the converters of ``lines`` (n,)."""
        converter = lines % self.offset.size
        return round_half_up(((codes << self.step) - self.offset[converter]) * self.gain[converter], GAIN_FRAC)


class AnalogMacro(Tile):
    """Twin of ``hw.analog_macro``: verbs through the physics of ``golden.analog``, codes from converters.

    A sum is the calibrated code of its converter. Nothing counts clipped weights; ``limits`` counts, for the model
    only, what converters and pulses cut off.
    """

    def __init__(self, machine: MachineConfig) -> None:
        super().__init__(machine)
        self.array, self.limits = AnalogArray(machine), Limits()
        self.row_side, self.column_side = (LineConverters(machine, side) for side in ("rows", "columns"))
        control = machine.analog.control
        self.row_sum = Calibration(control.calibration("row", machine.row_tiles), control.row_step)
        self.column_sum = Calibration(control.calibration("column", machine.lanes), control.column_step)
        self.row_pulses = Pulses(machine.array_rows, 0)
        self.column_pulses = Pulses(machine.array_columns, machine.array_rows)

    @property
    def weights(self) -> Ints:
        """The nearest codes as an image (words, P, C), a copy; see ``load``."""
        image = to_image(self.machine, self.array.codes())
        image.flags.writeable = False
        return image

    @property
    def limited(self) -> dict[str, float]:
        return self.limits.shares()

    def load(self, weights: Ints) -> None:
        """Program every cell, with as many looks at it as the control takes."""
        m = self.machine
        words = np.asarray(weights).reshape(-1, m.array_stride, m.row_tiles, m.lanes)
        self.array.load(words.transpose(0, 2, 1, 3).reshape(m.array_rows, m.array_columns))

    def read_back(self) -> Ints:
        """Every cell, read once."""
        rows, columns = np.indices((self.machine.array_rows, self.machine.array_columns))
        return to_image(self.machine, self.array.read_cells(rows.ravel(), columns.ravel()))

    def read(self, plan: Plan) -> Window:
        """The lines of the block; nothing is read."""
        m = self.machine
        group, column = divmod(plan.base, m.array_stride)
        return Window(group * m.row_tiles + np.arange(plan.valid.size), column * m.lanes + np.arange(plan.source.size))

    def forward(self, weights: Window, plan: Plan, activity: Ints) -> Ints:
        """FWD: drive the columns, hold the rows, convert those of the block."""
        held = self.row_side.held(self.array.forward(self._columns(weights, activity << plan.shift)))[weights.rows]
        self.limits.count("row_sum", self.row_side.outside(held))
        return self.row_sum.of(self.row_side.convert(held, weights.rows), weights.rows)

    def transposed(self, weights: Window, error: Ints) -> Ints:
        """TRN: drive the rows, hold the columns, convert those of the block."""
        held = self.column_side.held(self.array.transposed(self._rows(weights, error)))[weights.columns]
        self.limits.count("column_sum", self.column_side.outside(held))
        return self.column_sum.of(self.column_side.convert(held, weights.columns), weights.columns)

    def update(self, weights: Window, plan: Plan, error: Ints, activity: Ints, rates: Ints,
               saturate: Saturation) -> None:
        """UPD: one step, or pulses whose coincidences are that step in the mean."""
        e, a = self._rows(weights, error), self._columns(weights, activity)
        rate, enable = self._columns(weights, rates[plan.rate]), self._columns(weights, plan.plastic & plan.used)
        if self.machine.analog.control.update == "deterministic":
            self.array.step(e, a, rate, enable)
        else:
            self._pulse(e, a, rate, enable)

    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        return array_visits(plan, flags)

    def _pulse(self, e: Ints, a: Ints, rate: Ints, enable: Ints) -> None:
        """UP, then DOWN, each with as many pulses; the signs tell the wires of a line."""
        control, bits = self.machine.analog.control, self.machine.activity_bits
        slowest = int(rate[enable == 1].min(initial=31))
        shift = slowest + control.pulse_exponent + 1 - bits
        full = 1 << PROBABILITY_BITS
        wide = abs(e) << PROBABILITY_BITS
        asked = wide >> shift if shift >= 0 else wide << -shift
        self.limits.count("pulses", asked[e != 0] > full)
        rows = np.minimum(asked, full)
        columns = (abs(a) << PROBABILITY_BITS + 1 - bits >> np.where(enable == 1, rate - slowest, 0)) * enable
        wires: list[NDArray[np.uint32]] = []
        for _ in ("up", "down"):
            fired, met = (lines.words(probability, control.pulses) for lines, probability in
                          ((self.row_pulses, rows), (self.column_pulses, columns)))
            wires += [np.where(v, w, 0).astype(np.uint32) for w, v in
                      ((fired, e >= 0), (fired, e < 0), (met, a >= 0), (met, a < 0))]
        self.array.pulses(*wires)

    def _rows(self, window: Window, values: Ints) -> Ints:
        """Values on the word lines of a window, 0 on the others."""
        lines = np.zeros(self.machine.array_rows, np.int64)
        lines[window.rows] = values
        return lines

    def _columns(self, window: Window, values: Ints) -> Ints:
        lines = np.zeros(self.machine.array_columns, np.int64)
        lines[window.columns] = values
        return lines
