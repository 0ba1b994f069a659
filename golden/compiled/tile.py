"""The verbs on weights, compiled: FWD, TRN, UPD. ``golden.tile`` and ``golden.back_sums`` define them.

Sums run in int32 where the sizes of the sweep's own data prove that no partial sum can leave it,
otherwise in int64; both are exact. ``plan`` is a row of ``Tables.blocks``. Indices are unsigned, so
that LLVM need not provide for negative ones.
"""

import numpy as np

from hebbar.memories import Mem

from .arrays import TOP
from .jit import added, halved, part, scaled

__all__ = ["feed_back", "forward", "gather", "update"]

LEAST, MOST = -(1 << 15), (1 << 15) - 1
"""The ends of int16."""
ACTIVITY, ERROR = int(Mem.ACTIVITY), int(Mem.ERROR)


@part
def gather(tables, plan, memory):
    """Activities by lane, as they are and shifted into line; returns the sum of the latter's sizes."""
    activity, raw, aligned, size = memory.values[ACTIVITY], memory.raw, memory.aligned, 0
    for s in range(plan[5], plan[6]):
        run = tables.gathers[s]
        to, source, shift = np.uint64(plan[3] + run[0]), np.uint64(run[1]), np.int32(run[3] & 7)
        for j in range(np.uint64(run[2])):
            a = activity[source + j]
            raw[to + j] = a
            aligned[to + j] = a << shift
            size += abs(a << shift)
    return size


@part
def forward(tables, plan, memory, narrow):
    """FWD: exact row sums, in int32 when ``narrow``."""
    weights, aligned = memory.weights, memory.aligned
    n, a = np.uint64(plan[2]), np.uint64(plan[3])
    for r in range(plan[1]):
        w = np.uint64(tables.row_at[plan[4] + r])
        short, long = np.int32(0), 0
        if narrow:
            for j in range(n):
                short = np.int32(short + np.int32(weights[w + j]) * np.int32(aligned[a + j]))
        else:
            for j in range(n):
                long += np.int64(weights[w + j]) * np.int64(aligned[a + j])
        memory.sums[r] = short + long


@part
def feed(weights, row_at, first, lane, lanes, error, row, rows, total):
    """TRN: contributions to the back sums of a run of lanes, in the width of ``total``."""
    n = np.uint64(lanes)
    for j in range(n):
        total[j] = 0
    for r in range(rows):
        w, e = np.uint64(row_at[first + r] + lane), error[row + r]
        if e:
            for j in range(n):
                total[j] += np.int32(weights[w + j]) * e


@part
def feed_back(tables, plan, memory, limits):
    """TRN of a block, added to the back sums column by column."""
    error, size = memory.values[ERROR], 0
    for r in range(plan[0], plan[0] + plan[1]):
        size += abs(error[r])
    narrow = size * -limits.weight_lo <= TOP
    for s in range(plan[7], plan[8]):
        lane, neuron, lanes, fresh = tables.feeds[s, 0], tables.feeds[s, 1], tables.feeds[s, 2], tables.feeds[s, 3]
        if narrow:
            feed(memory.weights, tables.row_at, plan[4], lane, lanes, error, plan[0], plan[1], memory.narrow)
        else:
            feed(memory.weights, tables.row_at, plan[4], lane, lanes, error, plan[0], plan[1], memory.wide)
        for j in range(lanes):
            before = 0 if fresh else memory.back[neuron + j]
            memory.back[neuron + j] = before + (memory.narrow[j] if narrow else memory.wide[j])


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
    """The same in 16 bits, from activities lifted to a rate of 16."""
    w, a, e = np.uint64(at), np.uint64(start), np.int16(error)
    lo, hi, clips = np.int16(lo), np.int16(hi), np.int16(0)
    for j in range(np.uint64(lanes)):
        old, change = np.int16(weights[w + j]), scaled(e, lifted[a + j])
        kept = min(max(added(old, change), lo), hi)
        clips = np.int16(clips + np.int16(kept != np.int16(old + change)))
        weights[w + j] = kept
    return np.int32(clips)


@part
def update(tables, plan, memory, limits):
    """UPD of a block, run by run and row by row; a weight from a neuron to itself is left out where asked.

    In 16 bits when activities can be lifted to a rate of 16, the weights fit and clips can be counted.
    """
    weights, error, raw, lifted = memory.weights, memory.values[ERROR], memory.raw, memory.lifted
    row, rows, first, clips, lo, hi = plan[0], plan[1], plan[4], 0, limits.weight_lo, limits.weight_hi
    for s in range(plan[9], plan[10]):
        run = tables.updates[s]
        lane, neuron, lanes, rate, start = run[0], run[1], run[2], memory.rates[run[3]], plan[3] + run[0]
        diagonal, short = run[4], 8 <= rate <= 16 and lo >= LEAST and lanes <= MOST
        if short:
            lift(raw, lifted, start, lanes, 16 - rate)
        for r in range(rows):
            e, at, own = error[row + r], tables.row_at[first + r] + lane, row + r - neuron
            if e == 0:
                continue
            held = diagonal and 0 <= own < lanes
            kept = weights[at + own] if held else weights[at]
            if short:
                clips += learn_short(weights, at, lifted, start, lanes, e, lo, hi)
            else:
                clips += learn(weights, at, raw, start, lanes, e, rate, lo, hi)
            if held:  # undo it, and its clip
                weights[at + own] = kept
                clips -= learn(weights, at + own, raw, start + own, 1, e, rate, lo, hi)
                weights[at + own] = kept
    memory.clipped[3] += clips
