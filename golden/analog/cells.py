"""The cells of a crossbar: pairs of conductances, written, read one by one, stuck, drifting."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.machine import MachineConfig

from ..fixed import Ints
from .exactness import Range, variance_grid
from .hashing import Draw, key, normal, uniform
from .laws import ReadLaw, aged, gridded, programming_sigma, variances

__all__ = ["Cells"]

Reals = NDArray[np.float64]


class Cells:
    """R x N cells. Conductances are kept in weight codes: ``unit`` microsiemens each, from ``least`` to ``most``.

    ``pair`` (2, R, N): G+ and G-, their difference is the weight; all at zero weight in the beginning. Every
    write and every read of a cell has its own noise, by the cell and by how often that was done to it.
    ``size`` (2, R, N): of a device's steps, 1 in the mean, 0 where it is stuck. ``law``: of reads.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.analog, d = machine.analog, machine.analog.device
        self.format = machine.formats.weight
        span = Range.of(machine)
        self.full, self.unit, self.least, self.most = span.full, span.unit, span.least, span.most
        self.law = ReadLaw.of(self.analog.read, self.unit, d.g_max, variance_grid(machine, span))
        shape = (2, machine.array_rows, machine.array_columns)
        self._index = np.arange(np.prod(shape)).reshape(shape)
        self._writes, self._reads = (np.zeros(shape[1:], np.int64) for _ in range(2))
        self.stuck = self._faults()
        spread = self.analog.update.device_spread
        self.size = np.maximum(1 + spread * self._fixed(Draw.DEVICE), 0.0) if spread else np.ones(shape)
        self.size[self.stuck] = 0.0
        self.pair = np.where(self.stuck, self._stuck_at(), self.targets(np.zeros(shape[1:], np.int64)))

    @cached_property
    def drift(self) -> Reals:
        """Standard deviations by which the drift of every device is off, (2, R, N); 0 where nothing drifts."""
        return self._fixed(Draw.DRIFT) if self.law.drifts else np.zeros(self.pair.shape)

    @property
    def varies(self) -> bool:
        """Whether the noise of a read depends on the conductances."""
        return bool(self.law.proportional or self.law.flicker)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest weight that learning leaves, in codes."""
        return max(float(self.format.lo), -self.full), min(float(self.format.hi), self.full)

    def _key(self, draw: Draw) -> np.uint64:
        return key(self.analog.seed, draw)

    def _fixed(self, draw: Draw) -> Reals:
        return normal(self._key(draw), 0, self._index)

    def _chance(self) -> Reals:
        return uniform(self._key(Draw.STUCK), 0, self._index)

    def _faults(self) -> NDArray[np.bool_]:
        f = self.analog.faults
        share = f.stuck_on + f.stuck_off
        return self._chance() < share if share else np.zeros(self._index.shape, bool)

    def _stuck_at(self) -> Reals:
        return np.where(self._chance() < self.analog.faults.stuck_on, self.most, self.least)

    def targets(self, codes: Ints) -> Reals:
        """The pair (2, ..) for weights ``codes`` (..), at the nearest programmable states."""
        w, d = np.clip(np.asarray(codes, np.float64), -self.full, self.full), self.analog.device
        if d.coding == "balanced":
            above = np.array([self.full + w, self.full - w]) / 2
        else:
            above = np.array([np.maximum(w, 0.0), np.maximum(-w, 0.0)])
        if d.levels:
            step = self.full / max(d.levels - 1, 1)
            above = np.floor(above / step + 0.5) * step
        return gridded(self.least + above)

    def write(self, rows: Ints, columns: Ints, codes: Ints) -> None:
        """Program the cells at ``rows``, ``columns`` (n,), each once, to ``codes`` (n,)."""
        p, at = self.analog.programming, (slice(None), rows, columns)
        pair = self.targets(codes)
        if p.noise:
            sigma = programming_sigma(p, pair * self.unit, self.analog.device.g_max) / self.unit
            z = normal(self._key(Draw.PROGRAM), self._writes[rows, columns], self._index[at])
            pair = np.maximum(gridded(pair + sigma * z), 0.0)
        self.pair[at] = np.where(self.stuck[at], self.pair[at], pair)
        self._writes[rows, columns] += 1

    def read(self, rows: Ints, columns: Ints) -> Reals:
        """The weights (n,) of single cells right after they were written, in codes, with white noise."""
        at, r = (slice(None), rows, columns), self.analog.read
        pair = self.pair[at]
        if r.additive or r.proportional:
            sigma = np.hypot(r.additive / self.unit, r.proportional * pair)
            z = normal(self._key(Draw.CELL), self._reads[rows, columns], self._index[at])
            pair = gridded(pair + sigma * z)
        self._reads[rows, columns] += 1
        return pair[0] - pair[1]

    def aged(self) -> Reals:
        """The pair (2, R, N) as a read finds it, drifted."""
        return aged(self.law, self.pair, self.drift) if self.law.drifts else self.pair

    def variance(self, pair: Reals) -> Reals | None:
        """The variance of the weight that a read finds of an aged ``pair``, in codes squared, (R, N), on a grid so that
        sums are exact; None when only ``additive`` noise is on."""
        return variances(self.law, pair) if self.varies else None
