"""The verbs on weights, compiled: FWD, TRN, UPD. ``golden.tile`` and ``golden.feedback_sums`` define them.

Sums run in int32 where the sizes of the sweep's own data prove that no partial sum can leave it,
otherwise in int64; both are exact. ``plan`` is a row of ``Tables.blocks``. Indices are unsigned, so
that LLVM need not provide for negative ones.
"""

import numpy as np

from hebbar.contract.memories import Mem

from .arrays import ACROSS, BUFFER, CLEARS, END, FEEDS, FIRST, GATHERS, JOINS, LANES, PADDED, ROW_AT, ROWS, TOP, UPDATES
from .jit import added, halved, part, scaled

__all__ = ["feed_back", "forward", "gather", "update"]

LEAST, MOST = -(1 << 15), (1 << 15) - 1
"""The ends of int16."""
ACTIVITY = int(Mem.ACTIVITY)


@part
def gather(tables, plan, memory):
    """Activities by lane, as they are and shifted into line; returns the sum of the latter's sizes."""
    activity, raw, aligned, size = memory.values[ACTIVITY], memory.raw, memory.aligned, 0
    for s in range(plan[GATHERS], plan[FEEDS]):
        run = tables.runs[s]
        to, source, shift = np.uint64(plan[BUFFER] + run[0]), np.uint64(run[1]), np.int32(run[3] & 7)
        for j in range(np.uint64(run[2])):
            a = activity[source + j]
            raw[to + j] = a
            aligned[to + j] = a << shift
            size += abs(a << shift)
    return size


@part
def forward(tables, plan, memory, limits, narrow):
    """FWD: exact row sums, in int32 when ``narrow``, and what identity columns add."""
    weights, aligned, activity = memory.weights, memory.aligned, memory.values[ACTIVITY]
    n, a = np.uint64(plan[LANES]), np.uint64(plan[BUFFER])
    for r in range(plan[ROWS]):
        w = np.uint64(tables.row_at[plan[ROW_AT] + r])
        short, long = np.int32(0), 0
        if narrow:
            for j in range(n):
                short = np.int32(short + np.int32(weights[w + j]) * np.int32(aligned[a + j]))
        else:
            for j in range(n):
                long += np.int64(weights[w + j]) * np.int64(aligned[a + j])
        memory.sums[r] = short + long
    for s in range(plan[JOINS], plan[ACROSS]):
        row, neuron, shift = tables.runs[s, 0], tables.runs[s, 1], tables.runs[s, 3]
        for j in range(tables.runs[s, 2]):
            memory.sums[row + j] += (activity[neuron + j] * limits.one) << shift


@part
def feed(weights, row_at, first, lane, lanes, operand, at, begin, rows, total):
    """TRN: contributions to the feedback sums of a run of lanes, in the width of ``total``."""
    n = np.uint64(lanes)
    for j in range(n):
        total[j] = 0
    for r in range(begin, rows):
        w, d = np.uint64(row_at[first + r] + lane), operand[at + r]
        if d:
            for j in range(n):
                total[j] += np.int32(weights[w + j]) * d


@part
def feed_back(tables, plan, memory, limits, operand, at):
    """TRN of a block, added to the feedback sums column by column; ``operand`` of row r lies at ``at + r``."""
    size, rows, first = 0, plan[ROWS], plan[ROW_AT]
    for r in range(at, at + rows):
        size += abs(operand[r])
    narrow = size * -limits.weight_lo <= TOP
    for s in range(plan[CLEARS], plan[END]):
        for j in range(tables.runs[s, 2]):
            memory.back[tables.runs[s, 1] + j] = 0
    for s in range(plan[FEEDS], plan[UPDATES]):
        lane, neuron, lanes, overwrite = tables.runs[s, 0], tables.runs[s, 1], tables.runs[s, 2], tables.runs[s, 3]
        begin = tables.runs[s, 4]
        if narrow:
            feed(memory.weights, tables.row_at, first, lane, lanes, operand, at, begin, rows, memory.narrow)
        else:
            feed(memory.weights, tables.row_at, first, lane, lanes, operand, at, begin, rows, memory.wide)
        for j in range(lanes):
            before = 0 if overwrite else memory.back[neuron + j]
            memory.back[neuron + j] = before + (memory.narrow[j] if narrow else memory.wide[j])
    for s in range(plan[ACROSS], plan[CLEARS]):
        row, neuron = at + tables.runs[s, 0], tables.runs[s, 1]
        for j in range(tables.runs[s, 2]):
            memory.back[neuron + j] += operand[row + j] * limits.one


