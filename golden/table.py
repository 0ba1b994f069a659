"""An activation table: 2**table_bits segments with linear interpolation."""

import numpy as np

from hebbar.contract.activations import ENTRY_BITS
from hebbar.contract.formats import Format, Formats
from hebbar.contract.memories import TABLE

from .fixed import Ints, Saturation, round_half_up

__all__ = ["Table"]


class Table:
    """f or f' of a state code, read from packed table entries.

    ``out = sat(round((value << F) + slope * fraction >> F + 16 - out.bits))`` with index the top
    and fraction the low F bits of the state code. A clip at the end of the range is the function's
    own shape and is not counted as a saturation.
    """

    def __init__(self, entries: list[int], formats: Formats, out: Format) -> None:
        words = np.array(entries, dtype=np.int64)
        self._value = _signed(words >> TABLE["value"].lsb, TABLE["value"].width)
        self._slope = _signed(words >> TABLE["slope"].lsb, TABLE["slope"].width)
        self._frac = formats.table_frac
        self._mask = (1 << formats.state.bits) - 1
        self._out = out

    def __call__(self, state: Ints) -> Ints:
        """Output codes for state codes, same shape."""
        unsigned = state & self._mask
        index, fraction = unsigned >> self._frac, unsigned & ((1 << self._frac) - 1)
        exact = (self._value[index] << self._frac) + self._slope[index] * fraction
        return Saturation()(round_half_up(exact, self._frac + ENTRY_BITS - self._out.bits),
                            self._out)


def _signed(word: Ints, bits: int) -> Ints:
    word = word & ((1 << bits) - 1)
    return word - ((word >> (bits - 1)) << bits)
