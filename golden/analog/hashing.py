"""Random numbers that are a function of what they are for: no state, so neither order nor stalls change them."""

from enum import IntEnum

import numpy as np
from numba import int64, njit, uint64
from numpy.typing import ArrayLike, NDArray

__all__ = ["Draw", "key", "uniform", "normal", "normal_at", "uniform_at", "quantile", "disturb"]

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
    return _mix(_mix(stream + uint64(operation) * uint64(0x9E3779B97F4A7C15)) + uint64(index)
                * uint64(0xD1342543DE82EF95))


@_kernel
def uniform_at(stream, operation, index):
    """One number in (0, 1), a multiple of 2^-32 and half of that more."""
    return (float(_bits(stream, operation, index) >> uint64(32)) + 0.5) * 2.0**-32


@_kernel
def _middle(q):
    """``quantile`` of q + 1/2 where |q| <= 0.425."""
    r = 0.180625 - q * q
    return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) / (
        ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0)


@_kernel
def _tail(q):
    """``quantile`` of q + 1/2 elsewhere."""
    r = np.sqrt(-np.log(0.5 - abs(q)))
    if r <= 5.0:
        r -= 1.6
        z = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) / (
            (0.12021132975 * r + 0.73700164250) * r + 1.0)
    else:
        r -= 5.0
        z = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) / (
            (0.012258202635 * r + 0.24197894225) * r + 1.0)
    return -z if q < 0.0 else z


@_kernel
def _quantile(q):
    return _middle(q) if abs(q) <= 0.425 else _tail(q)


@_kernel
def _centred(bits):
    """The upper 52 bits as a number in (-1/2, 1/2), never 0."""
    return (float(int64(bits >> uint64(12))) + 0.5) * 2.0**-52 - 0.5


@_kernel
def quantile(p):
    """The point that a standard normal number is below with the probability ``p``, to 1e-7 (Wichura 1988, AS 241)."""
    return _quantile(p - 0.5)


@_kernel
def normal_at(stream, operation, index):
    """One number of the standard normal law."""
    return _quantile(_centred(_bits(stream, operation, index)))


@_kernel
def disturb(sums, sigma, stream, first, grid):
    """Add to every row of ``sums`` (B, L) the noise of operation ``first`` + row, of the deviations ``sigma`` (B, L) or
    (B, 1), and round to multiples of 1 / ``grid``, in place. Tails come last, so that the rest is done several at a
    time.
    """
    lines, wide = sums.shape[1], sigma.shape[1] > 1
    q, z = np.empty(lines), np.empty(lines)
    for b in range(sums.shape[0]):
        row = _mix(stream + uint64(first + b) * uint64(0x9E3779B97F4A7C15))
        for i in range(lines):
            q[i] = _centred(_mix(row + uint64(i) * uint64(0xD1342543DE82EF95)))
            z[i] = _middle(q[i])
        for i in range(lines):
            if abs(q[i]) > 0.425:
                z[i] = _tail(q[i])
        for i in range(lines):
            sums[b, i] = np.rint((sums[b, i] + sigma[b, i if wide else 0] * z[i]) * grid) / grid


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
