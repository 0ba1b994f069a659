"""Compiled kernels of the update: what a wanted change does to the two conductances of a cell."""

import numpy as np
from numba import njit, uint32

from .hashing import normal_at

__all__ = ["step", "pulse"]

_kernel = njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")


@_kernel
def _grow(pair, size, half, r, n, d, count, law, noise):
    """Change one conductance by ``d`` codes, of ``count`` pulses; ``law``: as ``step``."""
    least, most, asymmetry, soft, spread = law[0], law[1], law[2], law[3], law[4]
    if d == 0.0 or size[half, r, n] == 0.0:
        return
    g = pair[half, r, n]
    room = (most - g if d > 0.0 else g - least) / (most - least)
    d *= size[half, r, n] * (1.0 + (0.5 * asymmetry if d > 0.0 else -0.5 * asymmetry)) * (1.0 - soft * (1.0 - room))
    if spread > 0.0:
        d *= 1.0 + spread * noise[half] / np.sqrt(count)
    new = np.round((g + d) * 4096.0) / 4096.0
    pair[half, r, n] = min(max(new, min(least, g)), max(most, g))


@_kernel
def _change(pair, size, r, n, d, count, law, bounds, stream, operation):
    """Change the weight of a cell by ``d``: one conductance after the other, or both by half."""
    w = pair[0, r, n] - pair[1, r, n]
    d = min(d, max(bounds[1] - w, 0.0)) if d > 0.0 else max(d, min(bounds[0] - w, 0.0))
    if d == 0.0:
        return
    noise = np.zeros(2)
    if law[4] > 0.0:
        for half in range(2):
            noise[half] = normal_at(stream, operation, half * pair[0].size + r * pair.shape[2] + n)
    if law[5] > 0.0:
        _grow(pair, size, 0, r, n, 0.5 * d, count, law, noise)
        _grow(pair, size, 1, r, n, -0.5 * d, count, law, noise)
        return
    falls, rises = (1, 0) if d > 0.0 else (0, 1)
    back = min(abs(d), max(pair[falls, r, n] - law[0], 0.0))
    if size[falls, r, n] == 0.0 or law[6] > 0.0:
        back = 0.0
    _grow(pair, size, falls, r, n, -back, count, law, noise)
    _grow(pair, size, rises, r, n, abs(d) - back, count, law, noise)


@_kernel
def step(pair, size, error, activity, rate, enable, law, bounds, stream, operation):
    """The outer product in one step, rounded half up as ``golden.fixed`` does: w += e a / 2^rate.

    ``law``: least and most conductance, asymmetry, soft bounds, spread from pulse to pulse, whether both conductances
    of a pair move, whether they only grow; ``bounds``: of the weight. All in codes.
    """
    for r in range(error.size):
        if error[r] == 0:
            continue
        for n in range(activity.size):
            if enable[n] and activity[n] != 0:
                wanted = error[r] * activity[n] + ((1 << rate[n]) >> 1) >> rate[n]
                if wanted:
                    _change(pair, size, r, n, float(wanted), 1, law, bounds, stream, operation)


@_kernel
def _count(x):
    """Ones in a word of 32 bits."""
    x = x - ((x >> uint32(1)) & uint32(0x55555555))
    x = (x & uint32(0x33333333)) + ((x >> uint32(2)) & uint32(0x33333333))
    x = (x + (x >> uint32(4))) & uint32(0x0F0F0F0F)
    return np.int64((x * uint32(0x01010101)) >> uint32(24) & uint32(0xFF))


@_kernel
def pulse(pair, size, wires, each, law, bounds, stream, operation):
    """The outer product by pulses: ``wires`` are eight arrays of words, (rows +, rows -, columns +, columns -) of UP
    and then of DOWN; every meeting changes a weight by ``each`` codes, all of UP before all of DOWN."""
    rp, rn, cp, cn, dp, dn, ep, en = wires
    for r in range(rp.size):
        if not (rp[r] | rn[r] | dp[r] | dn[r]):
            continue
        for n in range(cp.size):
            up = _count((rp[r] & cp[n]) | (rn[r] & cn[n]))
            if up:
                _change(pair, size, r, n, up * each, up, law, bounds, stream, 2 * operation)
            down = _count((dp[r] & en[n]) | (dn[r] & ep[n]))
            if down:
                _change(pair, size, r, n, -down * each, down, law, bounds, stream, 2 * operation + 1)