@part
def learn(weights, at, raw, start, lanes, error, rate, lo, hi):
    """UPD of a run of lanes of a row: ``w = sat(w + round(e a >> rate))``; returns the clips."""
    w, a, shift, half = np.uint64(at), np.uint64(start), np.int32(rate & 31), np.int32((1 << rate) >> 1)
    lo, hi, clips = np.int32(lo), np.int32(hi), np.int32(0)
    for j in range(np.uint64(lanes)):
        new = np.int32(weights[w + j] + halved(np.int32(np.int32(error * raw[a + j]) + half), shift))
        kept = min(max(new, lo), hi)
        clips = np.int32(clips + np.int32(kept != new))
        weights[w + j] = kept
    return clips


@part
def lift(raw, lifted, start, lanes, shift):
    """Activities shifted left; 8 bits by up to 8 stay in 16."""
    a = np.uint64(start)
    for j in range(np.uint64(lanes)):
        lifted[a + j] = raw[a + j] << shift


@part
def learn_short(weights, at, lifted, start, lanes, error, lo, hi):
    """Learn one row in 16 bits, from activities lifted to a rate of 16."""
    w, a, e = np.uint64(at), np.uint64(start), np.int16(error)
    lo, hi, clips = np.int16(lo), np.int16(hi), np.int16(0)
    for j in range(np.uint64(lanes)):
        old, change = np.int16(weights[w + j]), scaled(e, lifted[a + j])
        kept = min(max(added(old, change), lo), hi)
        clips = np.int16(clips + np.int16(kept != np.int16(old + change)))
        weights[w + j] = kept
    return np.int32(clips)


@part
def update(tables, plan, memory, limits, operand, at):
    """UPD of a block, run by run and row by row; a weight from a neuron to itself is left out where asked.

    In 16 bits when activities can be lifted to a rate of 16, the weights fit and clips can be counted.
    Positive weights are clipped in all rows of the row groups, also where nothing changes.
    """
    weights, raw, lifted = memory.weights, memory.raw, memory.lifted
    row, rows, first, clips, hi = plan[FIRST], plan[ROWS], plan[ROW_AT], 0, limits.weight_hi
    for s in range(plan[UPDATES], plan[JOINS]):
        run = tables.runs[s]
        lane, neuron, lanes, rate, start = run[0], run[1], run[2], memory.rates[run[3]], plan[BUFFER] + run[0]
        diagonal, positive = run[4], run[5]
        lo = 0 if positive else limits.weight_lo
        short = 8 <= rate <= 16 and limits.weight_lo >= LEAST and lanes <= MOST
        if short:
            lift(raw, lifted, start, lanes, 16 - rate)
        for r in range(plan[PADDED] if positive else rows):
            d = operand[at + r] if r < rows else np.int32(0)
            place, own = tables.row_at[first + r] + lane, row + r - neuron
            if d == 0 and not positive:
                continue
            held = diagonal and 0 <= own < lanes
            kept = weights[place + own] if held else weights[place]
            if short:
                clips += learn_short(weights, place, lifted, start, lanes, d, lo, hi)
            else:
                clips += learn(weights, place, raw, start, lanes, d, rate, lo, hi)
            if held:  # undo it, and its clip
                weights[place + own] = kept
                clips -= learn(weights, place + own, raw, start + own, 1, d, rate, lo, hi)
                weights[place + own] = max(kept, lo)
                clips += kept < lo
    memory.clipped[3] += clips
