"""Fixed-point arithmetic on integer arrays: the same two operations as ``hw.fixed``."""

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format

__all__ = ["Ints", "Saturation", "round_half_up", "quantise", "to_float"]

Ints = NDArray[np.int64]


def round_half_up(value: Ints, shift: int | Ints) -> Ints:
    """``floor(value / 2**shift + 1/2)``, exact; ``shift`` 0 or more, may be an array."""
    half = (1 << np.asarray(shift, dtype=np.int64)) >> 1
    return (value + half) >> shift


class Saturation:
    """Clips to a format and counts how many values were clipped."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: Ints, format: Format, least: int | Ints | None = None) -> Ints:
        """``value`` clipped to the codes of ``format``, from ``least`` upwards if given; same shape, int64."""
        clipped = np.minimum(np.maximum(value, format.lo if least is None else least), format.hi)
        self.count += int(np.count_nonzero(clipped != value))
        return clipped


def quantise(value: NDArray[np.float64], format: Format, where: str = "value") -> Ints:
    """Nearest codes of real values (ties up), saturated. Raises BadInput on NaN or infinity."""
    value = np.asarray(value, dtype=np.float64)
    if not np.isfinite(value).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        raise BadInput(f"{where} holds {value[first]} at {first}; give finite numbers.")
    codes = np.floor(value * format.scale + 0.5)
    return np.clip(codes, format.lo, format.hi).astype(np.int64)


def to_float(code: Ints, format: Format) -> NDArray[np.float64]:
    """The real values of codes."""
    return np.asarray(code, dtype=np.float64) / format.scale
