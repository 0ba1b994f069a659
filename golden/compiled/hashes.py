"""The hashes of what a compiled run writes: where the weights lie that a block learns, room for a run, and what it
leaves in the order of the elements."""

import numpy as np

from hebbar.contract.effects import Resource
from hebbar.contract.memories import Mem

from ..machine import Machine
from ..tile import Plan
from ..trace import Hashes
from ..written import sizes
from .arrays import BASES, INTEGRALS, WEIGHTS, Tables, Written
from .panels import Held

__all__ = ["learnt_runs", "taken", "written_of"]

COUNTED = {Resource.ACTIVITY: int(Mem.ACTIVITY), Resource.STATE: int(Mem.STATE), Resource.ERROR: int(Mem.ERROR),
           Resource.BASE: BASES, Resource.INTEGRAL: INTEGRALS, Resource.WEIGHT: WEIGHTS}
"""Places in ``Written.counts``."""


def learnt_runs(machine: Machine, plan: Plan, held: Held) -> list[tuple[int, int, int, int]]:
    """The runs of weights that UPD of a plan writes, all of every plastic word: whether they lie by source, the first,
    how many, and how many of these are weights of the image; of a macro none. Columns that follow each other in a row
    are joined."""
    if machine.config.kind.macro:
        return []
    words, tiles, lanes = machine.tile.weights.shape
    columns, rows = np.arange(plan.columns)[plan.stored][:plan.overwrite.size], plan.groups * tiles
    place, width = held.place(plan)
    found: list[tuple[int, int, int, int]] = []
    for column, number, plastic in zip(columns.tolist(), held.numbers(plan), plan.plastic[::lanes].tolist(),
                                       strict=True):
        if plastic and number is not None:
            found.append((1, place + number * lanes * width, lanes * width, lanes * rows))
        for row in range(rows if plastic and number is None else 0):
            at = (row % tiles * words + plan.base + row // tiles * plan.stride + column) * lanes
            found.append((0, at, lanes, lanes))
    joined: list[tuple[int, int, int, int]] = []
    for run in sorted(found):
        if joined and joined[-1][0] == run[0] and joined[-1][1] + joined[-1][2] == run[1]:
            by_source, first, length, weights = joined.pop()
            run = by_source, first, length + run[2], weights + run[3]
        joined.append(run)
    return joined


def written_of(machine: Machine, by_source: int, on: bool) -> Written:
    """Hashes of a run of ``machine``, which keeps ``by_source`` weights source by source; none unless ``on``."""
    neurons, wide = on * machine.state.size, machine.config.row_sum_bits > 32
    base, integral, weights, sources = (np.zeros(size, np.uint32) for size in (
        neurons, neurons, on * machine.weights.size, on * by_source))
    return Written(on, wide, np.zeros((4, neurons), np.uint32), base, integral, weights, sources, np.zeros(6, np.int64))


def taken(machine: Machine, written: Written, tables: Tables) -> Hashes:
    """The hashes of a run in the order of the elements."""
    words, tiles, lanes = machine.weights.shape
    image = written.weights.reshape(tiles, words, lanes).transpose(1, 0, 2).copy()
    for place, word, groups, stride, width in tables.panels.tolist():
        panel = written.by_source[place:place + lanes * width].reshape(lanes, width)[:, :groups * tiles]
        image[word + stride * np.arange(groups)] = panel.reshape(lanes, groups, tiles).transpose(1, 2, 0)
    hashes = {Resource.BASE: written.base, Resource.INTEGRAL: written.integral, Resource.WEIGHT: image.ravel()} | {
        Resource[mem.name]: written.values[mem] for mem in (Mem.ACTIVITY, Mem.STATE, Mem.ERROR)}
    return Hashes({r: hashes[r] for r in sizes(machine.config)},
                  {r: int(written.counts[COUNTED[r]]) for r in sizes(machine.config)}, list(machine.decisions))
