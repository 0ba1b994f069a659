"""Random pulses whose rate is a number: the lines of the stochastic outer product."""

import numpy as np
from numba import njit, uint32
from numpy.typing import NDArray

from hebbar.contract.pulses import PROBABILITY_BITS, line_seed

from .fixed import Ints

__all__ = ["Pulses"]


class Pulses:
    """Twin of ``hw.pulses``: ``count`` lines, each with a xorshift generator (Marsaglia 2003: 13, 17, 5), ``state``
    uint32 (count,)."""

    def __init__(self, count: int, first: int) -> None:
        self.state = np.array([line_seed(first + i) for i in range(count)], np.uint32)

    def words(self, probability: Ints, count: int) -> NDArray[np.uint32]:
        """``count`` cycles of all lines, up to 32, each line firing with
        ``probability / 2**PROBABILITY_BITS``: bit k of a word says whether the line fired in cycle k."""
        return _words(self.state, probability, count)


@njit(cache=True, nogil=True)
def _words(state: NDArray[np.uint32], probability: Ints, count: int) -> NDArray[np.uint32]:
    words = np.zeros(state.size, np.uint32)
    for i in range(state.size):
        s = state[i]
        for k in range(count):
            s = uint32(s ^ s << 13)
            s = uint32(s ^ s >> 17)
            s = uint32(s ^ s << 5)
            if np.int64(s) >> 32 - PROBABILITY_BITS < probability[i]:
                words[i] |= uint32(1 << k)
        state[i] = s
    return words
