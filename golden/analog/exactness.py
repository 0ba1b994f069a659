"""Where sums over the lines of a crossbar are exact in float64: the order of adding then changes no bit.

Conductances and variances lie on grids. A sum of them, each times an input or the square of one, is exact as long as it
has at most 53 bits above its grid. The bounds hold whatever a program writes or learns.
"""

from dataclasses import dataclass
from math import ceil, log, log2

from hebbar.contract.machine import MachineConfig

from .laws import GRID, READ_TIME, gridded

__all__ = ["FINEST", "Range", "inexact", "variance_grid"]

EXACT_BITS = 53
FARTHEST = 8.5
"""No normal number of 52 bits is farther from 0."""
FINEST = 12
"""Bits that the largest variance has on its grid at the least."""


@dataclass(frozen=True)
class Range:
    """Conductances of a cell in weight codes of ``unit`` microsiemens each: ``least`` to ``most``, ``full`` apart.
    ``largest``: what nothing leads beyond. Programming is off by a multiple of its deviation at the most, and learning
    and drift lead no further."""

    full: float
    unit: float
    least: float
    largest: float

    @property
    def most(self) -> float:
        return self.least + self.full

    @classmethod
    def of(cls, machine: MachineConfig) -> "Range":
        d, p = machine.analog.device, machine.analog.programming
        full = max(float(gridded(d.weight_range * machine.formats.weight.scale)), 1 / GRID)
        unit = (d.g_max - d.g_min) / full
        least = float(gridded(d.g_min / unit))
        sigma = sum(abs(c) * (1.0 if p.relative else d.g_max) ** k for k, c in enumerate(p.noise)) / unit
        return cls(full, unit, least, least + full + FARTHEST * sigma)


def variance_grid(machine: MachineConfig, span: Range) -> float:
    """What variances of weights are multiples of, a power of two in codes squared: the finest on which sums over the
    lines are exact, and never so coarse that the largest has less than FINEST bits."""
    r, g_max, unit = machine.analog.read, machine.analog.device.g_max, span.unit
    g = span.largest * unit
    if r.flicker_exponent > 1 and r.flicker:  # from the limit on it falls with g
        g = min(g, g_max * (r.flicker / r.flicker_limit) ** (1 / r.flicker_exponent)) if r.flicker_limit else 0.0
    flicker = g * min(r.flicker / (g / g_max) ** r.flicker_exponent, r.flicker_limit) if g else 0.0
    octaves = max(log((r.age + READ_TIME) / (2 * READ_TIME)), 0.0)
    top = 2 * ((r.proportional * span.largest) ** 2 + (flicker / unit) ** 2 * octaves + (r.additive / unit) ** 2)
    room = max(EXACT_BITS - max(_inputs(machine, 2)), FINEST)
    return 2.0 ** (ceil(log2(max(top, 1.0))) - room)


def inexact(machine: MachineConfig) -> str:
    """Why a sum over the lines need not be exact, as the end of a sentence, or an empty string."""
    if ceil(log2(Range.of(machine).largest * GRID)) + max(_inputs(machine, 1)) > EXACT_BITS:
        return "a sum of conductances times inputs can leave the 53 bits that float64 is exact in"
    r = machine.analog.read
    if (r.proportional or r.flicker or r.additive) and max(_inputs(machine, 2)) > EXACT_BITS - FINEST:
        return f"a sum of squared inputs leaves variances less than {FINEST} of the 53 bits that float64 is exact in"
    return ""


def _inputs(machine: MachineConfig, power: int) -> tuple[int, int]:
    """Bits of the sum over all lines of the inputs of FWD and of TRN to ``power``."""
    return (power * (machine.activity_bits - 1 + machine.analog.control.align) + ceil(log2(machine.array_columns)),
            power * (machine.error_bits - 1) + ceil(log2(machine.array_rows)))
