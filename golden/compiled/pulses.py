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
    slowest, first, turns = rates(tables, c, plan, window, memory), window[0], 1
    if c.stochastic:
        meet(c, plan, window, memory, operand, at, slowest)
        turns = 2
    for i in range(plan[ROWS]):
        e = np.int64(operand[at + i])
        for turn in range(turns):
            hits = pulses(c, first + i, window, e < 0, turn) if c.stochastic else steps(c, plan, window, memory, e)
            if hits:
                move(c, first + i, window, turns * c.operations[UPDATED] + turn)
        look(c, first + i, window[1], window[2])
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
def steps(c, plan, window, memory, e):
    """What one step of the cells of a row with the error ``e`` changes, rounded half up; returns how many it does."""
    raw, hits = plan[BUFFER], 0
    if e == 0:
        return hits
    for n in range(window[2]):
        rate = c.rates[n]
        moved = (e * memory.raw[raw + n] * c.enabled[n] + ((1 << rate) >> 1)) >> rate
        c.wanted[n], c.counts[n] = np.float64(moved), moved != 0
        hits += c.counts[n]
    return hits


@part
def pulses(c, r, window, negative, down):
    """What the pulses of word line ``r`` change where they meet those of bit lines: of equal sign in UP, of opposite
    sign in DOWN; returns how many meet."""
    word, hits, meeting = c.fired[down, r], 0, c.met[2 * down + (negative != down)]
    for n in range(window[2]):
        c.counts[n] = ones(word & meeting[n])
        c.wanted[n] = -c.each * c.counts[n] if down else c.each * c.counts[n]
        hits += c.counts[n]
    return hits


@part
def meet(c, plan, window, memory, operand, at, slowest):
    """The pulses of UP, then those of DOWN, of all lines; those of bit lines parted by the signs of their inputs."""
    ask(c, plan, window, memory, operand, at, slowest)
    for down in range(2):
        fire(c.row_pulses, c.row_chances, c.pulses, c.fired[down])
        fire(c.column_pulses, c.column_chances, c.pulses, c.met[2 * down])
        for n in range(window[2]):
            negative, word = memory.raw[plan[BUFFER] + n] < 0, c.met[2 * down, window[1] + n]
            c.met[2 * down, n], c.met[2 * down + 1, n] = (uint32(0), word) if negative else (word, uint32(0))


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
