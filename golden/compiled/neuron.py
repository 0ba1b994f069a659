"""The neuron unit, compiled: ERR, STEP, DELTA, ACT, FIRE and what TRN and UPD take. ``golden.neuron``
defines them.

``row`` is the first neuron and ``rows`` the number of neurons of a sweep; values are exact in int64.
"""

import numpy as np

from hebbar.contract.isa import Sweep
from hebbar.contract.memories import BLOCK, UNIT_PRECISION, Mem

from .jit import part

__all__ = ["activate", "compare", "operand", "feedback", "fire", "settle", "step", "weigh"]

ACTIVITY, STATE, ERROR, CLAMP = int(Mem.ACTIVITY), int(Mem.STATE), int(Mem.ERROR), int(Mem.CLAMP)
BACK, INIT, GATE, POST, NEG = map(int, (Sweep.BACK, Sweep.INIT, Sweep.GATE, Sweep.POST, Sweep.NEG))
UNIT = int(UNIT_PRECISION)
FINEST = (1 << BLOCK["precision"].width) - 1
"""The largest precision code."""


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
def weigh(memory, limits, row, rows, flags, precision):
    """Errors with GATE, where mu is zero, and with a precision: ``e = sat(round(pi (x - mu)))``."""
    state, error, clips, half = memory.values[STATE], memory.values[ERROR], 0, (1 << limits.sum_shift) >> 1
    shift = FINEST - precision
    for r in range(rows):
        mu = 0 if flags & GATE else (memory.sums[r] + half) >> limits.sum_shift
        if flags & INIT and memory.values[CLAMP, row + r] == 0:
            kept = min(max(mu, limits.state_lo), limits.state_hi)
            memory.clipped[1] += kept != mu
            state[row + r] = kept
        exact = (((state[row + r] - mu) << (FINEST - UNIT)) + ((1 << shift) >> 1)) >> shift
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
    first, clips, state = np.uint64(row), 0, memory.values[STATE]
    slopes, table, back, sums = memory.slopes, tables.derivatives[function], memory.back, memory.sums
    for r in range(np.uint64(rows)):
        slopes[r] = table[np.uint64(state[first + r] - limits.state_lo)]
    if flags & GATE:
        lift, raised, shift = limits.back_lift, limits.row_lift, limits.gate_shift
        for r in range(np.uint64(rows)):
            exact = (back[first + r] << lift if flags & BACK else 0) + (sums[r] << raised)
            exact = (exact + ((1 << shift) >> 1)) >> shift
            kept = min(max(exact, limits.feedback_lo), limits.feedback_hi)
            clips += kept != exact
            slopes[r] = slopes[r] * kept
    else:
        half, shift = (1 << limits.back_shift) >> 1, limits.back_shift
        for r in range(np.uint64(rows)):
            exact = (back[first + r] + half) >> shift if flags & BACK else 0
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


@part
def activate(tables, memory, limits, function, row, rows):
    """ACT: ``a = f(x)``."""
    table = tables.functions[function]
    for r in range(row, row + rows):
        memory.values[ACTIVITY, r] = table[memory.values[STATE, r] - limits.state_lo]


@part
def fire(memory, limits, row, rows):
    """FIRE: free states of 1 or more take 0."""
    state, clamp, one = memory.values[STATE], memory.values[CLAMP], 1 << limits.state_frac
    for r in range(row, row + rows):
        if clamp[r] == 0 and state[r] >= one:
            state[r] = 0
