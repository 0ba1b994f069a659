"""IR drop: what a crossbar with resistive wires computes, exactly and as quickly as it can be had.

R word lines cross C bit lines; the cell at a crossing is a conductance, ``g`` (R, C) in siemens. Every line is a
row of equal segments, one before each cell: word line i is driven with v[i] volt before column 0, through
``driver_resistance``; bit line j is sensed at virtual ground before row 0, through ``sense_resistance``. Cells are
counted from these ends. The other read drives the bit lines and senses the word lines at the same ends: it is the
network of ``g.T`` with ``wires.transposed``, whose drivers and sense nodes have changed places, and another network
unless both have the same resistance. Resistances are in ohms and may be 0.

One vector is solved by conjugate gradients on the word lines' drops. The bit lines are eliminated exactly, one
ladder each, and stand in the preconditioner as their diagonal. The error is bounded, not guessed: a current
that is missing at a node splits among the line ends, so all output currents together are wrong by at most the sum
of the missing currents. Where many iterations would be needed (wires as resistive as cells) or rounding is in the
way, the network is eliminated line by line instead.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from hebbar.contract.errors import BadInput

from . import elimination
from .ladders import LINES, Reals, advance, bit_step, descend, factors, lumped, word_step

__all__ = ["Wires", "checked_cells", "checked_inputs", "solve", "ideal", "first_order", "approximate",
           "approximation_error"]

TOLERANCE = 1e-10
"""All output currents together are wrong by less than this share of the largest one."""
ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""Every iteration knows missing currents to this share of all that its voltages would drive into perfect wires; the sum
of them is where iterations end. Ends of many kiloohms come there."""
PATIENCE = 1
"""Iterations a line of the shorter side before elimination takes over, which costs about twice as much."""


@dataclass(frozen=True)
class Wires:
    """Ohms: of a segment of word line and of bit line, of the driver of every driven line and of the sense node of
    every sensed one."""

    word_resistance: float = 0.0
    bit_resistance: float = 0.0
    driver_resistance: float = 0.0
    sense_resistance: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0):
                raise BadInput(f"wires.{field.name} is {value}; give a finite number of ohms, at least 0.")

    @property
    def word_first(self) -> float:
        """The resistance from the driver of a word line to its first cell, in ohm."""
        return self.driver_resistance + self.word_resistance

    @property
    def bit_first(self) -> float:
        """The resistance from the first cell of a bit line to its virtual ground, in ohm."""
        return self.sense_resistance + self.bit_resistance

    @property
    def transposed(self) -> "Wires":
        """These wires for ``g.T`` when the bit lines are driven and the word lines sensed: segments stay with their
        lines, drivers go with who drives."""
        return Wires(self.bit_resistance, self.word_resistance, self.driver_resistance, self.sense_resistance)

    @property
    def reciprocal(self) -> "Wires":
        """These wires for ``g.T`` when every resistor stays where it is and the sense nodes drive: by reciprocity its
        transfer matrix is the transpose, for any resistances."""
        return Wires(self.bit_resistance, self.word_resistance, self.sense_resistance, self.driver_resistance)


def checked_cells(g: ArrayLike) -> Reals:
    """Conductances as float64 (R, C); raises BadInput for another shape and for values no cell can have."""
    try:
        cells = np.ascontiguousarray(g, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"the conductances are no real numbers ({error}); give an array of siemens.") from None
    if cells.ndim != 2 or not cells.size:
        raise BadInput(f"the conductances have shape {cells.shape}; give one row a word line and one column a bit "
                       "line, at least one of each.")
    bad = np.argwhere(~(np.isfinite(cells) & (cells >= 0)))
    if len(bad):
        i, j = bad[0]
        raise BadInput(f"the conductance of word line {i}, bit line {j} is {cells[i, j]}; give siemens, finite and "
                       "at least 0 (0 is a cell that does not conduct).")
    return cells


def checked_inputs(v: ArrayLike, lines: int, ndim: tuple[int, ...] = (1,)) -> Reals:
    """Voltages as float64, ``lines`` in the last axis; raises BadInput for another shape and for non-numbers."""
    try:
        volts = np.ascontiguousarray(v, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"the inputs are no real numbers ({error}); give an array of volts.") from None
    if volts.ndim not in ndim or volts.shape[-1] != lines:
        raise BadInput(f"the inputs have shape {volts.shape}; this read drives {lines} lines, give one voltage each.")
    if not np.isfinite(volts).all():
        raise BadInput("an input is not a finite number; give volts.")
    return volts


