"""The separation unit: softmax or max of the predictions of a population."""

import numpy as np

from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, INDEX_BITS, OCTAVES, POWERS, RECIPROCAL_FRAC
from hebbar.contract.formats import Formats
from hebbar.contract.isa import Into, Mode

from .fixed import Ints, round_half_up
from .neuron import Saturations

__all__ = ["Separation"]


class Separation:
    """``p_r = exp(beta s_r) / sum exp(beta s_r)``, or 1 at the first largest s_r and 0 elsewhere.

    The arithmetic is that of ``hebbar.contract.exponentials``; p has the fraction bits of a state. The results:

        e  = sat(x - p)      DIFFERENCE
        e  = sat(p)          ERROR
        x  = sat(p)          STATE, rows clamped or not
    """

    def __init__(self, formats: Formats, saturations: Saturations) -> None:
        self._f, self._saturate = formats, saturations
        self._powers = np.array(POWERS, np.int64)

    def __call__(self, sums: Ints, state: Ints, mode: Mode, into: Into, beta: int) -> Ints:
        """The new errors, for STATE the new states, from row sums and states of shape (rows,)."""
        shares = self.softmax(sums, beta) if mode is Mode.SOFTMAX else self.maximum(sums)
        if into is Into.STATE:
            return self._saturate.state(shares, self._f.state)
        return self._saturate.error(state - shares if into is Into.DIFFERENCE else shares, self._f.error)

    def softmax(self, sums: Ints, beta: int) -> Ints:
        """p in codes, from the low bits of the BETA register."""
        frac = self._f.state.frac
        distance = np.minimum(round_half_up(sums.max() - sums, self._f.sum_shift), (1 << DISTANCE_BITS) - 1)
        exponent = round_half_up(distance * (beta & (1 << BETA_BITS) - 1), frac)
        octave, index = exponent >> INDEX_BITS, exponent & (1 << INDEX_BITS) - 1
        power = np.where(octave < OCTAVES, self._powers[index] >> np.minimum(octave, OCTAVES), 0)
        reciprocal = (1 << RECIPROCAL_FRAC) // int(power.sum())
        return round_half_up(power * reciprocal, RECIPROCAL_FRAC - frac)

    def maximum(self, sums: Ints) -> Ints:
        """One at the first of the largest sums."""
        shares = np.zeros_like(sums)
        shares[np.argmax(sums)] = 1 << self._f.state.frac
        return shares
