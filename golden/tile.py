"""The tile: one weight image and the three verbs on it. Both tiles compute the same numbers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hebbar.machine import MachineConfig
from hebbar.isa import Sweep

from .fixed import Ints, Saturation, round_half_up

__all__ = ["Plan", "Visits", "Tile"]


@dataclass(frozen=True)
class Plan:
    """A block descriptor and its map entries, unpacked into index arrays.

    ``rows``: neuron addresses of the destination, padded to whole row groups; ``live``: which of
    them are in use. Per lane of a row (columns * C of them): ``source`` neuron address, ``used``,
    ``shift``, ``rate``, ``feedback``, ``plastic``; per column ``fresh``. ``own``: where a weight
    leads from a neuron to itself and the column forbids that, shape (rows, lanes).
    """

    base: int
    stride: int
    groups: int
    columns: int
    rows: slice
    live: Ints
    source: Ints
    used: Ints
    shift: Ints
    rate: Ints
    feedback: Ints
    plastic: Ints
    fresh: Ints
    own: Ints | None
    function: int

    @property
    def count(self) -> int:
        """Rows in use."""
        return int(self.live.sum())


@dataclass(frozen=True)
class Visits:
    """Useful work of one sweep, in weights."""

    fwd: int
    trn: int
    upd: int
    reads: int
    writes: int


class Tile(ABC):
    """Weights as an integer array of shape (weight words, P, C) and the verbs on a block of them.

    Row sums and back sums are exact: integer products through float64 matrix products, exact
    because the layout proves every sum below 2**53.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        assert max(machine.row_sum_bits, machine.back_sum_bits) <= 53
        self.weights = np.zeros((machine.weight_words, machine.row_tiles, machine.lanes), np.int64)

    def _image(self, plan: Plan) -> Ints:
        """A view of the block, shape (groups, P, columns, C)."""
        word, tile, lane = self.weights.strides
        view = as_strided(self.weights[plan.base:],
                          (plan.groups, plan.columns, *self.weights.shape[1:]),
                          (plan.stride * word, word, tile, lane))
        return view.transpose(0, 2, 1, 3)

    def read(self, plan: Plan) -> Ints:
        """The block as a dense matrix of shape (padded rows, padded columns), a copy."""
        rows = plan.groups * self.machine.row_tiles
        return self._image(plan).reshape(rows, plan.columns * self.machine.lanes).copy()

    def forward(self, weights: Ints, plan: Plan, activity: Ints) -> Ints:
        """FWD: exact row sums, shape (padded rows,), from the lane activities (masked)."""
        aligned = (activity << plan.shift).astype(np.float64)
        return (weights.astype(np.float64) @ aligned).astype(np.int64)

    def transposed(self, weights: Ints, error: Ints) -> Ints:
        """TRN: exact contributions to the back sums, shape (padded columns,)."""
        return (error.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)

    def update(self, weights: Ints, plan: Plan, error: Ints, activity: Ints, rates: Ints,
               saturate: Saturation) -> None:
        """UPD: ``w = sat(w + round(e a >> rate))`` where plastic, written to the image."""
        change = round_half_up(error[:, None] * activity, rates[plan.rate]) * plan.plastic
        if plan.own is not None:
            change[plan.own] = 0
        new = saturate(weights + change, self.machine.formats.weight)
        image = self._image(plan)
        image[...] = new.reshape(image.shape)

    @abstractmethod
    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        """What a sweep counts as work; the tiles differ in how often they touch a weight."""
