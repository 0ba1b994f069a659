"""The verbs on weights, compiled: FWD, TRN, UPD. ``golden.tile`` and ``golden.feedback_sums`` define them.

Weights of 16 bits are multiplied and added up in int32, by ``vectors``, where the sizes of the sweep's own data prove
that no partial sum can leave it, otherwise in int64; both are exact. ``plan`` is a row of ``Tables.blocks``. Indices
are unsigned, so that LLVM need not provide for negative ones.
"""

import numpy as np

from hebbar.contract.memories import Mem

from .arrays import (
    ACROSS,
    BUFFER,
    CLEARS,
    FEEDS,
    FIRST,
    GATHERS,
    HELD,
    JOINS,
    PADDED,
    ROW_AT,
    ROWS,
    SPAN,
    TOP,
    UPDATES,
)
from .held import add_sources, learn_sources
from .jit import part
from .learn import FINEST, learn, shortened
from .vectors import LEAST, WIDTH, add_rows, dot_rows, learn_rows

__all__ = ["feed_back", "forward", "gather", "update"]

ACTIVITY = int(Mem.ACTIVITY)


@part
def gather(tables, plan, memory):
    """Activities by lane, as they are and shifted into line; returns the sum of the latter's sizes."""
    activity, raw, aligned, total = memory.values[ACTIVITY], memory.raw, memory.aligned, 0
    for s in range(plan[GATHERS], plan[FEEDS]):
        run, size = tables.runs[s], np.int32(0)
        to, source, shift = np.uint64(plan[BUFFER] + run[0]), np.uint64(run[1]), np.int32(run[3] & 7)
        for j in range(np.uint64(run[2])):
            a = activity[source + j]
            lifted = np.int32(a << shift)
            raw[to + j], aligned[to + j] = a, lifted
            size = np.int32(size + abs(lifted))
        total += size
    return total


@part
def forward(tables, plan, memory, limits, narrow):
    """FWD: exact row sums, in int32 when ``narrow``, and what identity columns add."""
    weights, aligned, activity, sums = memory.weights, memory.aligned, memory.values[ACTIVITY], memory.sums
    n, a, first, rows = plan[SPAN], np.uint64(plan[BUFFER]), np.uint64(plan[ROW_AT]), np.uint64(plan[ROWS])
    if narrow and n and limits.weight_lo >= LEAST:
        dot_rows(weights, tables.row_at, plan[ROW_AT], plan[ROWS], aligned, plan[BUFFER], n, sums)
    else:
        for r in range(rows):
            w, total = np.uint64(tables.row_at[first + r]), 0
            for j in range(np.uint64(n)):
                total += np.int64(weights[w + j]) * np.int64(aligned[a + j])
            sums[r] = total
    add_sources(tables, plan, memory, limits)
    for s in range(plan[JOINS], plan[ACROSS]):
        row, neuron, shift = tables.runs[s, 0], tables.runs[s, 1], tables.runs[s, 3]
        for j in range(tables.runs[s, 2]):
            sums[row + j] += (activity[neuron + j] * limits.one) << shift


@part
def feed(tables, plan, memory, lane, lanes, begin, narrow):
    """TRN: contributions of the rows from ``begin`` on to the feedback sums of a run of lanes, into ``wide``."""
    weights, first, wide, factors = memory.weights, plan[ROW_AT] + begin, memory.wide, memory.factors
    count = plan[ROWS] - begin
    if narrow:
        add_rows(weights, lane, tables.row_at, first, factors[begin:], count, memory.narrow, lanes)
        for j in range(np.uint64(lanes)):
            wide[j] = memory.narrow[j]
        return
    for j in range(np.uint64(lanes)):
        wide[j] = 0
    for r in range(count):
        w, d = np.uint64(tables.row_at[first + r] + lane), np.int64(factors[begin + r])
        for j in range(np.uint64(lanes)):
            wide[j] += weights[w + j] * d


