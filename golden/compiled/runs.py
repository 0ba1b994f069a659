"""The runs of a plan: lanes or rows next to each other that a verb treats alike."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..fixed import Ints
from ..tile import Plan
from .feedback_runs import feedback_runs
from .panels import Held
from .vectors import LANES

__all__ = ["Lanes", "Run", "joined"]

Run = tuple[int, ...]
"""Start, first neuron, length and what else its kind says."""
LONGEST = (1 << 16) - 1
"""Lanes of a run whose activities' sizes, 2**15 at most, add up in int32."""


class Lanes:
    """The runs of a plan. A lane counts from the ``first`` column that is kept row by row; ``span``: up to the
    last one, what lies between two of them included, whose lanes hold no activity, and made up to vectors."""

    def __init__(self, plan: Plan, lanes: int, held: Held) -> None:
        self._plan, self._lanes, self._numbers = plan, lanes, held.numbers(plan)
        at = np.arange(plan.columns)[plan.stored][:plan.source.size // lanes]
        by_row = at[[number is None for number in self._numbers]]
        self.first = int(by_row[0]) if by_row.size else 0
        self.span = -(-(int(by_row[-1]) + 1 - self.first) * lanes // LANES) * LANES if by_row.size else 0
        self._at = (at - self.first) * lanes

    def kinds(self) -> list[list[Run]]:
        """Runs by kind, in the order of ``golden.compiled.arrays``."""
        feeds, across, clears = feedback_runs(self._plan, self._lanes, self._at)
        return [self._gathers(), feeds, self._updates(), self._identities(), across, clears]

    def _gathers(self) -> list[Run]:
        return [(*run, int(self._plan.shift[k])) for k, run in self._columns(self._plan.used)]

    def _updates(self) -> list[Run]:
        """Plastic lanes in use; others hold no activity, so that they can change in positive columns alone."""
        p = self._plan
        diagonal = p.self_connection
        any_row: NDArray[np.bool_] = np.zeros(p.source.size, bool) if diagonal is None else np.any(diagonal, axis=0)
        return [(*run, int(p.rate[k]), int(any_row[k:k + self._lanes].any()), int(p.positive[k]))
                for k, run in self._columns((p.used | p.positive) & p.plastic)]

    def sources(self) -> list[Run]:
        """Sources whose weights are kept source by source, counted in those of their family."""
        p, lanes = self._plan, self._lanes
        return [(number * lanes, int(p.source[k]), int(p.used[k:k + lanes].sum()), int(p.shift[k]),
                 int(p.rate[k]) if p.plastic[k] else -1)
                for k, number in zip(range(0, p.source.size, lanes), self._numbers) if number is not None]

    def _columns(self, wanted: Ints) -> Iterator[tuple[int, Run]]:
        """First lane in the plan, and run, of every column that is kept row by row and has ``wanted`` lanes."""
        for i, (at, number) in enumerate(zip(self._at, self._numbers)):
            k = i * self._lanes
            if number is None and (length := int(wanted[k:k + self._lanes].sum())):
                yield k, (int(at), int(self._plan.source[k]), length)

    def _identities(self) -> list[Run]:
        """Rows that identity columns join to neurons."""
        return [(r, int(column.neurons[r]), 1, column.shift)
                for column in self._plan.identities for r in range(self._plan.count)]


def joined(runs: Iterable[Run]) -> list[Run]:
    """Runs between which nothing changes are joined into one."""
    found: list[Run] = []
    for run in runs:
        if found:
            start, neuron, length, *rest = found[-1]
            if (start + length, neuron + length, rest) == (run[0], run[1], [*run[3:]]) and length + run[2] <= LONGEST:
                found[-1] = (start, neuron, length + run[2], *rest)
                continue
        found.append(run)
    return found
