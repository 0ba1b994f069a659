"""The feedback sums: what TRN has collected for every neuron."""

import numpy as np

from .fixed import Ints
from .tile import Plan

__all__ = ["FeedbackSums"]


class FeedbackSums:
    """``back[word] = (0 if overwrite else back[word]) + sums``, one word of C neurons after another.

    The order is that of the rows: row group by row group, in each column by column; on the array macro
    column by column. ``overwrite`` holds at row group 0, for an identity column at the first row group of
    every neuron word.
    ``values``: int64 codes of shape (neurons,).
    """

    def __init__(self, neurons: int, lanes: int) -> None:
        self.values = np.zeros(neurons, np.int64)
        self._lanes = lanes

    def add(self, plan: Plan, rows: slice, sums: Ints, across: Ints) -> None:
        """Add what one of the plan's passes contributes.

        ``sums``: those of the stored columns, shape (stored columns * C,); ``across``: what each of
        ``rows`` sends through an identity column.
        """
        for feed in plan.feeds:
            if feed.stored is None:
                self._across(feed.neurons[rows], feed.overwrite, across)
            else:
                lanes = slice(feed.stored * self._lanes, (feed.stored + 1) * self._lanes)
                word, overwrite = slice(feed.neurons[0], feed.neurons[-1] + 1), feed.overwrite and rows.start == 0
                self.values[word] = sums[lanes] + (0 if overwrite else self.values[word])

    def _across(self, neurons: Ints, overwrite: bool, sums: Ints) -> None:
        """A row and its neuron have the same lane, so the rows at lane 0 begin a word."""
        if overwrite:
            begun = neurons[neurons % self._lanes == 0] // self._lanes
            self.values.reshape(-1, self._lanes)[begun] = 0
        self.values[neurons] += sums
