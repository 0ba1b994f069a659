"""UPD of a crossbar, compiled: by one exact step, or by pulses that meet. ``golden.analog_macro``, ``golden.pulses``
and ``golden.analog.stepping`` define it.

Only the cells of a block can change: no other line is driven. The generators of all lines run on.
"""

import numpy as np
from numba import uint32

from hebbar.contract.pulses import PROBABILITY_BITS

from ..analog.limits import KINDS
from ..analog.stepping import move_row, ones, spread_row
from .arrays import BUFFER, JOINS, ROWS, UPDATES
from .crossbar import AT, OF, UPDATED
from .jit import part
from .lines import look

__all__ = ["change"]

SLOWEST = 31
"""The slowest rate, that of an update without plastic columns."""
FULL = 1 << PROBABILITY_BITS
PULSES = KINDS.index("pulses")


@part
def change(tables, c, plan, window, memory, operand, at):
    """UPD of a block; ``operand`` of row r lies at ``at + r``."""
    slowest = rates(tables, c, plan, window, memory)
    if c.stochastic:
        pulse(c, plan, window, memory, operand, at, slowest)
    else:
        step(c, plan, window, memory, operand, at)
    c.operations[UPDATED] += 1


@part
def rates(tables, c, plan, window, memory):
    """The rates of the bit lines of a block, and which are plastic; returns the least rate of these."""
    slowest = SLOWEST
    for n in range(window[2]):
        c.rates[n] = c.enabled[n] = 0
    for s in range(plan[UPDATES], plan[JOINS]):
        lane, lanes, rate = tables.runs[s, 0], tables.runs[s, 2], memory.rates[tables.runs[s, 3]]
        slowest = min(slowest, rate)
        for n in range(lane, lane + lanes):
            c.rates[n], c.enabled[n] = rate, 1
    return slowest


@part
def step(c, plan, window, memory, operand, at):
    """One step of every cell, rounded half up."""
    first, lanes, raw = window[0], window[2], plan[BUFFER]
    for i in range(plan[ROWS]):
        e, hits = np.int64(operand[at + i]), 0
        if e == 0:
            continue
        for n in range(lanes):
            rate = c.rates[n]
            moved = (e * memory.raw[raw + n] * c.enabled[n] + ((1 << rate) >> 1)) >> rate
            c.wanted[n], c.counts[n] = np.float64(moved), moved != 0
            hits += moved != 0
        if hits:
            move(c, first + i, window, c.operations[UPDATED])
            look_again(c, first + i, window)


@part
def pulse(c, plan, window, memory, operand, at, slowest):
    """All pulses of UP, then all of DOWN, at every cell; lines of equal sign meet in UP, of opposite sign in DOWN."""
    first, lanes, raw = window[0], window[2], plan[BUFFER]
    ask(c, plan, window, memory, operand, at, slowest)
    for down in range(2):
        fire(c.row_pulses, c.row_chances, c.pulses, c.fired[down])
        fire(c.column_pulses, c.column_chances, c.pulses, c.met[2 * down])
        for n in range(lanes):
            negative, word = memory.raw[raw + n] < 0, c.met[2 * down, n + window[1]]
            c.met[2 * down, n], c.met[2 * down + 1, n] = (uint32(0), word) if negative else (word, uint32(0))
    for i in range(plan[ROWS]):
        for down in range(2):
            word, hits, negative = c.fired[down, first + i], 0, operand[at + i] < 0
            meeting = c.met[2 * down + (negative != down)]
            for n in range(lanes):
                c.counts[n] = ones(word & meeting[n])
                c.wanted[n] = -c.each * c.counts[n] if down else c.each * c.counts[n]
                hits += c.counts[n]
            if hits:
                move(c, first + i, window, 2 * c.operations[UPDATED] + down)
        look_again(c, first + i, window)


@part
def ask(c, plan, window, memory, operand, at, slowest):
    """How probably every line fires, so that the steps are those of the rates in the mean."""
    first, left, shift = window[0], window[1], slowest + c.exponent + 1 - c.activity_bits
    for r in range(c.row_chances.size):
        c.row_chances[r] = 0
    for n in range(c.column_chances.size):
        c.column_chances[n] = 0
    for i in range(plan[ROWS]):
        wide = abs(np.int64(operand[at + i])) << PROBABILITY_BITS
        asked = wide >> shift if shift >= 0 else wide << -shift
        c.limited[PULSES, AT] += asked > FULL
        c.limited[PULSES, OF] += wide != 0
        c.row_chances[first + i] = min(asked, FULL)
    for n in range(window[2]):
        if c.enabled[n]:
            size = abs(np.int64(memory.raw[plan[BUFFER] + n])) << (PROBABILITY_BITS + 1 - c.activity_bits)
            c.column_chances[left + n] = size >> (c.rates[n] - slowest)


@part
def fire(states, chances, count, words):
    """``count`` cycles of all lines; cycle by cycle, so that the compiler takes several lines at a time."""
    for i in range(states.size):
        words[i] = 0
    for k in range(count):
        for i in range(states.size):
            s = states[i]
            s = uint32(s ^ s << uint32(13))
            s = uint32(s ^ s >> uint32(17))
            s = uint32(s ^ s << uint32(5))
            states[i] = s
            words[i] |= uint32(s >> uint32(32 - PROBABILITY_BITS) < chances[i]) << uint32(k)


@part
def move(c, r, window, operation):
    """Change the cells of word line ``r`` by ``wanted``, in ``counts`` steps each."""
    left, lanes = window[1], window[2]
    end, counts = left + lanes, c.counts[:lanes]
    if c.spread > 0.0:
        spread_row(c.factors, counts, r * c.pair.shape[2] + left, c.spread, c.balanced, c.pulse_key, operation)
    move_row(c.pair[0, r, left:end], c.pair[1, r, left:end], c.size[0, r, left:end], c.size[1, r, left:end],
             c.wanted[:lanes], c.factors, c.update, c.bounds)


@part
def look_again(c, r, window):
    """Look at the cells of word line ``r`` that an update has changed."""
    for n in range(window[1], window[1] + window[2]):
        if c.pair[0, r, n] != c.known[0, r, n] or c.pair[1, r, n] != c.known[1, r, n]:
            look(c, r, n)
