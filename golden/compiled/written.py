"""The running hash of what a run writes, compiled. ``golden.written`` defines it, and says what it leaves out.

Hashes of weights lie as the weights do, in row order and by source, so that loops take whole vectors.
"""

import numpy as np

from hebbar.contract.isa import Into, Sweep
from hebbar.contract.memories import Mem
from hebbar.contract.write_hash import FACTOR, STEP

from .arrays import BASES, FIRST, INTEGRALS, ROWS, WEIGHTS
from .jit import part

__all__ = ["note_separation", "note_sweep"]

ACTIVITY, STATE, ERROR = int(Mem.ACTIVITY), int(Mem.STATE), int(Mem.ERROR)
CHANGES, COMPARES = int(Sweep.INIT | Sweep.STEP | Sweep.FIRE), int(Sweep.ERR | Sweep.DELTA)
ACT, HOIST, UPD, ERR, INTEGRATE = map(int, (Sweep.ACT, Sweep.HOIST, Sweep.UPD, Sweep.ERR, Sweep.INTEGRATE))
TO_STATE = int(Into.STATE)
K, C = np.uint32(FACTOR), np.uint32(STEP)


@part
def take(hashes, values, first, count):
    """Take ``count`` written values into their hashes."""
    i = np.uint64(first)
    for j in range(np.uint64(count)):
        hashes[i + j] = np.uint32(np.uint32(hashes[i + j] + np.uint32(values[i + j])) + C) * K


@part
def take_wide(hashes, values, first, count):
    """Take values of more than 32 bits, the lower half before the rest."""
    for i in range(first, first + count):
        low = np.uint32(np.uint32(hashes[i] + np.uint32(values[i])) + C) * K
        hashes[i] = np.uint32(np.uint32(np.uint32(low) + np.uint32(values[i] >> 32)) + C) * K


@part
def note_sweep(tables, memory, written, flags, plan, block):
    """What a sweep has written: rows of up to five memories, and the plastic words of its block."""
    row, rows = plan[FIRST], plan[ROWS]
    for number, any_of in ((STATE, CHANGES), (ERROR, COMPARES), (ACTIVITY, ACT)):
        if flags & any_of:
            take(written.values[number], memory.values[number], row, rows)
            written.counts[number] += rows
    if flags & HOIST:
        if written.wide:
            take_wide(written.base, memory.base, row, rows)
        else:
            take(written.base, memory.base, row, rows)
        written.counts[BASES] += rows
    if flags & ERR and flags & INTEGRATE:
        take(written.integral, memory.integral, row, rows)
        written.counts[INTEGRALS] += rows
    if flags & UPD:
        for s in range(tables.learnt_at[block], tables.learnt_at[block + 1]):
            by_source, first, length, weights = tables.learnt[s]
            if by_source:
                take(written.by_source, memory.by_source, first, length)
            else:
                take(written.weights, memory.weights, first, length)
            written.counts[WEIGHTS] += weights


@part
def note_separation(memory, written, plan, into):
    """What a SEPARATE has written."""
    number = STATE if into == TO_STATE else ERROR
    take(written.values[number], memory.values[number], plan[FIRST], plan[ROWS])
    written.counts[number] += plan[ROWS]
