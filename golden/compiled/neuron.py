"""The neuron unit, compiled: ERR, STEP, DELTA, ACT, FIRE and what TRN and UPD take. ``golden.neuron``
defines them.

``row`` is the first neuron and ``rows`` the number of neurons of a sweep. Sums are int64, what they are rounded to is
int32: f' has 9 bits and fb at most 20.
"""

import numpy as np

from hebbar.contract.isa import Sweep
from hebbar.contract.memories import BLOCK, UNIT_PRECISION, Mem

from .jit import halved, part

__all__ = ["activate", "compare", "operand", "feedback", "fire", "integrate", "settle", "step", "weigh"]

ACTIVITY, STATE, ERROR, CLAMP = int(Mem.ACTIVITY), int(Mem.STATE), int(Mem.ERROR), int(Mem.CLAMP)
BACK, INIT, GATE, POST, NEG = map(int, (Sweep.BACK, Sweep.INIT, Sweep.GATE, Sweep.POST, Sweep.NEG))
UNIT = int(UNIT_PRECISION)
FINEST = (1 << BLOCK["precision"].width) - 1
"""The largest precision code."""
FAR = 1 << 30
"""What rounded sums are cut to, beyond every format and any precision."""
SMALL = 15
"""Gains with which a pull of 28 bits stays in int32."""


@part
def round_rows(source, at, rows, shift, rounded):
    """``round(source >> shift)`` in int32; what leaves +-2**30 does so far beyond every format, so that ends serve."""
    first, half = np.uint64(at), (1 << shift) >> 1
    for r in range(np.uint64(rows)):
        rounded[r] = min(max((source[first + r] + half) >> shift, -FAR), FAR)


@part
def compare(memory, limits, row, rows, init):
    """ERR, with INIT: ``mu = round(sum)``, free states take it, ``e = sat(x - mu)``."""
    state, error, clamp, mu = memory.values[STATE], memory.values[ERROR], memory.values[CLAMP], memory.rounded
    first, clips = np.uint64(row), np.int32(0)
    round_rows(memory.sums, 0, rows, limits.sum_shift, mu)
    if init:
        lo, hi = np.int32(limits.state_lo), np.int32(limits.state_hi)
        for r in range(np.uint64(rows)):
            kept, free = min(max(mu[r], lo), hi), clamp[first + r] == 0
            clips = np.int32(clips + np.int32(free and kept != mu[r]))
            state[first + r] = kept if free else state[first + r]
        memory.clipped[1] += clips
        clips = np.int32(0)
    lo, hi = np.int32(limits.error_lo), np.int32(limits.error_hi)
    for r in range(np.uint64(rows)):
        exact = np.int32(state[first + r] - mu[r])
        kept = min(max(exact, lo), hi)
        clips = np.int32(clips + np.int32(kept != exact))
        error[first + r] = kept
    memory.clipped[0] += clips


@part
def predicted(memory, limits, row, r, flags):
    """mu of row ``r``, 0 with GATE; with INIT a free state takes it."""
    mu = 0 if flags & GATE else (memory.sums[r] + ((1 << limits.sum_shift) >> 1)) >> limits.sum_shift
    if flags & INIT and memory.values[CLAMP, row + r] == 0:
        kept = min(max(mu, limits.state_lo), limits.state_hi)
        memory.clipped[1] += kept != mu
        memory.values[STATE, row + r] = kept
    return mu


@part
def weigh(memory, limits, row, rows, flags, precision):
    """Errors with GATE, where mu is zero, and with a precision: ``e = sat(round(pi (x - mu)))``."""
    state, error, clips = memory.values[STATE], memory.values[ERROR], 0
    shift = FINEST - precision
    for r in range(rows):
        mu = predicted(memory, limits, row, r, flags)
        exact = (((state[row + r] - mu) << (FINEST - UNIT)) + ((1 << shift) >> 1)) >> shift
        kept = min(max(exact, limits.error_lo), limits.error_hi)
        clips += kept != exact
        error[row + r] = kept
    memory.clipped[0] += clips


@part
def integrate(memory, limits, row, rows, flags, precision):
    """ERR with INTEGRATE: the integral l, and ``e = sat(l + floor(2 pi (x - mu)))`` of the l from before; a state at
    an end of its format adds nothing."""
    state, error, clips = memory.values[STATE], memory.values[ERROR], 0
    shift = FINEST - precision
    for r in range(rows):
        mu = predicted(memory, limits, row, r, flags)
        x = np.int64(state[row + r])
        moving = 0 if x == limits.state_lo or x == limits.state_hi else (x - mu) << (FINEST - UNIT)
        before = 0 if flags & INIT else memory.integral[row + r]
        total = before + ((moving + ((1 << shift) >> 1)) >> shift)
        memory.integral[row + r] = min(max(total, limits.error_lo), limits.error_hi)
        exact = before + ((moving << 1) >> shift)
        kept = min(max(exact, limits.error_lo), limits.error_hi)
        clips += kept != exact
        error[row + r] = kept
    memory.clipped[0] += clips


