"""A crossbar with resistive wires as two matrices, one a direction: either network is linear and solved once."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from . import elimination
from .ladders import Reals
from .wires import Wires, checked_cells, checked_inputs

__all__ = ["Transfer"]


class Transfer:
    """The exact transfer matrices of conductances ``g`` (R, C) behind ``wires``; every read is one product.

    ``matrix`` is T (C, R) in siemens: with the word lines driven and the bit lines sensed the output currents are T v.
    ``back`` is B (R, C): with the bit lines driven and the word lines sensed they are B v; it is solved when first
    asked for. The ends of the lines are the same, but drivers belong to who drives and sense nodes to who senses: B is
    T^T (reciprocity) where both have the same resistance, and otherwise it is of another network. Both are of the
    conductances at the time; build another one when they change.
    """

    def __init__(self, g: ArrayLike, wires: Wires) -> None:
        self.wires, self._cells = wires, checked_cells(g).copy()
        self.matrix: Reals = np.ascontiguousarray(elimination.matrix(self._cells, wires))

    @cached_property
    def back(self) -> Reals:
        if self.wires.driver_resistance == self.wires.sense_resistance:
            return self.matrix.T
        return np.ascontiguousarray(elimination.matrix(np.ascontiguousarray(self._cells.T), self.wires.transposed))

    def forward(self, v: ArrayLike) -> Reals:
        """Bit-line currents (.., C) for word-line voltages ``v``, (R,) or (batch, R)."""
        return checked_inputs(v, self.matrix.shape[1], (1, 2)) @ self.matrix.T

    def backward(self, v: ArrayLike) -> Reals:
        """Word-line currents (.., R) for bit-line voltages ``v``, (C,) or (batch, C)."""
        return checked_inputs(v, self.matrix.shape[0], (1, 2)) @ self.back.T
