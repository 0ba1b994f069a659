"""The crossbar eliminated line by line: exact for any wires, in a time that does not depend on them.

Seen from the row next to the sensed ends, the rows beyond are a Norton pair: an admittance y (C, C) between the
bit lines and the currents that the drivers send into them when short-circuited. Walking towards the ends, a word
line adds its own pair, and a segment r of every bit line turns the pair into (y w, w m) with w = (1 + r y)^-1. At
virtual ground m is the answer. y is kept as the couplings between bit lines, which are those of w / r, and its row
sums, which are the currents for 1 V at every driver: all are positive, so that nothing cancels, however good or
bad the wires are.
"""

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import lapack

from .ladders import Reals, attach, factors

if TYPE_CHECKING:
    from .wires import Wires

__all__ = ["currents", "matrix"]


def currents(cells: Reals, volts: Reals, wires: "Wires") -> Reals:
    """The output currents (C, batch) for the inputs ``volts`` (R, batch).

    Dense algebra of order C at every row: R C^3 operations, and 2 C^2 at each row for every input, which enters with
    the last row that it drives.
    """
    rows, columns = cells.shape
    inputs = np.hstack([volts, np.ones((rows, 1))])
    active = np.minimum.accumulate((inputs != 0).argmax(axis=1)[::-1])[::-1]
    m, w, sent = np.zeros((inputs.shape[1], columns)), np.zeros((columns, columns)), np.empty(columns)
    a = np.ascontiguousarray(factors(np.ascontiguousarray(cells.T), wires.word_resistance, wires.word_first).T)
    scale = 0.0
    for i in range(rows - 1, -1, -1):
        r, driven = wires.bit_resistance if i else wires.bit_first, slice(active[i], None)
        attach(w, scale, cells[i], a[i], wires.word_resistance, wires.word_first, m[-1], r or 1.0, sent)
        m[driven] += inputs[i, driven, None] * sent
        if r:
            # The lower triangle by rows is LAPACK's upper one by columns; everything happens in place.
            lapack.dpotrf(w.T, overwrite_a=1, clean=0)
            lapack.dpotrs(w.T, m[driven].T, overwrite_b=1)
            lapack.dpotri(w.T, overwrite_c=1)
        scale = 1 / r if r else -1.0
    return m[:-1].T


def matrix(cells: Reals, wires: "Wires") -> Reals:
    """T (C, R): the output currents are T v. Walks the longer side, from the other ends of the same resistors if need
    be: reciprocity makes both ways one."""
    rows, columns = cells.shape
    if columns > rows:
        return currents(np.ascontiguousarray(cells.T), np.eye(columns), wires.reciprocal).T
    return currents(cells, np.eye(rows), wires)
