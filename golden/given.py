"""Numbers that somebody gives from outside, as arrays, or a sentence about why they are none.

What NumPy would convert in silence is refused where another number could have been meant: text, complex numbers,
dates, objects, and masked arrays, whose mask would be lost.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.contract.errors import BadInput

__all__ = ["first_bad", "numbers"]

MOST = 1 << 28
"""Numbers in one array: 2 GB in float64, five times MNIST."""

NAMES = {"c": "complex numbers", "S": "bytes", "U": "text", "M": "dates", "m": "times", "V": "records",
         "O": "objects that are no numbers, or rows of different lengths"}


def numbers(name: str, given: ArrayLike) -> NDArray[Any]:
    """``given`` as an array of its own kind: floats, integers or booleans; a view where it can be one.

    Raises BadInput for anything else, which ``name`` begins the sentence of.
    """
    if isinstance(given, np.ma.MaskedArray) or (isinstance(given, list | tuple) and any(
            isinstance(row, np.ma.MaskedArray) for row in given)):
        raise BadInput(f"{name} is a masked array, whose mask would be lost; drop those samples or fill them in with "
                       "numpy.ma.filled.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it would say is said below
            array = np.asarray(given)
    except Exception as error:  # whatever an object's own __array__ raises
        raise BadInput(f"{name} is no array of numbers ({error}); give rows of equal length.") from None
    if array.dtype.kind not in "biuf":
        raise BadInput(f"{name} is no array of numbers: it holds {NAMES.get(array.dtype.kind, array.dtype)}; give rows "
                       "of equal length of real numbers.")
    if array.size > MOST:
        raise BadInput(f"{name} has {array.size:,} numbers of shape {array.shape}; give at most {MOST:,} at a time.")
    return array


def first_bad(name: str, values: NDArray[Any], bad: NDArray[np.bool_], complaint: str, start: int = 0) -> None:
    """Raise BadInput for the first of ``values`` that is ``bad``; ``start`` is the number of their first sample."""
    if bad.any():
        where = [int(i) for i in np.argwhere(bad)[0]]
        column = f", input {where[1]}" if len(where) > 1 else ""
        value = float(values[tuple(where)])
        raise BadInput(f"{name}: sample {where[0] + start}{column} is {value:g}, which {complaint}")