def ideal(g: ArrayLike, v: ArrayLike) -> Reals:
    """The currents of perfect wires, (C,): v G."""
    cells = checked_cells(g)
    return checked_inputs(v, len(cells)) @ cells


def solve(g: ArrayLike, v: ArrayLike, wires: Wires) -> Reals:
    """The currents (C,) in ampere at the ends of the bit lines, for the voltages ``v`` (R,) of the drivers."""
    cells = checked_cells(g)
    volts = checked_inputs(v, len(cells))
    found = _gradients(cells, volts, wires, 20 + PATIENCE * min(cells.shape))
    if found is not None:
        return found
    if cells.shape[1] > cells.shape[0]:
        return elimination.matrix(cells, wires) @ volts
    return elimination.currents(cells, volts[:, None], wires)[:, 0]


def _gradients(cells: Reals, volts: Reals, wires: Wires, patience: int) -> Reals | None:
    """Conjugate gradients; None when ``patience`` iterations or double precision do not do."""
    g = np.zeros((-(-len(cells) // LINES) * LINES, cells.shape[1]))
    g[:len(cells)] = cells
    z, p, wire, residual, y = (np.zeros_like(g) for _ in range(5))
    currents, change = np.empty(g.shape[1]), np.empty(g.shape[1])
    p[:len(cells)] = volts[:, None]
    bits = factors(g, wires.bit_resistance, wires.bit_first)
    floor = ROUNDING * bit_step(p, g, bits, wires.bit_resistance, wires.bit_first, residual, currents)
    p[...] = 0
    if not wires.word_first or not residual.any():
        return currents
    loads = lumped(g, bits, wires.bit_resistance, wires.bit_first)
    words = factors(np.ascontiguousarray(loads.T), wires.word_resistance, wires.word_first)
    before = 1.0
    for i in range(patience):
        power = word_step(residual, loads, words, wires.word_resistance, wires.word_first, z)
        descend(z, residual, loads, power / before if i else 0.0, p, wire)
        most = bit_step(p, g, bits, wires.bit_resistance, wires.bit_first, y, change)
        step, missing = advance(power, p, wire, y, residual)
        floor += ROUNDING * step * most
        currents -= step * change
        before = power
        allowed = TOLERANCE * np.abs(currents).max()
        if missing <= max(allowed, floor):
            return currents if allowed > floor else None
    return None


def first_order(g: ArrayLike, wires: Wires) -> Reals:
    """Conductances (R, C) that with perfect wires conduct what ``g`` does to first order in the resistances.

    Every cell loses what the currents of perfect wires drop on its way; each input's share of that is a factor of
    its own cells, by reciprocity, so the loss for 1 V at every driver says it all.
    """
    cells = checked_cells(g)
    return cells * (1 - _drop(cells, wires.word_resistance, wires.driver_resistance, 1)
                    - _drop(cells, wires.bit_resistance, wires.sense_resistance, 0))


def approximate(g: ArrayLike, v: ArrayLike, wires: Wires) -> Reals:
    """The currents (.., C) to first order, for ``v`` (R,) or (batch, R): good while the drop is small, wrong by its
    square; ``approximation_error`` says by how much."""
    effective = first_order(g, wires)
    return checked_inputs(v, len(effective), (1, 2)) @ effective


def _drop(carried: Reals, segment: float, end: float, axis: int) -> Reals:
    """Volts from a line's end to each of its cells, which take the currents ``carried``."""
    through = np.flip(np.cumsum(np.flip(carried, axis), axis), axis)
    return segment * np.cumsum(through, axis) + end * np.take(through, [0], axis)


def approximation_error(g: ArrayLike, v: ArrayLike, wires: Wires) -> float:
    """The largest error of ``approximate`` against ``solve``, as a share of the largest exact current."""
    exact = solve(g, v, wires)
    top = float(np.abs(exact).max())
    return float(np.abs(approximate(g, v, wires) - exact).max()) / top if top else 0.0
