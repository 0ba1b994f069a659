"""Published laws of devices: what a conductance does by itself.

The laws of a read are compiled for one conductance at a time, so that a machine that follows single cells computes the
same bits as one that takes all at once.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from hebbar.contract.analog import Programming, Read

__all__ = ["GRID", "READ_TIME", "ReadLaw", "aged", "aged_at", "gridded", "programming_sigma", "square_at",
           "variance_of", "variances"]

Reals = NDArray[np.float64]

GRID = 2.0**12
"""Conductances that a read sees are multiples of 1 / GRID weight codes."""
READ_TIME = 250e-9
"""Seconds of a read, the upper end of the 1/f noise (Nandakumar et al. 2019)."""

_kernel = njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")


def gridded(values: ArrayLike) -> Reals:
    """The nearest multiples of 2^-12 code. Sums of them times inputs are exact in any order, so that no number of
    threads and no other library of matrix products changes what a converter sees."""
    steps: Reals = np.multiply(values, GRID)
    return np.round(steps) / GRID


def programming_sigma(p: Programming, g: Reals, g_max: float) -> Reals:
    """Standard deviation of a written conductance in microsiemens for targets ``g`` in microsiemens, never below 0."""
    x = g / g_max if p.relative else g
    return np.maximum(np.polynomial.polynomial.polyval(x, p.noise or (0.0,)), 0.0)


class ReadLaw(NamedTuple):
    """Drift and noise of reads in numbers. ``unit``: microsiemens of a weight code; ``passed``: age by start of the
    drift; ``white``: variance that every weight has, codes squared; ``span``: sqrt(ln((t + t_r) / (2 t_r))) of the 1/f
    noise; ``grid``: variances are its multiples."""

    unit: float
    g_max: float
    drifts: bool
    logarithmic: bool
    passed: float
    drift: float
    drift_spread: float
    white: float
    proportional: float
    flicker: float
    exponent: float
    limit: float
    span: float
    grid: float

    @classmethod
    def of(cls, r: Read, unit: float, g_max: float, grid: float) -> "ReadLaw":
        drifts = r.age > r.drift_start and bool(r.drift or r.drift_spread or r.drift_log)
        return cls(unit, g_max, drifts, r.drift_log, r.age / r.drift_start, r.drift, r.drift_spread,
                   2 * (r.additive / unit) ** 2, r.proportional, r.flicker, r.flicker_exponent, r.flicker_limit,
                   float(np.sqrt(max(np.log((r.age + READ_TIME) / (2 * READ_TIME)), 0.0))), grid)


@_kernel
def _exponent(law, g, z):
    """nu of a conductance of ``g`` microsiemens: its law in g plus ``z`` standard deviations, never negative.

    Logarithmic: mean clip(-0.0155 ln g + 0.0244, .049, .1), deviation clip(-0.0125 ln g - 0.0059, .008, .045) with g
    as a share of g_max (Joshi et al. 2020).
    """
    if not law.logarithmic:
        return max(law.drift + law.drift_spread * z, 0.0)
    log = np.log(max(g / law.g_max, 1e-12))
    mean, deviation = min(max(-0.0155 * log + 0.0244, 0.049), 0.1), min(max(-0.0125 * log - 0.0059, 0.008), 0.045)
    return max(mean + deviation * z, 0.0)


@_kernel
def aged_at(law, code, z):
    """A conductance in codes as a read finds it, of the device that is ``z`` standard deviations off: drifted by
    g (t / t0)^-nu, on the grid. Of 0 there is nothing to drift."""
    if not law.drifts or code <= 0.0:
        return code
    g = code * law.unit
    return np.rint(g * law.passed ** -_exponent(law, g, z) / law.unit * GRID) / GRID


@_kernel
def square_at(law, code):
    """The variance of an aged conductance without the white noise, codes squared; that of 1/f noise is that of
    g Q sqrt(ln((t + t_r) / (2 t_r)))."""
    g, sigma = code * law.unit, 0.0
    if g > 0.0 and law.flicker > 0.0:
        sigma = g * min(law.flicker / (g / law.g_max) ** law.exponent, law.limit) * law.span / law.unit
    return (law.proportional * code) * (law.proportional * code) + sigma * sigma


@_kernel
def variance_of(law, plus, minus):
    """The variance of the weight of two conductances of which ``square_at`` is ``plus`` and ``minus``, on the grid."""
    return np.rint((plus + minus + law.white) / law.grid) * law.grid


@_kernel
def aged(law, pair, z):
    """``aged_at`` of a pair (2, R, N), whose devices are off by ``z`` (2, R, N)."""
    found = np.empty_like(pair)
    for s in range(2):
        for r in range(pair.shape[1]):
            for n in range(pair.shape[2]):
                found[s, r, n] = aged_at(law, pair[s, r, n], z[s, r, n])
    return found


@_kernel
def variances(law, pair):
    """The variances of the weights of an aged pair (2, R, N), shape (R, N)."""
    found = np.empty(pair.shape[1:])
    for r in range(pair.shape[1]):
        for n in range(pair.shape[2]):
            found[r, n] = variance_of(law, square_at(law, pair[0, r, n]), square_at(law, pair[1, r, n]))
    return found
