"""Which columns of weights a run keeps source by source: those of held sources, whose activity only IN changes.

A machine stores weights row by row. Of a held source most activities are often zero, and nothing is fed back to it;
kept source by source, its zeros cost nothing. A column goes there only where every sweep of the program sees it so.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from hebbar.contract.isa import Op, Sweep, decode

from ..fixed import Ints
from ..machine import Machine
from ..tile import Plan

__all__ = ["Held"]

Run = tuple[int, ...]

ALIGNED = 32
"""Rows of a source take a multiple of so many weights, a vector of 512 bits."""


class Family(NamedTuple):
    """Columns of ``groups`` words, ``stride`` apart."""

    stride: int
    groups: int


class Panel(NamedTuple):
    """A column of words of the weight memory, the first at ``word``."""

    family: Family
    word: int

    @property
    def words(self) -> range | list[int]:
        """The word of every row group."""
        family, first = self
        return range(first, first + family.groups * family.stride, family.stride) if family.stride else [first]


class Held:
    """The panels of a program. ``lists``: neurons whose activities are listed, as in ``Tables``."""

    def __init__(self, machine: Machine) -> None:
        self._families, self._size = _families(machine), machine.config
        self._places: dict[Family, int] = {}
        self.lists: list[Run] = []
        self._numbers: dict[Run, int] = {}
        at = 0
        for family, panels in self._families.items():
            self._places[family] = at
            at += len(panels) * self._size.lanes * self._width(family)
        self.weights = at

    def numbers(self, plan: Plan) -> list[int | None]:
        """The numbers of the panels of a plan's stored columns in their family, None where a column has none."""
        panels = self._families.get(_family(plan), {})
        return [panels.get(_panel(plan, column)) for column in range(plan.overwrite.size)]

    def place(self, plan: Plan) -> tuple[int, int]:
        """Where the family of a plan begins, and the weights of one of its sources."""
        family = _family(plan)
        return self._places.get(family, 0), self._width(family)

    def numbered(self, plan: Plan, runs: list[Run]) -> list[Run]:
        """Runs of sources of a plan, each with the number of its list."""
        found, width = [], self._width(_family(plan))
        for run in runs:
            key = run[1], run[2], width
            if key not in self._numbers:
                self._numbers[key] = len(self.lists)
                self.lists.append((run[1], run[2], sum(at[1] for at in self.lists), width))
            found.append((*run, self._numbers[key]))
        return found

    def panels(self) -> Ints:
        """Rows (place, first word, groups, stride, weights of a source), as in ``Tables``."""
        rows = [(self._places[family] + number * self._size.lanes * self._width(family), panel.word, family.groups,
                 family.stride, self._width(family))
                for family, panels in self._families.items() for panel, number in panels.items()]
        return np.array(rows, np.int64).reshape(-1, 5)

    def _width(self, family: Family) -> int:
        """Weights that a source takes: its rows, made up to whole vectors."""
        return -(-family.groups * self._size.row_tiles // ALIGNED) * ALIGNED


def _families(machine: Machine) -> dict[Family, dict[Panel, int]]:
    """The panels that a program allows, by family, in the order of their words and numbered from 0."""
    if machine.config.kind.macro:
        return {}  # conductances stay where they are
    sweeps = [i.fields for word in machine.program.words if (i := decode(word)).op is Op.SWEEP]
    moving = _words(machine, {f["block"] for f in sweeps if f["flags"] & Sweep.ACT})
    allowed: dict[Panel, bool] = {}
    owners: dict[int, set[Panel]] = defaultdict(set)
    for block in {f["block"] for f in sweeps if Sweep(f["flags"]).weights}:
        plan = machine.plans[block]
        for column in range(plan.overwrite.size):
            panel = _panel(plan, column)
            allowed[panel] = allowed.get(panel, True) and _held(plan, column, machine.config.lanes, moving)
            for word in panel.words:
                owners[word].add(panel)
    found: dict[Family, dict[Panel, int]] = defaultdict(dict)
    for panel in sorted(p for p, held in allowed.items() if held and all(len(owners[w]) == 1 for w in p.words)):
        found[panel.family][panel] = len(found[panel.family])
    return dict(found)


def _family(plan: Plan) -> Family:
    return Family(plan.stride if plan.groups > 1 else 0, plan.groups)


def _panel(plan: Plan, column: int) -> Panel:
    """The panel of a stored column, by its number."""
    return Panel(_family(plan), plan.base + int(np.arange(plan.columns)[plan.stored][column]))


def _held(plan: Plan, column: int, lanes: int, moving: set[int]) -> bool:
    """Whether a stored column can be kept source by source as far as one plan goes."""
    lane = slice(column * lanes, column * lanes + lanes)
    self_connected = plan.self_connection is not None and plan.self_connection[:, lane].any()
    repeated = plan.groups > 1 and not plan.stride
    return bool(plan.used[lane].any()) and plan.source[lane][0] // lanes not in moving and not (
        self_connected or repeated or plan.feedback[lane].any() or plan.positive[lane].any())


def _words(machine: Machine, blocks: set[int]) -> set[int]:
    """The neuron words of the rows of ``blocks``."""
    lanes = machine.config.lanes
    rows = [machine.plans[block].rows for block in blocks]
    return {word for r in rows for word in range(r.start // lanes, (r.stop - 1) // lanes + 1)}
