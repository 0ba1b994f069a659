"""The neuron unit, compiled: ERR, STEP, DELTA. ``golden.neuron`` defines them.

``row`` is the first neuron and ``rows`` the number of neurons of a sweep; values are exact in int64.
"""

import numpy as np

from hebbar.memories import Mem

from .jit import part

__all__ = ["compare", "drive", "settle", "step"]

STATE, ERROR, CLAMP = int(Mem.STATE), int(Mem.ERROR), int(Mem.CLAMP)


@part
def compare(memory, limits, row, rows, init):
    """ERR, with INIT: ``mu = round(sum)``, free states take it, ``e = sat(x - mu)``."""
    state, error, clamp, sums = memory.values[STATE], memory.values[ERROR], memory.values[CLAMP], memory.sums
    first, half, clips = np.uint64(row), (1 << limits.sum_shift) >> 1, 0
    if init:
        for r in range(np.uint64(rows)):
            mu = (sums[r] + half) >> limits.sum_shift
            kept, free = min(max(mu, limits.state_lo), limits.state_hi), clamp[first + r] == 0
            clips += free and kept != mu
            state[first + r] = kept if free else state[first + r]
        memory.clipped[1] += clips
        clips = 0
    for r in range(np.uint64(rows)):
        exact = state[first + r] - ((sums[r] + half) >> limits.sum_shift)
        kept = min(max(exact, limits.error_lo), limits.error_hi)
        clips += kept != exact
        error[first + r] = kept
    memory.clipped[0] += clips


@part
def drive(tables, memory, limits, function, row, rows, back):
    """``f'(x) sat(round(back))`` of every row, into ``slopes``; without ``back`` zero."""
    first, half, clips, state = np.uint64(row), (1 << limits.back_shift) >> 1, 0, memory.values[STATE]
    slopes, table = memory.slopes, tables.derivatives[function]
    for r in range(np.uint64(rows)):
        slopes[r] = table[np.uint64(state[first + r] - limits.state_lo)]
    for r in range(np.uint64(rows)):
        exact = (memory.back[first + r] + half) >> limits.back_shift if back else 0
        kept = min(max(exact, limits.feedback_lo), limits.feedback_hi)
        clips += kept != exact
        slopes[r] = slopes[r] * kept
    memory.clipped[2] += clips


@part
def settle(memory, limits, row, rows):
    """DELTA: ``e = sat(round(f'(x) back))``."""
    first, half, clips, error = np.uint64(row), (1 << limits.derivative_frac) >> 1, 0, memory.values[ERROR]
    for r in range(np.uint64(rows)):
        exact = (memory.slopes[r] + half) >> limits.derivative_frac
        kept = min(max(exact, limits.error_lo), limits.error_hi)
        clips += kept != exact
        error[first + r] = kept
    memory.clipped[0] += clips


@part
def step(memory, limits, row, rows, gain):
    """STEP: free states take ``x = sat(x + round(gain (f'(x) back - e)))``."""
    first, half, clips = np.uint64(row), (1 << limits.step_shift) >> 1, 0
    state, error, clamp = memory.values[STATE], memory.values[ERROR], memory.values[CLAMP]
    for r in range(np.uint64(rows)):
        pull = np.int64(np.int32(memory.slopes[r] - (error[first + r] << limits.derivative_frac)))
        exact = state[first + r] + ((gain * pull + half) >> limits.step_shift)
        kept, free = min(max(exact, limits.state_lo), limits.state_hi), clamp[first + r] == 0
        clips += free and kept != exact
        state[first + r] = kept if free else state[first + r]
    memory.clipped[1] += clips
