"""The back sums: what TRN has collected for every neuron."""

import numpy as np

from .fixed import Ints
from .tile import Plan

__all__ = ["BackSums"]


class BackSums:
    """``back[word] = (0 if fresh else back[word]) + sums``, one word of C neurons after another.

    ``values``: int64 codes of shape (neurons,).
    """

    def __init__(self, neurons: int, lanes: int) -> None:
        self.values = np.zeros(neurons, np.int64)
        self._lanes = lanes

    def add(self, plan: Plan, sums: Ints) -> None:
        """Add a sweep's contributions, shape (columns * C,), column by column in order."""
        for k, fresh in enumerate(plan.fresh):
            lanes = slice(k * self._lanes, (k + 1) * self._lanes)
            if plan.feedback[lanes.start]:
                first = plan.source[lanes.start]
                source = slice(first, first + self._lanes)
                self.values[source] = sums[lanes] + (0 if fresh else self.values[source])
