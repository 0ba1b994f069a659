"""FWD and UPD of held sources, compiled: their weights lie source by source, and zero activities cost nothing.

``golden.tile`` defines them. What lies beyond the rows of a source is zero and stays so, so that loops take whole
vectors.
"""

import numpy as np

from hebbar.contract.memories import Mem

from .arrays import END, HELD, ROWS, SOURCES, TOP, WIDTH
from .jit import part
from .learn import FINEST, learn, shortened
from .vectors import LEAST, WIDTH as MARGIN, add_rows, learn_rows

__all__ = ["add_sources", "learn_sources", "turn"]

ACTIVITY = int(Mem.ACTIVITY)


@part
def turn(tables, memory, shape, back):
    """Copy the panels from row order to source order, or ``back``."""
    words, tiles, lanes = shape
    for p in range(len(tables.panels)):
        place, word, groups, stride, width = tables.panels[p]
        for row in range(groups * tiles):
            at = (row % tiles * words + word + row // tiles * stride) * lanes
            for lane in range(lanes):
                if back:
                    memory.weights[at + lane] = memory.by_source[place + lane * width + row]
                else:
                    memory.by_source[place + lane * width + row] = memory.weights[at + lane]


@part
def list_activities(tables, memory, number):
    """Note which activities of a list are not zero, and where the weights of their sources begin."""
    neuron, length, at, width = tables.lists[number]
    activity, source, first, size = memory.values[ACTIVITY], np.uint64(neuron), np.uint64(at), np.int32(0)
    live, level, k = memory.live, memory.level, np.uint64(at)
    for j in range(np.uint64(length)):
        live[k] = j
        k += np.uint64(activity[source + j] != 0)
    for i in range(first, k):
        a = activity[source + np.uint64(live[i])]
        level[i] = a
        size = np.int32(size + abs(a))
        live[i] *= width
    memory.listed[number, 0], memory.listed[number, 1] = k - first, size


@part
def add_sources(tables, plan, memory, limits):
    """FWD of held sources, added to the row sums: in int32 where the sizes of the activities prove it, else int64."""
    rows, width, sums = np.uint64(plan[ROWS]), plan[WIDTH], memory.sums
    for s in range(plan[HELD], plan[END]):
        run, number = tables.runs[s], tables.runs[s, 5]
        if memory.listed[number, 0] < 0:
            list_activities(tables, memory, number)
        base, shift = plan[SOURCES] + run[0] * width, run[3]
        first, count = tables.lists[number, 2], memory.listed[number, 0]
        if limits.weight_lo >= LEAST and memory.listed[number, 1] * -limits.weight_lo <= TOP:
            lift(memory, first, count, 0)
            add_rows(memory.by_source, base, memory.live, first, memory.factors, count, memory.narrow, width)
            for r in range(rows):
                sums[r] += np.int64(memory.narrow[r]) << shift
        else:
            for k in range(first, first + count):
                w, a = np.uint64(base + memory.live[k]), np.int64(memory.level[k]) << shift
                for r in range(rows):
                    sums[r] += memory.by_source[w + r] * a


@part
def lift(memory, first, count, shift):
    """Listed activities shifted left into ``factors``, and a zero behind them."""
    i = np.uint64(first)
    for k in range(np.uint64(count)):
        memory.factors[k] = memory.level[i + k] << np.int16(shift)
    memory.factors[count] = 0


@part
def learn_sources(tables, plan, memory, limits):
    """UPD of held sources, whose rows' errors are in ``factors``; returns the clips."""
    clips, width, rows = 0, plan[WIDTH], plan[ROWS]
    if plan[HELD] == plan[END]:
        return clips
    for r in range(np.uint64(width + MARGIN)):
        memory.lifted[r] = memory.factors[r] if r < np.uint64(rows) else np.int16(0)
    for s in range(plan[HELD], plan[END]):
        run, number = tables.runs[s], tables.runs[s, 5]
        if run[4] < 0:
            continue
        if memory.listed[number, 0] < 0:
            list_activities(tables, memory, number)
        base, rate = plan[SOURCES] + run[0] * width, memory.rates[run[4]]
        first, count = tables.lists[number, 2], memory.listed[number, 0]
        if shortened(limits, rate, count):
            lift(memory, first, count, FINEST - rate)
            clips += learn_rows(memory.by_source, base, memory.live, first, memory.factors, count, memory.lifted,
                                width, limits.weight_lo, limits.weight_hi)
        else:
            for k in range(first, first + count):
                clips += learn(memory.by_source, base + memory.live[k], memory.lifted, 0, rows, memory.level[k], rate,
                               limits.weight_lo, limits.weight_hi)
    return clips
