"""The separation unit, compiled. ``golden.separation`` defines it; all of it fits int64."""

from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, INDEX_BITS, OCTAVES, RECIPROCAL_FRAC
from hebbar.contract.isa import Into, Mode
from hebbar.contract.memories import Mem

from .arrays import FIRST, ROWS
from .jit import part

__all__ = ["separate"]

STATE, ERROR = int(Mem.STATE), int(Mem.ERROR)
SOFTMAX, TO_STATE, DIFFERENCE = int(Mode.SOFTMAX), int(Into.STATE), int(Into.DIFFERENCE)
FURTHEST, BETA, INDEX = ((1 << bits) - 1 for bits in (DISTANCE_BITS, BETA_BITS, INDEX_BITS))


@part
def separate(tables, memory, limits, plan, mode, into):
    """SEPARATE of the rows of a block."""
    row, rows = plan[FIRST], plan[ROWS]
    first = 0
    for r in range(1, rows):
        first = r if memory.base[row + r] > memory.base[row + first] else first
    if mode == SOFTMAX:
        softmax(tables, memory, limits, row, rows, memory.base[row + first])
    else:
        for r in range(rows):
            memory.mu[r] = 0
        memory.mu[first] = 1 << limits.state_frac
    put(memory, limits, row, rows, into)


@part
def softmax(tables, memory, limits, row, rows, largest):
    """p of every row, into ``mu``."""
    shift, frac, beta, total = limits.sum_shift, limits.state_frac, limits.beta & BETA, 0
    for r in range(rows):
        distance = min((largest - memory.base[row + r] + ((1 << shift) >> 1)) >> shift, FURTHEST)
        exponent = (distance * beta + ((1 << frac) >> 1)) >> frac
        octave = exponent >> INDEX_BITS
        memory.mu[r] = tables.powers[exponent & INDEX] >> octave if octave < OCTAVES else 0
        total += memory.mu[r]
    reciprocal, shift = (1 << RECIPROCAL_FRAC) // total, RECIPROCAL_FRAC - frac
    for r in range(rows):
        memory.mu[r] = (memory.mu[r] * reciprocal + ((1 << shift) >> 1)) >> shift


@part
def put(memory, limits, row, rows, into):
    """Write p, from ``mu``, where ``into`` says."""
    state, error, clips = memory.values[STATE], memory.values[ERROR], 0
    lo, hi = (limits.state_lo, limits.state_hi) if into == TO_STATE else (limits.error_lo, limits.error_hi)
    for r in range(rows):
        exact = state[row + r] - memory.mu[r] if into == DIFFERENCE else memory.mu[r]
        kept = min(max(exact, lo), hi)
        clips += kept != exact
        if into == TO_STATE:
            state[row + r] = kept
        else:
            error[row + r] = kept
    memory.clipped[1 if into == TO_STATE else 0] += clips
