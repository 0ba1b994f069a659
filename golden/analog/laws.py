"""Published laws of devices: what a conductance g, as a share of g_max or in microsiemens, does by itself."""

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.analog import Programming, Read

__all__ = ["READ_TIME", "programming_sigma", "flicker_sigma", "drift_exponents", "drifted"]

Reals = NDArray[np.float64]

READ_TIME = 250e-9
"""Seconds of a read, the upper end of the 1/f noise (Nandakumar et al. 2019)."""


def programming_sigma(p: Programming, g: Reals, g_max: float) -> Reals:
    """Standard deviation of a written conductance in microsiemens for targets ``g`` in microsiemens, never below 0."""
    x = g / g_max if p.relative else g
    return np.maximum(np.polynomial.polynomial.polyval(x, p.noise or (0.0,)), 0.0)


def flicker_sigma(r: Read, g: Reals, g_max: float) -> Reals:
    """Standard deviation by 1/f noise of a read at ``r.age``, in microsiemens: g Q sqrt(ln((t + t_r) / (2 t_r)))."""
    on, out = g > 0, np.zeros_like(g)
    q = np.minimum(r.flicker / (g[on] / g_max) ** r.flicker_exponent, r.flicker_limit)
    out[on] = g[on] * q * np.sqrt(max(np.log((r.age + READ_TIME) / (2 * READ_TIME)), 0.0))
    return out


def drift_exponents(r: Read, g: Reals, g_max: float, z: Reals) -> Reals:
    """nu of every conductance: its law in g plus ``z`` standard deviations, never negative.

    ``drift_log``: mean clip(-0.0155 ln g + 0.0244, .049, .1), deviation clip(-0.0125 ln g - 0.0059, .008, .045)
    with g as a share of g_max (Joshi et al. 2020).
    """
    if not r.drift_log:
        return np.maximum(r.drift + r.drift_spread * z, 0.0)
    log = np.log(np.maximum(g / g_max, 1e-12))
    mean, deviation = np.clip(-0.0155 * log + 0.0244, 0.049, 0.1), np.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
    return np.maximum(mean + deviation * z, 0.0)


def drifted(r: Read, g: Reals, g_max: float, z: Reals) -> Reals:
    """The conductances ``g`` after ``r.age`` seconds: g (t / t0)^-nu; unchanged up to t0."""
    if r.age <= r.drift_start:
        return g
    on, out = g > 0, g.copy()
    out[on] *= (r.age / r.drift_start) ** -drift_exponents(r, g[on], g_max, z[on])
    return out
