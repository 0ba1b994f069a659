"""FWD and TRN of a crossbar, compiled, and the conductances that they see. ``golden.analog`` and
``golden.analog_macro`` define them.

Sums are integers of the grids on which conductances and variances lie, and become floats where the definition has
them: they are below 2^53 (``golden.analog.exactness``), so that the floats are the same.
"""

import numpy as np

from ..analog.hashing import normal_at
from ..analog.laws import GRID, aged_at, square_at, variance_of
from .arrays import BUFFER, CLEARS, FEEDS, HELD, PADDED, ROWS, UPDATES
from .crossbar import AT, BACKWARD, FORWARD, GAIN_FRAC, OF
from .jit import part

__all__ = ["codes", "look", "sense_columns", "sense_rows", "watch"]

HALF = (1 << GAIN_FRAC) >> 1


@part
def look(c, r, first, count):
    """What reads see from now on of ``count`` cells of word line ``r``: the laws of those conductances that changed."""
    for n in range(first, first + count):
        changed = False
        for s in range(2):
            g = c.pair[s, r, n]
            if g != c.known[s, r, n]:
                changed, c.known[s, r, n], c.aged[s, r, n] = True, g, aged_at(c.law, g, c.drift[s, r, n])
                if c.varies:
                    c.squares[s, r, n] = square_at(c.law, c.aged[s, r, n])
        if changed:
            c.weights[r, n] = np.int64((c.aged[0, r, n] - c.aged[1, r, n]) * GRID)
            if c.varies:
                c.variances[r, n] = np.int64(variance_of(c.law, c.squares[0, r, n], c.squares[1, r, n]) / c.law.grid)


@part
def watch(c):
    """Look at all cells, which may have been written since the last run."""
    for r in range(c.pair.shape[1]):
        look(c, r, 0, c.pair.shape[2])


@part
def codes(c, limits, record, at, shape):
    """The nearest codes of all weights into a row of a record, in the order of the image."""
    words, tiles, lanes = shape
    stride = c.pair.shape[2] // lanes
    for word in range(words):
        for p in range(tiles):
            r, first = word // stride * tiles + p, word % stride * lanes
            for lane in range(lanes):
                weight = np.floor(c.pair[0, r, first + lane] - c.pair[1, r, first + lane] + 0.5)
                record[at, (word * tiles + p) * lanes + lane] = np.int64(
                    min(max(weight, float(limits.weight_lo)), float(limits.weight_hi)))


@part
def converted(c, side, line, total, spread, squares):
    """The calibrated code of a line whose sum is ``total`` steps of GRID: its noise, its converter. ``spread``: the sum
    of variances times squared inputs, ``squares`` of these alone."""
    value = np.float64(total) / GRID
    if c.noisy:
        variance = np.float64(spread) * c.law.grid if c.varies else c.law.white * np.float64(squares)
        z = normal_at(side.reads, c.operations[side.kind], line)
        value = np.rint((value + np.sqrt(variance) * z) * GRID) / GRID
    if side.ideal:
        value = value * 2.0 ** -side.step
    else:
        value = value * side.scale[line] + side.offset[line]
        if side.noise > 0.0:
            value = value + side.noise * normal_at(side.conversions, side.operations[0], line)
        value = np.rint(value * GRID) / GRID
    most = np.int64(1) << (side.bits - 1)
    c.limited[side.kind, AT] += value < -most - 0.5 or value >= most - 0.5
    c.limited[side.kind, OF] += 1
    converter = line % side.shared
    code = search(side, converter, value, most) if side.bent else nearest(value, most)
    return (((code << side.step) - side.origin[converter]) * side.gain[converter] + HALF) >> GAIN_FRAC


@part
def nearest(value, most):
    """The code of a converter without nonlinearity."""
    return np.int64(min(max(np.floor(value + 0.5), np.float64(-most)), np.float64(most - 1)))


@part
def search(side, converter, value, most):
    """Successive approximation: every threshold is off by the nonlinearity."""
    code = -most
    for k in range(side.bits):
        bit = np.int64(1) << (side.bits - 1 - k)
        dac = code + bit
        if value >= np.float64(dac) - 0.5 + side.table[converter, dac + most]:
            code += bit
    return code


@part
def sense_rows(c, plan, window, memory):
    """FWD: row sums of a block, from the codes of its word lines."""
    first, left, lanes, at = window[0], window[1], np.uint64(window[2]), np.uint64(plan[BUFFER])
    x, squared, squares = c.driven, c.squared, np.int64(0)
    for j in range(lanes):
        x[j] = memory.aligned[at + j]
        squared[j] = x[j] * x[j]
        squares += squared[j]
    for i in range(plan[PADDED]):
        weights, total, spread = c.weights[first + i], np.int64(0), np.int64(0)
        for j in range(lanes):
            total += weights[np.uint64(left) + j] * x[j]
        if c.varies:
            variances = c.variances[first + i]
            for j in range(lanes):
                spread += variances[np.uint64(left) + j] * squared[j]
        code = converted(c, c.rows, first + i, total, spread, squares)
        if i < plan[ROWS]:
            memory.sums[i] = code
    c.operations[FORWARD] += 1
    c.rows.operations[0] += 1


@part
def sense_columns(tables, c, plan, window, memory, operand, at):
    """TRN of a block, added to the feedback sums of its columns; ``operand`` of row r lies at ``at + r``."""
    first, left, lanes, squares = window[0], window[1], np.uint64(window[2]), np.int64(0)
    for j in range(lanes):
        c.sums[j] = c.spreads[j] = 0
    for i in range(plan[ROWS]):
        e = np.int64(operand[at + i])
        if e == 0:
            continue
        squares += e * e
        weights, variances = c.weights[first + i], c.variances[first + i]
        for j in range(lanes):
            c.sums[j] += weights[np.uint64(left) + j] * e
        if c.varies:
            for j in range(lanes):
                c.spreads[j] += variances[np.uint64(left) + j] * (e * e)
    for j in range(window[2]):
        memory.wide[j] = converted(c, c.columns, left + j, c.sums[j], c.spreads[j], squares)
    c.operations[BACKWARD] += 1
    c.columns.operations[0] += 1
    collect(tables, plan, memory)


@part
def collect(tables, plan, memory):
    """The sums of the columns, in ``wide``, into the feedback sums; on an array a column counts whole or not at all."""
    back = memory.back
    for s in range(plan[CLEARS], plan[HELD]):
        for j in range(tables.runs[s, 2]):
            back[tables.runs[s, 1] + j] = 0
    for s in range(plan[FEEDS], plan[UPDATES]):
        lane, neuron, lanes, overwrite = tables.runs[s, 0], tables.runs[s, 1], tables.runs[s, 2], tables.runs[s, 3]
        counts = tables.runs[s, 4] == 0
        for j in range(lanes):
            before = np.int64(0) if overwrite else back[neuron + j]
            back[neuron + j] = before + memory.wide[lane + j] if counts else before
