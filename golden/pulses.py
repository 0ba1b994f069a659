"""Random pulses whose rate is a number: the lines of the stochastic outer product."""

import numpy as np
from numpy.typing import NDArray

from hebbar.pulses import CHANCE_BITS, line_seed

from .fixed import Ints

__all__ = ["Pulses", "pulse_words"]


class Pulses:
    """Twin of ``hw.pulses``: ``count`` lines, each with a xorshift generator (Marsaglia 2003: 13, 17, 5)."""

    def __init__(self, count: int, first: int) -> None:
        self._state = np.array([line_seed(first + i) for i in range(count)], np.uint32)

    def draw(self, chance: Ints) -> NDArray[np.bool_]:
        """Which lines fire in the next cycle, each with the probability ``chance / 2**CHANCE_BITS``."""
        s = self._state
        for left in (13, -17, 5):
            s = s ^ (s << np.uint32(left) if left > 0 else s >> np.uint32(-left))
        self._state = s
        return (s >> np.uint32(32 - CHANCE_BITS)).astype(np.int64) < chance


def pulse_words(lines: Pulses, chance: Ints, count: int) -> NDArray[np.uint32]:
    """``count`` cycles of all lines: bit k of a word says whether the line fired in cycle k."""
    words = np.zeros(chance.size, np.uint32)
    for k in range(count):
        words |= lines.draw(chance).astype(np.uint32) << np.uint32(k)
    return words
