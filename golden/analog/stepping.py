"""Compiled kernels of the update: what a wanted change does to the two conductances of a cell."""

import numpy as np
from numba import njit, uint32

from .hashing import normal_at
from .laws import GRID

__all__ = ["move_row", "ones", "pulse", "spread_row", "step"]

_kernel = njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")


@_kernel
def move_row(plus, minus, sizes_plus, sizes_minus, wanted, factors, law, bounds):
    """Change the weights of a word line by ``wanted``: one conductance after the other, or both by half.

    Without branches, so that the compiler takes several cells at a time.
    """
    least, most, per_range = law[0], law[1], law[3] / (law[1] - law[0])
    share = 0.5 if law[5] > 0.0 else 0.0
    centre = 1.0 / (1.0 - share * law[3])  # a balanced pair at weight 0 makes whole steps
    grows, falls_by = centre * (1.0 + 0.5 * law[2]), centre * (1.0 - 0.5 * law[2])
    gives = 0.0 if law[6] > 0.0 else 1.0
    low, high = bounds[0], bounds[1]
    for n in range(wanted.size):
        p, m = plus[n], minus[n]
        w = p - m
        up = min(max(wanted[n], 0.0), max(high - w, 0.0))
        down = min(max(-wanted[n], 0.0), max(w - low, 0.0))
        can_plus = gives if sizes_plus[n] > 0.0 else 0.0
        can_minus = gives if sizes_minus[n] > 0.0 else 0.0
        from_minus = share * up if share > 0.0 else can_minus * min(up, max(m - least, 0.0))
        from_plus = share * down if share > 0.0 else can_plus * min(down, max(p - least, 0.0))
        rise_p, fall_p, rise_m, fall_m = up - from_minus, from_plus, down - from_plus, from_minus
        by_p = rise_p * grows * (1.0 - per_range * (p - least)) - fall_p * falls_by * (1.0 - per_range * (most - p))
        by_m = rise_m * grows * (1.0 - per_range * (m - least)) - fall_m * falls_by * (1.0 - per_range * (most - m))
        new_p = np.rint((p + by_p * (sizes_plus[n] * factors[0, n])) * GRID) * (1.0 / GRID)
        new_m = np.rint((m + by_m * (sizes_minus[n] * factors[1, n])) * GRID) * (1.0 / GRID)
        plus[n] = min(max(new_p, min(least, p)), max(most, p))
        minus[n] = min(max(new_m, min(least, m)), max(most, m))


@_kernel
def spread_row(factors, counts, cell, spread, balanced, stream, operation):
    """How much more than its mean every step is, of cells from number ``cell`` on; both conductances of a pair on
    their own where both move."""
    for n in range(counts.size):
        if counts[n] > 0:
            deviation = spread / np.sqrt(float(counts[n]))
            factors[0, n] = 1.0 + deviation * normal_at(stream, operation, 2 * (cell + n))
            factors[1, n] = 1.0 + deviation * normal_at(
                stream, operation, 2 * (cell + n) + 1) if balanced else factors[0, n]


@_kernel
def step(pair, size, error, activity, rate, enable, law, bounds, stream, operation):
    """The outer product in one step, rounded half up as ``golden.fixed`` does: w += e a / 2^rate.

    ``law``: least and most conductance, asymmetry, soft bounds, spread from pulse to pulse, whether both conductances
    of a pair move, whether they only grow; ``bounds``: of the weight. All in codes.
    """
    columns = activity.size
    wanted, counts, factors = np.empty(columns), np.empty(columns, np.int64), np.ones((2, columns))
    for r in range(error.size):
        if error[r] == 0:
            continue
        for n in range(columns):
            change = error[r] * activity[n] * enable[n] + ((1 << rate[n]) >> 1) >> rate[n]
            wanted[n], counts[n] = float(change), change != 0
        if law[4] > 0.0:
            spread_row(factors, counts, r * columns, law[4], law[5] > 0.0, stream, operation)
        move_row(pair[0, r], pair[1, r], size[0, r], size[1, r], wanted, factors, law, bounds)


@_kernel
def ones(x):
    """Ones in a word of 32 bits."""
    x = x - ((x >> uint32(1)) & uint32(0x55555555))
    x = (x & uint32(0x33333333)) + ((x >> uint32(2)) & uint32(0x33333333))
    x = (x + (x >> uint32(4))) & uint32(0x0F0F0F0F)
    return np.int64((x * uint32(0x01010101)) >> uint32(24) & uint32(0xFF))


@_kernel
def pulse(pair, size, rows, lines, each, law, bounds, stream, operation):
    """The outer product by pulses: words of the word lines ``rows`` (4, R) and of the bit lines ``lines`` (4, N), each
    + and - of UP and + and - of DOWN; every meeting changes a weight by ``each`` codes, all of UP before all of
    DOWN."""
    columns = lines.shape[1]
    wanted, counts, factors = np.empty(columns), np.empty(columns, np.int64), np.ones((2, columns))
    for r in range(rows.shape[1]):
        for down in range(2):
            p, m = rows[2 * down, r], rows[2 * down + 1, r]
            if not (p | m):
                continue
            one, other = lines[2 * down + down], lines[2 * down + 1 - down]
            for n in range(columns):
                counts[n] = ones((p & one[n]) | (m & other[n]))
                wanted[n] = -each * counts[n] if down else each * counts[n]
            if law[4] > 0.0:
                spread_row(factors, counts, r * columns, law[4], law[5] > 0.0, stream, 2 * operation + down)
            move_row(pair[0, r], pair[1, r], size[0, r], size[1, r], wanted, factors, law, bounds)
