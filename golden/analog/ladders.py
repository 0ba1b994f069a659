"""Compiled kernels of the wire model: resistive ladders, many side by side.

A ladder is one line: segments of ``r`` ohm between its cells, a first resistance ``first`` between cell 0 and
the line's end, a conductance from every cell to ground, a current into every cell. From the far end each
segment turns the Norton pair (y, j) seen behind it into (a y, a j) with a = 1 / (1 + r y); back from the line's
end the voltages follow, z = a (z_before + r j). Nothing is divided by r, so ideal and broken wires need no
cases. Lines lie along the second axis, which the compiler vectorises.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Reals", "LINES", "factors", "lumped", "word_step", "bit_step", "descend", "advance", "attach"]

Reals = NDArray[np.float64]
LINES = 8
"""Word lines that are solved together; the caller pads their number to a multiple."""

_kernel = njit(cache=True, nogil=True, boundscheck=False, error_model="numpy", fastmath={"contract"})


@_kernel
def factors(loads, r, first):
    """``a`` of every cell (cells, lines) for conductances ``loads`` to ground."""
    cells, lines = loads.shape
    a, y = np.empty((cells, lines)), np.zeros(lines)
    for i in range(cells - 1, -1, -1):
        series = r if i else first
        for j in range(lines):
            y[j] += loads[i, j]
            a[i, j] = 1 / (1 + series * y[j])
            y[j] *= a[i, j]
    return a


@_kernel
def lumped(loads, a, r, first):
    """The admittance of every cell when all other sources of its line are 0: the diagonal of what a line is to
    the lines across."""
    cells, lines = loads.shape
    out, x = np.empty((cells, lines)), np.zeros(lines)
    for i in range(cells):
        series = r if i else first
        for j in range(lines):
            x[j] = a[i, j] * (a[i, j] * x[j] + series)
            out[i, j] = loads[i, j] * (1 - loads[i, j] * x[j])
    return out


@_kernel
def word_step(residual, loads, a, r, first, z):
    """Solve all word lines for injected currents ``residual`` (R, C) into ``z``; returns <residual, z>.

    ``a`` (C, R) is of the lines; R is a multiple of LINES.
    """
    rows, columns = residual.shape
    j = np.empty((columns, LINES))
    now, power = np.zeros(LINES), np.zeros(LINES)
    for top in range(0, rows, LINES):
        now[:] = 0
        for k in range(columns - 1, -1, -1):
            for i in range(LINES):
                now[i] += residual[top + i, k]
                j[k, i] = now[i]
                now[i] *= a[k, top + i]
        now[:] = 0
        for k in range(columns):
            series = r if k else first
            for i in range(LINES):
                now[i] = a[k, top + i] * (now[i] + series * j[k, i])
                z[top + i, k] = now[i]
                power[i] += now[i] * residual[top + i, k]
    return power.sum()


@_kernel
def bit_step(p, g, a, r, first, y, total):
    """Currents ``y`` (R, C) that the word voltages ``p`` drive through the cells into the bit lines, and their sums
    ``total`` (C,). Returns what the magnitudes of ``p`` would drive into ground, of which ``y`` may be a small rest."""
    rows, columns = p.shape
    now, most = np.zeros(columns), np.zeros(columns)
    for i in range(rows - 1, -1, -1):
        for k in range(columns):
            now[k] += g[i, k] * p[i, k]
            most[k] += g[i, k] * abs(p[i, k])
            y[i, k] = now[k]
            now[k] *= a[i, k]
    now[:] = 0
    total[:] = 0
    for i in range(rows):
        series = r if i else first
        for k in range(columns):
            now[k] = a[i, k] * (now[k] + series * y[i, k])
            y[i, k] = g[i, k] * (p[i, k] - now[k])
            total[k] += y[i, k]
    return most.sum()


@_kernel
def descend(z, residual, loads, beta, p, wire):
    """The next direction of conjugate gradients, p = z + beta p, and the word lines' own answer to it, which
    needs no product: the lines solved (A + loads) z = residual, so A z = residual - loads z."""
    rows, columns = z.shape
    for i in range(rows):
        for k in range(columns):
            p[i, k] = z[i, k] + beta * p[i, k]
            wire[i, k] = residual[i, k] - loads[i, k] * z[i, k] + beta * wire[i, k]


@_kernel
def advance(power, p, wire, y, residual):
    """Subtract the best multiple of ``wire + y`` from ``residual``; returns the multiple and sum |residual|."""
    rows, columns = p.shape
    lanes = np.zeros(columns)
    for i in range(rows):
        for k in range(columns):
            lanes[k] += p[i, k] * (wire[i, k] + y[i, k])
    step = power / lanes.sum()
    lanes[:] = 0
    for i in range(rows):
        for k in range(columns):
            residual[i, k] -= step * (wire[i, k] + y[i, k])
            lanes[k] += abs(residual[i, k])
    return step, lanes.sum()


@_kernel
def attach(w, scale, g, a, r, first, admitted, across, sent):
    """Connect one word line with cells ``g`` to bit lines that are coupled by ``scale * w``, in place.

    ``w`` (C, C), lower triangle, becomes 1 + across y where y is the new admittance between the bit lines:
    minus the couplings beside the diagonal, and on it what makes the rows sum to ``admitted + sent``. ``sent``
    (C,) is what 1 V at the driver sends into short-circuited bit lines. Only numbers of one sign are added, so
    nothing cancels. ``a`` (C,) is of the line: row j of its inverse is a[j] times row j - 1 left of the diagonal.
    """
    columns = len(g)
    x, coupled, u, diagonal = np.zeros(columns), np.zeros(columns), 1.0, 0.0
    for j in range(columns):
        u *= a[j]
        sent[j] = g[j] * u
        diagonal = a[j] * (a[j] * diagonal + (r if j else first))
        total = 0.0
        for k in range(j):
            x[k] *= a[j]
            c = scale * w[j, k] + g[j] * g[k] * x[k]
            coupled[k] += c
            w[j, k] = c
        for k in range(j):
            total += w[j, k]
            w[j, k] *= -across
        coupled[j] = total
        x[j] = diagonal
    for j in range(columns):
        w[j, j] = 1 + across * (admitted[j] + sent[j] + coupled[j])
