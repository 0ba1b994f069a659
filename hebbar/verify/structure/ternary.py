"""Bits that are 0, 1 or unknown: values, and Verilog's operators on them.

A value is two masks, the bits known to be one and the bits known to be zero; what is in neither is
unknown. Every operator here is sound: a bit it calls known has that value whatever the unknown bits
are. Arithmetic is not looked into: its results are unknown.
"""

from dataclasses import dataclass

__all__ = ["ONE", "UNKNOWN", "ZERO", "Bits", "combine", "equal", "extend", "invert", "join", "literal", "truth"]


@dataclass(frozen=True)
class Bits:
    """Masks of the bits known to be one and of those known to be zero."""

    ones: int
    zeros: int

    def part(self, low: int, width: int) -> "Bits":
        mask = (1 << width) - 1
        return Bits(self.ones >> low & mask, self.zeros >> low & mask)

    def force(self, zeros: int) -> "Bits":
        """The value with the bits of a mask made zero."""
        return Bits(self.ones & ~zeros, self.zeros | zeros)


UNKNOWN, ZERO, ONE = Bits(0, 0), Bits(0, 1), Bits(1, 0)


def join(a: Bits, b: Bits) -> Bits:
    """What is known of a value that is ``a`` or ``b``."""
    return Bits(a.ones & b.ones, a.zeros & b.zeros)


def extend(value: Bits, width: int, to: int, zero: bool) -> Bits:
    """``value`` in more (or fewer) bits, the new ones zero or unknown: Pyverilog forgets which are signed."""
    if to <= width:
        return value.part(0, to)
    return Bits(value.ones, value.zeros | ((1 << to) - (1 << width) if zero else 0))


def invert(value: Bits) -> Bits:
    return Bits(value.zeros, value.ones)


def combine(operator: str, a: Bits, b: Bits) -> Bits:
    """And, Or, Xor or Xnor, bit by bit."""
    if operator == "And":
        return Bits(a.ones & b.ones, a.zeros | b.zeros)
    if operator == "Or":
        return Bits(a.ones | b.ones, a.zeros & b.zeros)
    same = Bits(a.ones & b.zeros | a.zeros & b.ones, a.ones & b.ones | a.zeros & b.zeros)
    return same if operator == "Xor" else invert(same)


def truth(value: Bits, width: int) -> Bits:
    """Whether any bit is one."""
    if value.ones:
        return ONE
    return ZERO if value.zeros == (1 << width) - 1 else UNKNOWN


def equal(a: Bits, b: Bits, width: int) -> Bits:
    """Whether two values are the same."""
    if a.ones & b.zeros or a.zeros & b.ones:
        return ZERO
    known = (a.ones | a.zeros) & (b.ones | b.zeros)
    return ONE if known == (1 << width) - 1 else UNKNOWN


def literal(text: str) -> tuple[Bits, int]:
    """A Verilog number and its width (32 where it has none); x, z and ? are unknown."""
    size, quote, rest = text.replace("_", "").lower().partition("'")
    if not quote:
        return Bits(int(size), ~int(size) & (1 << 32) - 1), 32
    rest = rest.removeprefix("s")
    width = int(size or 32)
    base, digits = rest[0], rest[1:]
    if base == "d":
        ones = int(digits) if digits.isdigit() else 0
        return Bits(ones, (~ones if digits.isdigit() else 0) & (1 << width) - 1), width
    step = {"b": 1, "o": 3, "h": 4}[base]
    ones = zeros = 0
    for digit in digits:
        full = (1 << step) - 1
        value = int(digit, 1 << step) if digit not in "xz?" else None
        ones = ones << step | (value or 0)
        zeros = zeros << step | (0 if value is None else full & ~value)
    if len(digits) * step < width:
        zeros |= (1 << width) - (1 << len(digits) * step)
    return Bits(ones, zeros).part(0, width), width
