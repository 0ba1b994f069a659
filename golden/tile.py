"""The tile: one weight image and the three verbs on it. Both tiles compute the same numbers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hebbar.isa import Sweep
from hebbar.machine import MachineConfig

from .fixed import Ints, Saturation, round_half_up
from .plan import Plan

__all__ = ["Plan", "Visits", "Tile"]


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
    because the layout proves every sum below 2**53. An identity column has the weight ``one``: 1, or
    the largest weight where 1 does not fit.
    """

    identities: ClassVar[bool]
    """Whether the tile has identity columns; without them they do nothing."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        assert max(machine.row_sum_bits, machine.back_sum_bits) <= 53
        self.one = min(1 << machine.weight_frac, machine.formats.weight.hi)
        self.weights = np.zeros((machine.weight_words, machine.row_tiles, machine.lanes), np.int64)

    def load(self, weights: Ints) -> None:
        """Set the weights to an image (words, P, C)."""
        self.weights[...] = weights

    def read_back(self) -> Ints:
        """The image as the host reads it."""
        return self.weights

    def _image(self, plan: Plan) -> Ints:
        """A view of the block, shape (groups, P, columns, C)."""
        word, tile, lane = self.weights.strides
        view = as_strided(self.weights[plan.base:],
                          (plan.groups, plan.columns, *self.weights.shape[1:]),
                          (plan.stride * word, word, tile, lane))
        return view.transpose(0, 2, 1, 3)

    def read(self, plan: Plan) -> Ints:
        """The stored columns as a dense matrix of shape (padded rows, padded columns), a copy."""
        return self._image(plan)[:, :, plan.stored].reshape(plan.live.size, plan.source.size).copy()

    def forward(self, weights: Ints, plan: Plan, activity: Ints) -> Ints:
        """FWD: exact row sums, shape (padded rows,), from the lane activities (masked)."""
        aligned = (activity << plan.shift).astype(np.float64)
        return (weights.astype(np.float64) @ aligned).astype(np.int64)

    def identity(self, plan: Plan, activity: Ints) -> Ints:
        """FWD of the identity columns, shape (rows in use,), from the activities of all neurons."""
        total = np.zeros(plan.count, np.int64)
        for column in plan.identities:
            total += activity[column.neurons[:plan.count]] * self.one << column.shift
        return total

    def transposed(self, weights: Ints, error: Ints) -> Ints:
        """TRN: exact contributions to the back sums, shape (padded columns,)."""
        return (error.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)

    def update(self, weights: Ints, plan: Plan, error: Ints, activity: Ints, rates: Ints,
               saturate: Saturation) -> None:
        """UPD: ``w = sat(w + round(e a >> rate))`` where plastic, written to the image.

        A ``positive`` column clips to 0 .. the largest weight, also where nothing changes.
        """
        change = round_half_up(error[:, None] * activity, rates[plan.rate]) * plan.plastic
        if plan.own is not None:
            change[plan.own] = 0
        limits = self.machine.formats.weight
        least = np.where(plan.plastic & plan.positive, 0, limits.lo)
        new = saturate(weights + change, limits, least)
        self._image(plan)[:, :, plan.stored] = new.reshape(
            plan.groups, self.machine.row_tiles, plan.fresh.size, self.machine.lanes)

    @abstractmethod
    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        """What a sweep counts as work; the tiles differ in how often they touch a weight."""
