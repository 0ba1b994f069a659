"""The elementwise work of single precision, one pass over each array.

All is compiled by Numba and kept on disk; products are NumPy's. A second BLAS for some of them, SciPy's, would add in
place, but its threads and NumPy's wait for each other: eight times slower where both have two. Functions and slopes
are those of ``hebbar.contract.activations`` in float32; tanh is a rational function of degree 13 over 6, as in Eigen,
within 3e-7 of tanh (a test says so).
"""

from typing import Any

import numpy as np
from numba import njit

__all__ = ["KINDS", "add", "compare", "move", "relax"]

KINDS = {name: i for i, name in enumerate(("identity", "relu", "leaky", "tanh", "sigmoid", "hard_tanh"))}
"""What ``kind`` means; other activations have no kernel."""

OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "boundscheck": False, "error_model": "numpy",
           "fastmath": {"contract", "nsz", "arcp"}}
ONE, HALF, ZERO, LEAK = np.float32(1), np.float32(0.5), np.float32(0), np.float32(0.125)
END = np.float32(7.90531)
"""The argument from which on tanh is 1 in float32."""
ODD = tuple(np.float32(c) for c in (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11,
                                    5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04,
                                    4.89352455891786e-03))
EVEN = tuple(np.float32(c) for c in (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03,
                                     4.89352518554385e-03))
PART = 2048
"""Numbers of each array that ``relax`` takes at once: five arrays of them fit a cache of 48 KB."""


@njit(inline="always")
def _tanh(x):
    z = min(max(x, -END), END)
    q = z * z
    p = ODD[0] * q + ODD[1]
    p = p * q + ODD[2]
    p = p * q + ODD[3]
    p = p * q + ODD[4]
    p = p * q + ODD[5]
    p = (p * q + ODD[6]) * z
    d = EVEN[0] * q + EVEN[1]
    d = d * q + EVEN[2]
    return p / (d * q + EVEN[3])


@njit(inline="always")
def _moved(kind, x, a, error, back, gamma):
    n = x.size
    if kind == 0:
        for i in range(n):
            x[i] += gamma * (back[i] - error[i])
            a[i] = x[i]
    elif kind == 1:
        for i in range(n):
            s = ONE if x[i] >= ZERO else ZERO
            x[i] += gamma * (s * back[i] - error[i])
            a[i] = max(x[i], ZERO)
    elif kind == 2:
        for i in range(n):
            s = ONE if x[i] >= ZERO else LEAK
            x[i] += gamma * (s * back[i] - error[i])
            a[i] = max(x[i], LEAK * x[i])
    elif kind == 3:
        for i in range(n):
            x[i] += gamma * ((ONE - a[i] * a[i]) * back[i] - error[i])
            a[i] = _tanh(x[i])
    elif kind == 4:
        for i in range(n):
            x[i] += gamma * (a[i] * (ONE - a[i]) * back[i] - error[i])
            a[i] = HALF + HALF * _tanh(HALF * x[i])
    else:
        for i in range(n):
            s = ONE if -ONE <= x[i] < ONE else ZERO
            x[i] += gamma * (s * back[i] - error[i])
            a[i] = min(max(x[i], -ONE), ONE)


@njit(inline="always")
def _compared(x, mu, error, precision):
    for i in range(x.size):
        error[i] = precision * (x[i] - mu[i])


@njit("void(int64, float32[::1], float32[::1], float32[::1], float32[::1], float32)", **OPTIONS)
def move(kind, x, a, error, back, gamma):
    """``x += gamma (f'(x) back - error)`` and ``a = f(x)``, on arrays of one length."""
    _moved(kind, x, a, error, back, gamma)


@njit("void(int64, float32[::1], float32[::1], float32[::1], float32[::1], float32[::1], float32, float32)", **OPTIONS)
def relax(kind, x, a, error, back, mu, gamma, precision):
    """``move``, then ``compare`` with predictions that stand still, while a part of the arrays is in the cache."""
    for first in range(0, x.size, PART):
        part = slice(first, first + PART)
        _moved(kind, x[part], a[part], error[part], back[part], gamma)
        _compared(x[part], mu[part], error[part], precision)


@njit("void(float32[::1], float32[::1], float32[::1], float32)", **OPTIONS)
def compare(x, mu, error, precision):
    """``error = precision (x - mu)``."""
    _compared(x, mu, error, precision)


@njit("void(float32[::1], float32[::1], float32)", **OPTIONS)
def add(total, change, alpha):
    """``total += alpha change``."""
    for i in range(total.size):
        total[i] += alpha * change[i]
