"""The crossbar as a list of resistors, solved by sparse LU: slow, plain, and independent of ``wires``' method.

Every resistor is written down, nodes that no resistance separates become one, Kirchhoff's current law is set up for
the rest and solved. Two steps of refinement with residuals in long double bring the voltages to full precision,
which a network of milliohms and megohms needs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..fixed import Ints
from .ladders import Reals
from .wires import Wires, checked_cells, checked_inputs

__all__ = ["Resistors", "resistors", "currents", "voltages", "merged", "laplacian"]

REFINEMENTS = 2


@dataclass(frozen=True)
class Resistors:
    """One entry a resistor: its nodes ``a`` and ``b`` and its ``siemens``, infinite for a wire without resistance.

    Nodes of an R x C array: R drivers, C virtual grounds, then the word side of all cells row by row, then the bit
    side.
    """

    a: Ints
    b: Ints
    siemens: Reals
    nodes: int


def resistors(g: ArrayLike, wires: Wires) -> Resistors:
    """All resistors of the array: cells, word lines, bit lines."""
    cells = checked_cells(g)
    rows, columns = cells.shape
    word = rows + columns + np.arange(cells.size).reshape(cells.shape)
    bit = word + cells.size
    driver, ground = np.arange(rows), rows + np.arange(columns)
    lines = [(word[:, :-1], word[:, 1:], wires.word_resistance), (driver, word[:, 0], wires.word_first),
             (bit[:-1], bit[1:], wires.bit_resistance), (bit[0], ground, wires.bit_first)]
    a = np.concatenate([word.ravel(), *(one.ravel() for one, _, _ in lines)])
    b = np.concatenate([bit.ravel(), *(other.ravel() for _, other, _ in lines)])
    with np.errstate(divide="ignore"):
        siemens = np.concatenate([cells.ravel(), *(np.full(one.size, np.divide(1.0, ohms)) for one, _, ohms in lines)])
    return Resistors(a, b, siemens, rows + columns + 2 * cells.size)


def currents(g: ArrayLike, v: ArrayLike, wires: Wires, refinements: int = REFINEMENTS) -> Reals:
    """The currents (C,) at the ends of the bit lines, for the driver voltages ``v`` (R,)."""
    cells = checked_cells(g)
    rows, columns = cells.shape
    volts = voltages(resistors(cells, wires), np.r_[checked_inputs(v, rows), np.zeros(columns)], refinements)
    drops = volts[rows + columns:][:cells.size] - volts[rows + columns + cells.size:]
    return (cells * drops.reshape(cells.shape)).sum(axis=0).astype(np.float64)


def voltages(network: Resistors, held: Reals, refinements: int = REFINEMENTS) -> NDArray[np.longdouble]:
    """All node voltages when the first ``len(held)`` nodes are held at those of ``held``.

    A node that no resistor connects to a held one is at 0 V.
    """
    joined = ~np.isfinite(network.siemens)
    part = (network.siemens > 0) & ~joined
    a, b, siemens = network.a[part], network.b[part], network.siemens[part]
    number = merged(network.a[joined], network.b[joined], network.nodes)
    a, b, count = number[a], number[b], int(number.max()) + 1
    volts, known = np.zeros(count, np.longdouble), np.zeros(count, bool)
    volts[number[:len(held)]], known[number[:len(held)]] = held, True
    known |= _loose(a, b, known)
    free = np.cumsum(~known) - 1
    if free[-1] < 0:
        return volts[number]
    lu = splu(laplacian(a, b, siemens, count)[~known][:, ~known].tocsc())
    for _ in range(1 + refinements):
        flows = siemens * (volts[a] - volts[b])
        excess = np.zeros(count, np.longdouble)
        np.add.at(excess, b, flows)
        np.subtract.at(excess, a, flows)
        volts[~known] += lu.solve(excess[~known].astype(np.float64))
    return volts[number]


def merged(a: Ints, b: Ints, count: int) -> NDArray[np.int64]:
    """A number for every node, the same for those that ``a`` and ``b`` join."""
    pairs = coo_matrix((np.ones(len(a)), (a, b)), (count, count))
    return connected_components(pairs, directed=False)[1].astype(np.int64)


def _loose(a: Ints, b: Ints, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes that nothing connects to a known one."""
    part = merged(a, b, len(known))
    held = np.zeros(part.max() + 1, bool)
    held[part[known]] = True
    return ~held[part]


def laplacian(a: Ints, b: Ints, siemens: Reals, count: int) -> csr_matrix:
    """Kirchhoff's current law, one row a node."""
    values = np.concatenate([siemens, siemens, -siemens, -siemens])
    places = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    return coo_matrix((values, places), (count, count)).tocsr()
