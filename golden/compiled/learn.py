"""UPD of rows of weights, compiled. ``golden.tile`` defines it.

In 16 bits, by ``vectors.learn_rows``, when activities can be lifted to a rate of 15 and the weights fit; else in 32.
"""

import numpy as np

from .jit import halved, part
from .vectors import LEAST

__all__ = ["FINEST", "learn", "shortened"]

FINEST = 15
"""The rate of learning in 16 bits."""
COUNTED = 1 << 15
"""Rows whose clips are counted in 16 bits."""


@part
def shortened(limits, rate, count):
    """Whether ``count`` rows can learn in 16 bits: 8 bits of an activity by up to 7 more never reach -2**15, nor
    do more bits by as many fewer."""
    return limits.least_short <= rate <= FINEST and limits.weight_lo >= LEAST and count < COUNTED


@part
def learn(weights, at, vector, start, lanes, factor, rate, lo, hi):
    """``w = sat(w + round(vector factor >> rate))`` of a run of weights; returns the clips."""
    w, a, shift, half = np.uint64(at), np.uint64(start), np.int32(rate & 31), np.int32((1 << rate) >> 1)
    lo, hi, clips, factor = np.int32(lo), np.int32(hi), np.int32(0), np.int32(factor)
    for j in range(np.uint64(lanes)):
        new = np.int32(weights[w + j] + halved(np.int32(np.int32(factor * vector[a + j]) + half), shift))
        kept = min(max(new, lo), hi)
        clips = np.int32(clips + np.int32(kept != new))
        weights[w + j] = kept
    return clips
