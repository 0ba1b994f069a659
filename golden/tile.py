"""The tile: one weight image and the three verbs on it. The digital tiles compute the same numbers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hebbar.contract.isa import Sweep
from hebbar.contract.machine import MachineConfig

from .fixed import Ints, Saturation, round_half_up
from .plan import Plan

__all__ = ["Plan", "Visits", "Tile", "DigitalTile"]


@dataclass(frozen=True)
class Visits:
    """Useful work of one sweep, in weights."""

    fwd: int
    trn: int
    upd: int
    reads: int
    writes: int


class Tile(ABC):
    """Weights and the verbs on a block of them, of one machine.

    An identity column has the weight ``one``: 1, or the largest weight where 1 does not fit.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        self.one = min(1 << machine.weight_frac, machine.formats.weight.hi)

    @property
    @abstractmethod
    def weights(self) -> Ints:
        """The weight image (words, P, C)."""

    @property
    def limited(self) -> dict[str, float]:
        """Shares of the values that the tile itself cut off since it was made, by what they are; empty where a tile
        computes every sum."""
        return {}

    @abstractmethod
    def load(self, weights: Ints) -> None:
        """Set the weights to an image (words, P, C)."""

    @abstractmethod
    def read_back(self) -> Ints:
        """The image as the host reads it."""

    @abstractmethod
    def read(self, plan: Plan) -> Any:
        """What the verbs work on: the stored columns of a block, rows by a slice of it."""

    @abstractmethod
    def forward(self, weights: Any, plan: Plan, activity: Ints) -> Ints:
        """FWD: row sums, shape (padded rows,), from the lane activities (masked)."""

    @abstractmethod
    def transposed(self, weights: Any, error: Ints) -> Ints:
        """TRN: contributions to the feedback sums, shape (padded columns,)."""

    @abstractmethod
    def update(self, weights: Any, plan: Plan, error: Ints, activity: Ints, rates: Ints,
               saturate: Saturation) -> None:
        """UPD: move the plastic weights by about ``e a >> rate``."""

    @abstractmethod
    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        """What a sweep counts as work; the tiles differ in how often they touch a weight."""

    def identity(self, plan: Plan, activity: Ints) -> Ints:
        """FWD of the identity columns, shape (rows in use,), from the activities of all neurons."""
        total = np.zeros(plan.count, np.int64)
        for column in plan.identities:
            total += activity[column.neurons[:plan.count]] * self.one << column.shift
        return total


class DigitalTile(Tile):
    """Weights as an integer array of shape (weight words, P, C).

    Row sums and feedback sums are exact: integer products through float64 matrix products, exact
    because the layout proves every sum below 2**53.
    """

    def __init__(self, machine: MachineConfig) -> None:
        super().__init__(machine)
        assert max(machine.row_sum_bits, machine.feedback_sum_bits) <= 53
        self._weights = np.zeros((machine.weight_words, machine.row_tiles, machine.lanes), np.int64)

    @property
    def weights(self) -> Ints:
        return self._weights

    def load(self, weights: Ints) -> None:
        self._weights[...] = weights

    def read_back(self) -> Ints:
        return self._weights

    def _image(self, plan: Plan) -> Ints:
        """A view of the block, shape (groups, P, columns, C)."""
        word, tile, lane = self._weights.strides
        view = as_strided(self._weights[plan.base:],
                          (plan.groups, plan.columns, *self._weights.shape[1:]),
                          (plan.stride * word, word, tile, lane))
        return view.transpose(0, 2, 1, 3)

    def read(self, plan: Plan) -> Ints:
        """The stored columns as a dense matrix of shape (padded rows, padded columns), a copy."""
        return self._image(plan)[:, :, plan.stored].reshape(plan.valid.size, plan.source.size).copy()

    def forward(self, weights: Ints, plan: Plan, activity: Ints) -> Ints:
        """FWD: exact row sums, shape (padded rows,), from the lane activities (masked)."""
        aligned = (activity << plan.shift).astype(np.float64)
        return (weights.astype(np.float64) @ aligned).astype(np.int64)

    def transposed(self, weights: Ints, error: Ints) -> Ints:
        """TRN: exact contributions to the feedback sums, shape (padded columns,)."""
        return (error.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)

    def update(self, weights: Ints, plan: Plan, error: Ints, activity: Ints, rates: Ints,
               saturate: Saturation) -> None:
        """UPD: ``w = sat(w + round(e a >> rate))`` where plastic, written to the image.

        A ``positive`` column clips to 0 .. the largest weight, also where nothing changes.
        """
        change = round_half_up(error[:, None] * activity, rates[plan.rate]) * plan.plastic
        if plan.self_connection is not None:
            change[plan.self_connection] = 0
        limits = self.machine.formats.weight
        least = np.where(plan.plastic & plan.positive, 0, limits.lo)
        new = saturate(weights + change, limits, least)
        self._image(plan)[:, :, plan.stored] = new.reshape(
            plan.groups, self.machine.row_tiles, plan.overwrite.size, self.machine.lanes)
