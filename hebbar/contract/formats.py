"""Number formats: the one place where a width or a binary point is declared.

Every signed number in the machine is two's complement with a fixed binary point. Two operations
change a format, both defined here in words and read independently by ``golden.fixed`` (NumPy) and
``hw.fixed`` (Amaranth):

* **round half up**: ``round(v >> s) = floor((v + 2**(s-1)) / 2**s)``; ``s = 0`` changes nothing.
  Ties go towards plus infinity: -0.5 becomes 0, 0.5 becomes 1.
* **saturate**: clip to the nearest code of the target format; every clip is counted.

What the compiler derives (constants, registers, tables) becomes a code by ``code`` alone, which refuses what
would run as another number.
"""

import math
from dataclasses import dataclass

from .errors import BadInput

__all__ = ["Format", "Formats", "ALLOWANCE", "code"]

ALLOWANCE = 0.05
"""Share by which a parameter may be off once it is a code; what is further off is refused."""


@dataclass(frozen=True)
class Format:
    """A two's complement fixed-point format: ``value = code / 2**frac``.

    ``bits`` counts the sign. ``Format(16, 13)`` is Q2.13: codes -32768..32767, values -4..4.
    """

    bits: int
    frac: int

    @property
    def lo(self) -> int:
        """The smallest code."""
        return -(1 << (self.bits - 1))

    @property
    def hi(self) -> int:
        """The largest code."""
        return (1 << (self.bits - 1)) - 1

    @property
    def scale(self) -> float:
        """Codes per unit: ``code = value * scale``."""
        return float(2**self.frac)

    def __str__(self) -> str:
        return f"Q{self.bits - self.frac - 1}.{self.frac} ({self.bits} b)"


def code(value: float, format: Format, where: str, fix: str, allowance: float = ALLOWANCE, up: bool = False,
         unit: float = 1.0) -> int:
    """The nearest code of ``value`` times ``unit``, ties up, inside ``format``; ``up``: the next one not below it.

    Raises BadInput, naming ``where`` and how to ``fix`` it, when that stands for a number which is off by more than
    the share ``allowance`` of ``value``.
    """
    scale = unit * format.scale
    exact = value * scale
    if not math.isfinite(exact):
        raise BadInput(f"{where} is {value:g}, beyond {format.hi / scale:g}, the end of {format}; {fix}.")
    nearest = min(max(math.ceil(exact) if up else math.floor(exact + 0.5), format.lo), format.hi)
    used = nearest / scale
    if abs(used - value) > allowance * abs(value):
        end = format.hi if value > 0 else format.lo
        why = f"{end / scale:.4g}, the end of {format}" if nearest == end and abs(value) > abs(used) else \
            f"{used:.4g}, because {format} has steps of {1 / scale:.4g}"
        raise BadInput(f"{where} is {value:g} and would run as {why}; {fix}.")
    return nearest


@dataclass(frozen=True)
class Formats:
    """All formats of one machine, derived from its configured widths.

    ``activity`` has the fraction bits that products of a row are aligned to; a population may use
    fewer (its map entries then carry the left shift that aligns them). ``derivative`` holds f' with
    one integer bit, ``gain`` is the unsigned step gamma (stored as a signed format one bit wider).
    """

    weight: Format
    state: Format
    error: Format
    activity: Format
    derivative: Format
    feedback: Format
    row_sum: Format
    feedback_sum: Format
    gain: Format

    @property
    def sum_shift(self) -> int:
        """Right shift from a row sum to a prediction mu in state units."""
        return self.row_sum.frac - self.state.frac

    @property
    def back_shift(self) -> int:
        """Right shift from a feedback sum to the feedback in state units."""
        return self.feedback_sum.frac - self.feedback.frac

    @property
    def step_shift(self) -> int:
        """Right shift from ``gain * derivative * feedback`` to state units."""
        return self.derivative.frac + self.gain.frac

    @property
    def table_bits(self) -> int:
        """Index bits of an activation table: the top bits of a state (256 segments at most)."""
        return min(8, self.state.bits)

    @property
    def table_frac(self) -> int:
        """Interpolation bits: the state bits below the table index."""
        return self.state.bits - self.table_bits
