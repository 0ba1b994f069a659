"""A crossbar with resistive wires as one matrix: the network is linear, so that it is solved once."""

import numpy as np
from numpy.typing import ArrayLike

from . import elimination
from .ladders import Reals
from .wires import Wires, checked_cells, checked_inputs

__all__ = ["Transfer"]


class Transfer:
    """The exact transfer matrix T of conductances ``g`` (R, C) behind ``wires``; every read is one product.

    ``matrix`` is T (C, R) in siemens: output currents are T v. The transposed read, which drives the bit lines and
    senses the word lines at the same ends, is T^T (reciprocity), so learning sees symmetric weights even where the
    wires bend them. T is of the conductances at the time; build another one when they change.
    """

    def __init__(self, g: ArrayLike, wires: Wires) -> None:
        self.wires = wires
        self.matrix: Reals = np.ascontiguousarray(elimination.matrix(checked_cells(g), wires))

    def forward(self, v: ArrayLike) -> Reals:
        """Bit-line currents (.., C) for word-line voltages ``v``, (R,) or (batch, R)."""
        return checked_inputs(v, self.matrix.shape[1], (1, 2)) @ self.matrix.T

    def backward(self, v: ArrayLike) -> Reals:
        """Word-line currents (.., R) for bit-line voltages ``v``, (C,) or (batch, C)."""
        return checked_inputs(v, self.matrix.shape[0], (1, 2)) @ self.matrix
