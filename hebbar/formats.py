"""Number formats: the one place where a width or a binary point is declared.

Every signed number in the machine is two's complement with a fixed binary point. Two operations
change a format, both defined here in words and read independently by ``golden.fixed`` (NumPy) and
``hw.fixed`` (Amaranth):

* **round half up**: ``round(v >> s) = floor((v + 2**(s-1)) / 2**s)``; ``s = 0`` changes nothing.
  Ties go towards plus infinity: -0.5 becomes 0, 0.5 becomes 1.
* **saturate**: clip to the nearest code of the target format; every clip is counted.
"""

from dataclasses import dataclass

__all__ = ["Format", "Formats"]


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
    back_sum: Format
    gain: Format

    @property
    def sum_shift(self) -> int:
        """Right shift from a row sum to a prediction mu in state units."""
        return self.row_sum.frac - self.state.frac

    @property
    def back_shift(self) -> int:
        """Right shift from a back sum to the feedback in state units."""
        return self.back_sum.frac - self.feedback.frac

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
