"""Random numbers that are a function of what they are for: no state, so neither order nor stalls change them."""

from enum import IntEnum

import numpy as np
from numba import njit, uint64
from numpy.typing import ArrayLike, NDArray

__all__ = ["Draw", "key", "uniform", "normal", "normal_at", "uniform_at"]

_kernel = njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")


class Draw(IntEnum):
    """What a number is drawn for."""

    STUCK = 1
    DRIFT = 2
    DEVICE = 3
    PROGRAM = 4
    CELL = 5
    ROW_READ = 6
    COLUMN_READ = 7
    PULSE = 8
    OFFSET = 9
    GAIN = 10
    INL = 11
    ROW_CONVERSION = 12
    COLUMN_CONVERSION = 13


@_kernel
def _mix(x):
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> uint64(27))) * uint64(0x94D049BB133111EB)
    return x ^ (x >> uint64(31))


@_kernel
def _bits(stream, operation, index):
    return _mix(_mix(stream + uint64(operation) * uint64(0x9E3779B97F4A7C15)) + uint64(index) * uint64(0xD1342543DE82EF95))


@_kernel
def uniform_at(stream, operation, index):
    """One number in (0, 1), a multiple of 2^-32 and half of that more."""
    return (float(_bits(stream, operation, index) >> uint64(32)) + 0.5) * 2.0**-32


@_kernel
def normal_at(stream, operation, index):
    """One number of the standard normal law (Box and Muller 1958, the cosine)."""
    bits = _bits(stream, operation, index)
    radius = np.sqrt(-2.0 * np.log((float(bits >> uint64(32)) + 0.5) * 2.0**-32))
    return radius * np.cos(2.0 * np.pi * 2.0**-32 * float(bits & uint64(0xFFFFFFFF)))


@_kernel
def _fill(law, stream, operations, indices, out):
    for i in range(out.size):
        if law:
            out[i] = normal_at(stream, operations[i], indices[i])
        else:
            out[i] = uniform_at(stream, operations[i], indices[i])


def key(seed: int, draw: Draw) -> np.uint64:
    """The stream of a purpose: the first argument of all others."""
    return np.uint64(_mix(np.uint64(seed << 8 | int(draw))))


def _filled(law: bool, stream: np.uint64, operation: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    operations, indices = np.broadcast_arrays(np.asarray(operation, np.int64), np.asarray(index, np.int64))
    out = np.empty(operations.size)
    _fill(law, stream, operations.ravel(), indices.ravel(), out)
    return out.reshape(operations.shape)


def uniform(stream: np.uint64, operation: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    """Numbers in (0, 1) for every pair of ``operation`` and ``index``, which are broadcast."""
    return _filled(False, stream, operation, index)


def normal(stream: np.uint64, operation: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    """Numbers of the standard normal law for every pair of ``operation`` and ``index``, which are broadcast."""
    return _filled(True, stream, operation, index)
