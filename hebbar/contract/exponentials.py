"""The numbers SEPARATE works with: the table of powers of two, the widths around it and the cycles it takes.

With ``m`` the largest of the row sums s_r of a population, beta the BETA register (``BETA_BITS`` bits,
unsigned, ``BETA_FRAC`` = INDEX_BITS fraction bits, log2 e included) and F fraction bits of a state:

    d_r = min(round((m - s_r) >> sum_shift), 2**DISTANCE_BITS - 1)      F fraction bits
    t_r = round(d_r beta >> F)                                          INDEX_BITS fraction bits
    E_r = POWERS[t_r mod 2**INDEX_BITS] >> (t_r div 2**INDEX_BITS)      0 from OCTAVES on
    R   = floor(2**RECIPROCAL_FRAC / sum E_r)
    p_r = round(E_r R >> (RECIPROCAL_FRAC - F))                         F fraction bits

rounded half up. The largest row has E = 2**POWER_FRAC, so the sum is never less and R takes
``RECIPROCAL_BITS`` bits. Distances are cut off at 2**DISTANCE_BITS: sums that lie further apart than
that are no predictions of states any more.
"""

from math import isqrt

from .isa import Mode

__all__ = ["BETA_BITS", "BETA_FRAC", "DISTANCE_BITS", "INDEX_BITS", "OCTAVES", "POWERS", "POWER_FRAC",
           "RECIPROCAL_BITS", "RECIPROCAL_FRAC", "SeparationTiming"]

BETA_BITS, BETA_FRAC = 16, 8
DISTANCE_BITS = 24
INDEX_BITS = 8
OCTAVES = 24
POWER_FRAC = 16
RECIPROCAL_FRAC = 40
RECIPROCAL_BITS = RECIPROCAL_FRAC - POWER_FRAC + 1


def _power(index: int) -> int:
    """``round(2**(POWER_FRAC - index / 2**INDEX_BITS))`` in integers alone.

    The result v is the largest whole number with (2 v - 1)**(2**INDEX_BITS) <= root, and taking the
    floor of a square root INDEX_BITS times is taking the floor of that root.
    """
    root = 1 << (((POWER_FRAC + 1) << INDEX_BITS) - index)
    for _ in range(INDEX_BITS):
        root = isqrt(root)
    return (root + 1) // 2


POWERS: tuple[int, ...] = tuple(_power(i) for i in range(1 << INDEX_BITS))
"""``round(2**POWER_FRAC * 2**(-i / 2**INDEX_BITS))``, from 2**POWER_FRAC down to just above half of it."""


class SeparationTiming:
    """The separation unit, passes over the n rows of a population, one after the other:

        always     n + 2   the largest sum and the first row that has it
        SOFTMAX    n + 5   powers and their sum, then a bit of the reciprocal a cycle
        always     n + 3   results
    """

    find = 2
    """Cycles from the address of a row to the comparison of its sum."""

    weigh = 5
    """Cycles from the address of a row to its power."""

    share = 3
    """Cycles from the address of a row to the one in which its result is written."""

    def cycles(self, rows: int, mode: Mode) -> int:
        """Cycles from the one after the start to the one in which the last result is written."""
        passes = rows + self.find + rows + self.share
        return passes + (rows + self.weigh + RECIPROCAL_BITS if mode is Mode.SOFTMAX else 0)