@part
def feed_back(tables, plan, memory, limits, operand, at):
    """TRN of a block, added to the feedback sums column by column; ``operand`` of row r lies at ``at + r``."""
    size, back = take(memory, operand, at, plan[ROWS]), memory.back
    narrow = size * -limits.weight_lo <= TOP and limits.weight_lo >= LEAST
    for s in range(plan[CLEARS], plan[HELD]):
        for j in range(tables.runs[s, 2]):
            back[tables.runs[s, 1] + j] = 0
    for s in range(plan[FEEDS], plan[UPDATES]):
        lane, neuron, lanes, overwrite = tables.runs[s, 0], tables.runs[s, 1], tables.runs[s, 2], tables.runs[s, 3]
        feed(tables, plan, memory, lane, lanes, tables.runs[s, 4], narrow)
        to = np.uint64(neuron)
        for j in range(np.uint64(lanes)):
            back[to + j] = memory.wide[j] if overwrite else back[to + j] + memory.wide[j]
    for s in range(plan[ACROSS], plan[CLEARS]):
        row, neuron = at + tables.runs[s, 0], tables.runs[s, 1]
        for j in range(tables.runs[s, 2]):
            back[neuron + j] += operand[row + j] * limits.one


@part
def take(memory, operand, at, rows):
    """The operands of TRN and UPD into ``factors``, a zero behind them; returns the sum of their sizes."""
    factors, first, size = memory.factors, np.uint64(at), 0
    for r in range(np.uint64(rows)):
        factors[r] = operand[first + r]
        size += abs(operand[first + r])
    factors[np.uint64(rows)] = 0
    return size


@part
def update(tables, plan, memory, limits, operand, at):
    """UPD of a block, run by run; a weight from a neuron to itself is left out where asked.

    Positive weights are clipped in all rows of the row groups, also where nothing changes.
    """
    rows, first, clips = plan[ROWS], plan[ROW_AT], 0
    take(memory, operand, at, rows)
    for s in range(plan[UPDATES], plan[JOINS]):
        run = tables.runs[s]
        lane, lanes, rate, diagonal, positive = run[0], run[2], memory.rates[run[3]], run[4], run[5]
        if diagonal or positive or not shortened(limits, rate, rows):
            clips += learn_singly(tables, plan, memory, limits, run, rate)
            continue
        a, shift = np.uint64(plan[BUFFER] + lane), np.int16(FINEST - rate)
        for j in range(np.uint64(lanes)):
            memory.lifted[j] = memory.raw[a + j] << shift
        for j in range(np.uint64(lanes), np.uint64(lanes + WIDTH)):
            memory.lifted[j] = 0
        clips += learn_rows(memory.weights, lane, tables.row_at, first, memory.factors, rows, memory.lifted, lanes,
                            limits.weight_lo, limits.weight_hi)
    memory.clipped[3] += clips + learn_sources(tables, plan, memory, limits)


@part
def learn_singly(tables, plan, memory, limits, run, rate):
    """UPD of a run of lanes, row by row in 32 bits; returns the clips."""
    weights, raw, clips, hi = memory.weights, memory.raw, 0, limits.weight_hi
    lane, neuron, lanes, diagonal, positive = run[0], run[1], run[2], run[4], run[5]
    start, lo = plan[BUFFER] + lane, 0 if positive else limits.weight_lo
    for r in range(plan[PADDED] if positive else plan[ROWS]):
        d = memory.factors[r] if r < plan[ROWS] else np.int16(0)
        place, own = tables.row_at[plan[ROW_AT] + r] + lane, plan[FIRST] + r - neuron
        held = diagonal and 0 <= own < lanes
        kept = weights[place + own] if held else weights[place]
        clips += learn(weights, place, raw, start, lanes, d, rate, lo, hi)
        if held:  # undo it, and its clip
            weights[place + own] = kept
            clips -= learn(weights, place + own, raw, start + own, 1, d, rate, lo, hi)
            weights[place + own] = max(kept, lo)
            clips += kept < lo
    return clips
