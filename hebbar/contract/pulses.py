"""Random pulses of the stochastic update: where every line's generator starts, and how fine a probability is."""

__all__ = ["PROBABILITY_BITS", "line_seed"]

PROBABILITY_BITS = 16
"""A line fires with a probability of ``probability / 2**PROBABILITY_BITS``."""

_WORD = 0xFFFFFFFF


def line_seed(number: int) -> int:
    """The 32 bits, never zero, from which the generator of line ``number`` starts: rows first, then columns.

    The finaliser of MurmurHash3, so that neighbouring lines start far apart.
    """
    h = number + 1
    for multiplier, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        h = (h ^ h >> shift) * multiplier & _WORD
    return h ^ h >> 16 or 1