@part
def operand(memory, limits, row, rows, align, flags):
    """What TRN and UPD take with POST or NEG, into ``operand``."""
    first, lo, hi, out = np.uint64(row), limits.error_lo, limits.error_hi, memory.operand
    source, shift = memory.values[ACTIVITY if flags & POST else ERROR], align if flags & POST else 0
    for r in range(np.uint64(rows)):
        value = min(max(np.int64(source[first + r]) << shift, lo), hi)
        out[r] = min(max(-value, lo), hi) if flags & NEG else value


@part
def feedback(tables, memory, limits, function, row, rows, flags):
    """``f'(x) fb`` of every row, into ``slopes``: fb from the feedback sums with BACK, the row sums with GATE."""
    first, state, mask = np.uint64(row), memory.values[STATE], np.uint32(limits.state_hi - limits.state_lo)
    slopes, table, back, sums = memory.slopes, tables.derivatives[function], memory.back, memory.sums
    exact, clips = memory.rounded, np.int32(0)
    if flags & GATE:
        lift, raised = limits.back_lift, limits.row_lift
        for r in range(np.uint64(rows)):
            memory.mu[r] = (back[first + r] << lift if flags & BACK else 0) + (sums[r] << raised)
        round_rows(memory.mu, 0, rows, limits.gate_shift, exact)
    elif flags & BACK:
        round_rows(back, row, rows, limits.back_shift, exact)
    else:
        for r in range(np.uint64(rows)):
            exact[r] = 0
    lo, hi = np.int32(limits.feedback_lo), np.int32(limits.feedback_hi)
    for r in range(np.uint64(rows)):
        slopes[r] = table[np.uint64(np.uint32(state[first + r]) & mask)]
    for r in range(np.uint64(rows)):
        kept = min(max(exact[r], lo), hi)
        clips = np.int32(clips + np.int32(kept != exact[r]))
        slopes[r] = np.int32(slopes[r] * kept)
    memory.clipped[2] += clips


@part
def settle(memory, limits, row, rows):
    """DELTA: ``e = sat(round(f'(x) back))``."""
    first, shift, error = np.uint64(row), np.int32(limits.derivative_frac & 31), memory.values[ERROR]
    clips = np.int32(0)
    half, lo, hi = np.int32((1 << limits.derivative_frac) >> 1), np.int32(limits.error_lo), np.int32(limits.error_hi)
    for r in range(np.uint64(rows)):
        exact = halved(np.int32(memory.slopes[r] + half), shift)
        kept = min(max(exact, lo), hi)
        clips = np.int32(clips + np.int32(kept != exact))
        error[first + r] = kept
    memory.clipped[0] += clips


@part
def step(memory, limits, row, rows, gain, shift):
    """STEP: free states take ``x = sat(x + round(gain (f'(x) back - e)))``; the shift is that of an odd gain."""
    first, slopes, frac = np.uint64(row), memory.slopes, np.int32(limits.derivative_frac & 31)
    error, change, half = memory.values[ERROR], memory.rounded, (1 << shift) >> 1
    if gain <= SMALL:
        times, short, middle = np.int32(gain), np.int32(shift & 31), np.int32(half)
        for r in range(np.uint64(rows)):
            pull = np.int32(slopes[r] - np.int32(error[first + r] << frac))
            change[r] = halved(np.int32(np.int32(times * pull) + middle), short)
    else:
        for r in range(np.uint64(rows)):
            pull = np.int32(slopes[r] - np.int32(error[first + r] << frac))
            change[r] = (gain * pull + half) >> shift
    state, clamp, clips = memory.values[STATE], memory.values[CLAMP], np.int32(0)
    lo, hi = np.int32(limits.state_lo), np.int32(limits.state_hi)
    for r in range(np.uint64(rows)):
        exact = np.int32(state[first + r] + change[r])
        kept, free = min(max(exact, lo), hi), clamp[first + r] == 0
        clips = np.int32(clips + np.int32(free and kept != exact))
        state[first + r] = kept if free else state[first + r]
    memory.clipped[1] += clips


@part
def activate(tables, memory, limits, function, row, rows):
    """ACT: ``a = f(x)``."""
    table, first, mask = tables.functions[function], np.uint64(row), np.uint32(limits.state_hi - limits.state_lo)
    state, activity = memory.values[STATE], memory.values[ACTIVITY]
    for r in range(np.uint64(rows)):
        activity[first + r] = table[np.uint64(np.uint32(state[first + r]) & mask)]


@part
def fire(memory, limits, row, rows):
    """FIRE: free states of 1 or more take 0."""
    state, clamp, one = memory.values[STATE], memory.values[CLAMP], 1 << limits.state_frac
    for r in range(row, row + rows):
        if clamp[r] == 0 and state[r] >= one:
            state[r] = 0
