"""Arrays as strangers give them: right ones in any of the ways NumPy has, and wrong ones."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WAYS", "odd", "plain"]

Way = Callable[[NDArray[np.float64]], Any]

WAYS: dict[str, Way] = {
    "as it is": lambda a: a, "float32": lambda a: a.astype(np.float32), "float16": lambda a: a.astype(np.float16),
    "long": lambda a: a.astype(np.longdouble), "big-endian": lambda a: a.astype(">f8"), "list": lambda a: a.tolist(),
    "Fortran": np.asfortranarray, "backwards twice": lambda a: a[::-1][::-1], "one row repeated": lambda a:
    np.broadcast_to(a[:1], a.shape), "memory": lambda a: np.ascontiguousarray(a).data, "minus zero": lambda a:
    np.where(a > 0.9, -0.0, a), "subnormal": lambda a: a + 1e-320, "no rows": lambda a: a[:0], "booleans": lambda a:
    a.astype(bool), "integers": lambda a: a.astype(np.int8), "rows in a list": list, "tuple": tuple,
    "no columns": lambda a: a[:, :0], "transposed": lambda a: a.T, "one more axis": lambda a: a[None], "flat": np.ravel,
    "a column": lambda a: a[..., None], "wider": lambda a: np.repeat(a, 2, -1), "NaN": lambda a: a * np.nan,
    "infinite": lambda a: a + np.inf, "huge": lambda a: -a * 1e300 - 1e299, "long huge": lambda a:
    a.astype(np.longdouble) + np.longdouble("1e4000"), "64 bits": lambda a: a.astype(np.uint64) + np.uint64(2**64 - 9),
    "complex": lambda a: a.astype(complex), "text": lambda a: a.astype(str), "bytes": lambda a: a.astype("S3"),
    "objects": lambda a: a.astype(object), "dates": lambda a: a.astype("M8[s]"), "masked": lambda a:
    np.ma.masked_array(a, a > 0.5), "masked rows": lambda a: [np.ma.masked_array(row, row > 0.5) for row in a],
    "records":
    lambda a: np.zeros(a.shape, [("x", "f8")]), "ragged": lambda a: [[1, 2], [3]], "nothing": lambda a: None,
    "a number": lambda a: np.float64(3), "a word": lambda a: "abc", "dictionary": lambda a: {},
    "range": lambda a: range(3),
    "iterator": lambda a: iter([1]), "zero bytes": lambda a: bytes(5), "a set": lambda a: {1.0},
    "twice": lambda a: [a, a],
    "enormous": lambda a: np.broadcast_to(0.5, (10**9, a.shape[-1])), "an object": lambda a: np.array([[object()]]),
    "big integers": lambda a: [[2**70] * a.shape[-1]] * len(a),
    "masked element": lambda a: [[np.ma.masked] * a.shape[-1]], "refuses": lambda a: Refusing()}


class Refusing:
    """An object whose conversion fails with an error of its own."""

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise RuntimeError("this tensor is on another device")


def odd(rng: Random, good: NDArray[np.float64]) -> tuple[str, Any]:
    """A way by name and what it makes of ``good`` (rows, columns); every third is ``good`` itself."""
    name = "as it is" if rng.random() < 0.33 else rng.choice(list(WAYS))
    with np.errstate(all="ignore"):
        return name, WAYS[name](good)


def plain(given: Any) -> list[list[float]]:
    """Rows of Python floats, without NumPy's conversions."""
    rows: Any = given.tolist() if isinstance(given, np.ndarray | memoryview) else given
    return [[float(x) for x in (row.tolist() if isinstance(row, np.ndarray) else row)] for row in rows]
