"""The crossbar between its lines: everything that happens where word lines and bit lines cross."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem

from ..fixed import Ints
from .cells import Cells
from .hashing import Draw, disturb, key
from .laws import GRID, gridded
from .stepping import pulse, step
from .transfer import Transfer
from .wires import Wires, first_order

__all__ = ["AnalogArray"]

Reals = NDArray[np.float64]
Side = Literal["rows", "columns"]


class AnalogArray:
    """R word lines and N bit lines with a cell at every crossing; values in codes.

    ``forward`` drives the bit lines and senses the word lines, ``transposed`` the other way round. Both compute
    exactly what every cell with its noise would contribute, but draw the sum of all noise of a line at once: white
    noise of independent cells adds to a normal number whose variance is that of the cells times the squared inputs.
    Drivers are at the lines that are driven, sense nodes at the lines that are sensed: where their resistances differ,
    the two verbs see two matrices. The same calls in the same order, verb by verb, give the same bits.

    ``operations`` int64 (3,): how many vectors went forward and back, how many updates there were. ``changed`` has to
    be called by who changes ``cells.pair`` from outside.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.cells = machine, Cells(machine)
        a, c = machine.analog, self.cells
        self._wires = Wires(a.wires.word_resistance, a.wires.bit_resistance, a.wires.driver, a.wires.sense)
        u = a.update
        self.update_law = np.array([c.least, c.most, u.asymmetry, u.soft_bounds, u.pulse_spread,
                              a.device.coding == "balanced", u.unidirectional], np.float64)
        self.bounds = np.array(c.bounds)
        self.operations = np.zeros(3, np.int64)
        self.forward_key, self.backward_key, self.pulse_key = (
            key(a.seed, d) for d in (Draw.ROW_READ, Draw.COLUMN_READ, Draw.PULSE))
        self._one_way = a.wires.model == "off" or a.wires.driver == a.wires.sense
        self._aged: tuple[Reals, Reals | None] | None = None
        self._seen: dict[Side, Reals] = {}

    def codes(self) -> Ints:
        """The nearest codes of the weights (R, N), without noise, clipped to the weight format."""
        return self._nearest(self.cells.pair[0] - self.cells.pair[1])

    def _nearest(self, weights: Reals) -> Ints:
        limits = self.machine.formats.weight
        return np.clip(np.floor(weights + 0.5), limits.lo, limits.hi).astype(np.int64)

    def state(self) -> dict[str, Reals]:
        """Everything that was written or learnt, for an exact comparison."""
        return {"plus": self.cells.pair[0], "minus": self.cells.pair[1]}

    def load(self, codes: Ints) -> None:
        """Program all cells to ``codes`` (R, N), beat by beat as the control does: after the first write up to
        ``verify`` looks at a beat, each with another write of the cells that are off."""
        control = self.machine.analog.control
        rows, columns = (x.ravel() for x in np.indices(codes.shape))
        targets, beats = codes.ravel(), self._beats(rows, columns)
        self.write(rows, columns, targets)
        for left in range(control.verify, -1, -1) if control.verify else ():
            off = abs(self.read_cells(rows, columns) - targets) > control.tolerance
            if not left or not off.any():
                return
            self.write(rows[off], columns[off], targets[off])
            again = np.isin(beats, beats[off])
            rows, columns, targets, beats = (x[again] for x in (rows, columns, targets, beats))

    def _beats(self, rows: Ints, columns: Ints) -> Ints:
        """The beat of the host's stream in which every cell is."""
        m, port = self.machine, ports(self.machine)[Mem.WEIGHT]
        (group, tile), (word, lane) = divmod(rows, m.row_tiles), divmod(columns, m.lanes)
        return (group * m.array_stride + word) * port.beats_per_word + (tile * m.lanes + lane) // port.lanes_per_beat

    def write(self, rows: Ints, columns: Ints, targets: Ints) -> None:
        """Program the cells at ``rows``, ``columns`` (n,) once."""
        self.cells.write(rows, columns, targets)
        self.changed()

    def read_cells(self, rows: Ints, columns: Ints) -> Ints:
        """The nearest codes (n,) of single cells, read once."""
        return self._nearest(self.cells.read(rows, columns))

    def seen(self, driven: Side) -> tuple[Reals, Reals | None]:
        """What a read that drives the ``driven`` lines sees of the weights, (R, N) in codes, and its variance or None
        when all cells have the same."""
        if self._aged is None:
            pair = self.cells.aged()
            self._aged = pair, self.cells.variance(pair)
        side = "rows" if self._one_way else driven
        if side not in self._seen:
            self._seen[side] = self._through(self._aged[0], side)
        return self._seen[side], self._aged[1]

    def _through(self, pair: Reals, driven: Side) -> Reals:
        """The weights (R, N) of ``pair`` (2, R, N) behind the wires."""
        if self.machine.analog.wires.model == "off":
            return pair[0] - pair[1]
        unit = self.cells.unit * 1e-6
        plus, minus = (self._behind_wires(g * unit, driven) / unit for g in pair)
        return gridded(plus - minus)

    def _behind_wires(self, siemens: Reals, driven: Side) -> Reals:
        """The conductances (R, N) that do without wires what ``siemens`` does with them."""
        if driven == "columns":
            return self._driven(siemens.T, self._wires.transposed).T
        return self._driven(siemens, self._wires)

    def _driven(self, siemens: Reals, wires: Wires) -> Reals:
        """The transfer through an array whose first axis is driven."""
        if self.machine.analog.wires.model == "exact":
            return Transfer(siemens, wires).matrix.T
        return first_order(siemens, wires)

    def forward(self, activity: Ints) -> Reals:
        """Word-line sums (.., R) of the bit-line inputs ``activity`` (.., N); each vector is an operation."""
        first = self._counted(0, activity[..., 0].size)
        weights, variance = self.seen("columns")
        return self._sensed(activity, weights.T, None if variance is None else variance.T, self.forward_key, first)

    def transposed(self, error: Ints) -> Reals:
        """Bit-line sums (.., N) of the word-line inputs ``error`` (.., R); each vector is an operation."""
        first = self._counted(1, error[..., 0].size)
        return self._sensed(error, *self.seen("rows"), self.backward_key, first)

    def _counted(self, kind: int, count: int) -> int:
        """The number of the first of ``count`` new operations of a kind."""
        self.operations[kind] += count
        return int(self.operations[kind]) - count

    def _sensed(self, inputs: Ints, weights: Reals, variance: Reals | None, stream: np.uint64, first: int) -> Reals:
        x = inputs.astype(np.float64)
        sums = x @ weights
        if variance is None and not self.cells.law.white:
            return sums
        squares = np.square(x)
        if variance is None:
            sigma = np.sqrt(self.cells.law.white * squares.sum(axis=-1, keepdims=True))
        else:
            sigma = np.sqrt(squares @ variance)
        flat = sums.reshape(-1, sums.shape[-1])
        disturb(flat, sigma.reshape(len(flat), -1), stream, first, GRID)
        return flat.reshape(sums.shape)

    def step(self, error: Ints, activity: Ints, rate: Ints, enable: Ints) -> None:
        """Add ``round(e a / 2^rate)`` where ``enable``; ``error`` (R,), the others (N,)."""
        step(self.cells.pair, self.cells.size, error, activity, rate, enable, self.update_law, self.bounds,
             self.pulse_key, self._counted(2, 1))
        self.changed()

    def pulses(self, *wires: NDArray[np.uint32]) -> None:
        """Meet the pulses of eight sets of lines, of UP rows + and -, columns + and -, the same of DOWN; bit k of a
        word is pulse k."""
        rows, columns = (np.array([wires[i] for i in (a, a + 1, a + 4, a + 5)]) for a in (0, 2))
        pulse(self.cells.pair, self.cells.size, rows, columns, self.machine.analog.control.each, self.update_law,
              self.bounds, self.pulse_key, self._counted(2, 1))
        self.changed()

    def changed(self) -> None:
        """Forget what was seen of other conductances."""
        self._aged, self._seen = None, {}
