"""The ends of the lines: sample and hold, and converters that search bit by bit."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import column_bits, row_bits

from ..fixed import Ints
from .hashing import Draw, key, normal
from .laws import gridded

__all__ = ["TABLED", "LineConverters"]

Reals = NDArray[np.float64]

TABLED = 12
"""Bits of the converters whose nonlinearity is kept for every code."""


class LineConverters:
    """The lines of one side, held, and the converters they share: P for the rows, C for the columns.

    A held value is in LSB of the converter. A line is not below the threshold of the code ``d`` when it is at least
    d - 1/2 + INL(d). INL comes from the weights of the bits of a binary converter: bit b is off by a normal number
    whose variance goes with 2^b, so that INL has the standard deviation ``inl`` over all codes and converters.

    ``operations`` int64 (1,): vectors that were held. ``scale``, ``offset``: of the converter of every line. ``table``:
    the nonlinearity (converters, codes) up to TABLED bits, None beyond. ``bent``: there is one;
    ``noise`` in LSB; ``ideal``: nothing is wrong but for the nonlinearity.
    """

    def __init__(self, machine: MachineConfig, side: Literal["rows", "columns"]) -> None:
        rows, control = side == "rows", machine.analog.control
        self.bits = row_bits(machine) if rows else column_bits(machine)
        step = control.row_step if rows else control.column_step
        self._errors, self._first = machine.analog.converters, 0 if rows else machine.row_tiles
        self.shared = machine.row_tiles if rows else machine.lanes
        self._lines = np.arange(machine.array_rows if rows else machine.array_columns)
        e, seed = self._errors, machine.analog.seed
        settled = 1.0 - np.exp(-control.bit_cycles / e.settling) if e.settling else 1.0
        converter = self._first + np.arange(self.shared)
        gain = 1.0 + e.gain * normal(key(seed, Draw.GAIN), 0, converter)
        self.scale = (settled * gain * 2.0**-step)[self._lines % self.shared]
        self.offset = (e.offset * normal(key(seed, Draw.OFFSET), 0, converter))[self._lines % self.shared]
        weights = np.sqrt(2.0 ** np.arange(self.bits) / (2.0**self.bits - 1))
        self._bit_errors = 2 * e.inl * weights * normal(key(seed, Draw.INL), converter[:, None], np.arange(self.bits))
        self.table = (self._inl(np.arange(self.shared)[:, None], np.arange(1 << self.bits))
                      if self.bits <= TABLED else None)
        self.noise_key = key(seed, Draw.ROW_CONVERSION if rows else Draw.COLUMN_CONVERSION)
        self.noise, self.bent = e.noise, bool(e.inl)
        self.ideal = not (e.offset or e.gain or e.settling or e.noise)
        self.step, self.operations = step, np.zeros(1, np.int64)

    def held(self, values: Reals) -> Reals:
        """Line values (.., lines) in codes as they are held, in LSB; every vector is an operation."""
        count = values[..., 0].size
        self.operations += count
        if self.ideal:
            return values * 2.0**-self.step
        held = values * self.scale + self.offset
        if self._errors.noise:
            operations = self.operations - count + np.arange(count).reshape(*values.shape[:-1], 1)
            held = held + self._errors.noise * normal(self.noise_key, operations, self._lines)
        return gridded(held)

    def outside(self, held: Reals) -> NDArray[np.bool_]:
        """Which ``held`` values are beyond the least or the largest code."""
        most = 1 << self.bits - 1
        return (held < -most - 0.5) | (held >= most - 0.5)

    def compare(self, held: Reals, lines: Ints, dac: Ints) -> NDArray[np.bool_]:
        """Which of the ``held`` values (n,) of ``lines`` (n,) are not below the thresholds of the codes ``dac``."""
        return held >= dac - 0.5 + self._nonlinearity(lines, dac)

    def _nonlinearity(self, lines: Ints, dac: Ints) -> Reals | float:
        if not self._errors.inl:
            return 0.0
        converters, positions = lines % self.shared, dac + (1 << self.bits - 1)
        return self._inl(converters, positions) if self.table is None else self.table[converters, positions]

    def _inl(self, converters: Ints, positions: Ints) -> Reals:
        """The integral nonlinearity of ``converters`` at ``positions``, codes counted from the least one."""
        on = (positions[..., None] >> np.arange(self.bits) & 1) - 0.5
        return (on * self._bit_errors[converters]).sum(axis=-1)

    def convert(self, held: Reals, lines: Ints) -> Ints:
        """The codes (.., n) of ``held`` values (.., n) of ``lines`` (n,), by successive approximation."""
        most = 1 << self.bits - 1
        if not self._errors.inl:
            return np.clip(np.floor(held + 0.5), -most, most - 1).astype(np.int64)
        code = np.full(held.shape, -most)
        for bit in range(self.bits - 1, -1, -1):
            code += self.compare(held, lines, code + (1 << bit)).astype(np.int64) << bit
        return code
