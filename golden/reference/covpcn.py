"""Covariance-learning predictive coding networks (Tang et al., PLOS Computational Biology 2023).

One population of ``size`` neurons that predict each other:

* implicit: ``e = x - W f(x) - nu``, diag W = 0, ``dW = e f(x)^T``, ``dnu = e``; recall moves the missing
  entries by ``dt (-e + f'(x) * (W^T e))``, the descent of ``E = 1/2 |e|^2``;
* dendritic: the same learning; recall moves them by ``dt (-e)`` and needs no transposed weights;
* explicit: ``e = S^-1 (x - mu)``, ``dS = 1/2 (e e^T - S^-1)``, ``dmu = e``; it needs an inverse, so it
  is for software only.

Patterns and cues are (batch, size). Updates are summed over the batch, so rates fall as it grows. The
two recalls of the same weights differ: only the dendritic one ends at the Gaussian conditional mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .energy import FUNCTIONS
from .state import Array

__all__ = ["Recall", "CovPCN", "Explicit", "errors", "energy", "learn", "settled", "rate_bound", "recall_descent",
           "recall", "fixed_point", "conditional_mean", "recall_bound", "explicit_errors", "explicit_learn",
           "explicit_recall", "explicit_rate_bound"]

Recall = Literal["implicit", "dendritic"]
"""What moves a missing entry: the whole gradient of the energy, or its own error alone."""


@dataclass(frozen=True)
class CovPCN:
    """``weights`` (size, size) with a zero diagonal, ``prior`` nu (size,), ``activation`` the name of f."""

    weights: Array
    prior: Array
    activation: str = "identity"

    def __post_init__(self) -> None:
        shape, size = np.shape(self.weights), np.size(self.prior)
        if np.shape(self.prior) != (size,) or shape != (size, size):
            raise BadInput(f"covpcn.weights has shape {shape} and covpcn.prior {np.shape(self.prior)}; "
                           "give (size, size) and (size,).")
        if np.diagonal(self.weights).any():
            raise BadInput("covpcn.weights has a diagonal entry that is not zero, and no neuron may predict "
                           "itself; clear the diagonal.")
        _function(self.activation)

    def f(self, x: Array) -> Array:
        """The activities f(x)."""
        return _function(self.activation)[0](x)


def errors(model: CovPCN, x: Array) -> Array:
    """e = x - W f(x) - nu, (batch, size)."""
    x = _patterns("x", x, model.prior.size)
    return x - model.f(x) @ model.weights.T - model.prior


def energy(model: CovPCN, x: Array) -> Array:
    """``E = 1/2 |e|^2`` of each sample, (batch,)."""
    return 0.5 * (errors(model, x) ** 2).sum(axis=1)


def learn(model: CovPCN, patterns: Array, rate: float) -> CovPCN:
    """One update of W and nu from ``patterns``, summed over them; the paper used a rate of 1e-4."""
    e = errors(model, patterns)
    step = e.T @ model.f(np.asarray(patterns, dtype=np.float64))
    np.fill_diagonal(step, 0.0)
    return CovPCN(model.weights + rate * step, model.prior + rate * e.sum(axis=0), model.activation)


def settled(patterns: Array) -> CovPCN:
    """Where ``learn`` with f = identity ends: W_ij = -P_ij / P_ii and nu = mean - W mean.

    P is the inverse of the covariance of ``patterns``; without one (patterns too few or dependent) the
    end depends on the start and BadInput is raised.
    """
    mean, covariance = _moments(patterns)
    precision = np.linalg.inv(covariance)
    weights = -precision / np.diagonal(precision)[:, None]
    np.fill_diagonal(weights, 0.0)
    return CovPCN(weights, mean - weights @ mean)


def rate_bound(patterns: Array, activation: str = "identity") -> float:
    """Repeated ``learn`` on ``patterns`` converges for a smaller rate and diverges for a larger one.

    2 / lambda_max(A_i^T A_i), A_i = [f(x_j), j != i, 1] of every pattern, least over i; exact for every f.
    """
    x = _patterns("patterns", patterns)
    a = np.hstack([_function(activation)[0](x), np.ones((len(x), 1))])
    return float(2.0 / max(np.linalg.norm(np.delete(a, i, axis=1), 2) for i in range(x.shape[1])) ** 2)


def recall_descent(model: CovPCN, x: Array, kind: Recall) -> Array:
    """What recall adds per unit of dt, (batch, size): -dE/dx for "implicit", -e for "dendritic"."""
    e = errors(model, x)
    if _known(kind) == "dendritic":
        return -e
    return -e + _function(model.activation)[1](np.asarray(x)) * (e @ model.weights)


def recall(model: CovPCN, cue: Array, missing: NDArray[np.bool_], kind: Recall, dt: float, steps: int) -> Array:
    """The patterns (batch, size) after ``steps`` synchronous steps of the missing entries from ``cue``.

    ``missing`` is True where an entry may move, (size,) or (batch, size); the others stay as they are.
    The paper used dt = 0.05.
    """
    x = _patterns("cue", cue, model.prior.size)
    return _relax(x, missing, dt, steps, lambda now: recall_descent(model, now, kind))


def fixed_point(model: CovPCN, cue: Array, missing: NDArray[np.bool_], kind: Recall) -> Array:
    """Where recall ends for f = identity, (batch, size); ``missing`` is (size,).

    implicit: the minimiser of ``1/2 |(I - W) x - nu|^2`` over the missing entries; dendritic: their errors are 0.
    """
    x, m = _patterns("cue", cue, model.prior.size).copy(), _one_mask(missing, model.prior.size)
    a = _linear(model)
    target = model.prior[:, None] - a[:, ~m] @ x[:, ~m].T
    if _known(kind) == "implicit":
        x[:, m] = np.linalg.lstsq(a[:, m], target, rcond=None)[0].T
    else:
        x[:, m] = np.linalg.solve(a[np.ix_(m, m)], target[m]).T
    return x


def conditional_mean(mean: Array, covariance: Array, cue: Array, missing: NDArray[np.bool_]) -> Array:
    """The mean of the missing entries of a Gaussian given the others, (batch, size); ``missing`` is (size,).

    ``mu_m + S_mk S_kk^-1 (x_k - mu_k)``: where dendritic recall ends once W has settled, and explicit recall.
    """
    x, m = _patterns("cue", cue, len(mean)).copy(), _one_mask(missing, len(mean))
    gain = np.linalg.solve(covariance[np.ix_(~m, ~m)], covariance[np.ix_(~m, m)])
    x[:, m] = mean[m] + (x[:, ~m] - mean[~m]) @ gain
    return x


def recall_bound(model: CovPCN, missing: NDArray[np.bool_], kind: Recall) -> float:
    """Recall with f = identity converges for a smaller dt and diverges for a larger one; ``missing`` (size,).

    implicit: 2 / lambda_max(A^T A), A the missing columns of I - W. dendritic: the least ``2 Re(l) / |l|^2``
    over the eigenvalues l of the missing block of I - W, 2 / lambda_max when W has settled; 0 or less
    means that no dt converges. Infinite when nothing is missing.
    """
    m = _one_mask(missing, model.prior.size)
    a = _linear(model)
    if not m.any():
        return float("inf")
    if _known(kind) == "implicit":
        return float(2.0 / np.linalg.norm(a[:, m], 2) ** 2)
    return float((2.0 / np.linalg.eigvals(a[np.ix_(m, m)])).real.min())


@dataclass(frozen=True)
class Explicit:
    """``covariance`` S (size, size), positive definite, and ``mean`` mu (size,)."""

    covariance: Array
    mean: Array


def explicit_errors(model: Explicit, x: Array) -> Array:
    """e = S^-1 (x - mu), (batch, size)."""
    away = _patterns("x", x, model.mean.size) - model.mean
    return np.linalg.solve(model.covariance, away.T).T.astype(np.float64, copy=False)


def explicit_learn(model: Explicit, patterns: Array, rate: float) -> Explicit:
    """One update of S and mu, summed over ``patterns``; it ends at their covariance (1/n) and mean.

    S is symmetrised: in its antisymmetric part the published rule is unstable, an error A there grows
    by ``rate / 2 * S^-1 A S^-1`` per pattern, from rounding alone.
    """
    e = explicit_errors(model, patterns)
    raw = model.covariance + rate * 0.5 * (e.T @ e - len(e) * np.linalg.inv(model.covariance))
    return Explicit(0.5 * (raw + raw.T), model.mean + rate * e.sum(axis=0))


def explicit_recall(model: Explicit, cue: Array, missing: NDArray[np.bool_], dt: float, steps: int) -> Array:
    """Recall along -e; it converges for dt < 2 / lambda_max of the missing block of S^-1."""
    x = _patterns("cue", cue, model.mean.size)
    return _relax(x, missing, dt, steps, lambda now: -explicit_errors(model, now))


def explicit_rate_bound(patterns: Array) -> float:
    """Near its end ``explicit_learn`` on n patterns converges for a rate below min(4 l^2, 2 l) / n.

    l is the least eigenvalue of the covariance; the first term is that of S, the second that of mu.
    """
    least = float(np.linalg.eigvalsh(_moments(patterns)[1])[0])
    return min(4.0 * least**2, 2.0 * least) / len(patterns)


def _function(name: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    if name not in FUNCTIONS:
        raise BadInput(f"covpcn.activation is {name!r}{suggest(name, FUNCTIONS)}.")
    return FUNCTIONS[name]


def _patterns(place: str, given: Array, size: int | None = None) -> Array:
    x = np.asarray(given, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != (size or x.shape[1]):
        raise BadInput(f"{place} has shape {x.shape}; give one row per pattern{f' of {size} columns' if size else ''}.")
    if not np.isfinite(x).all():
        raise BadInput(f"{place} holds a value that is not finite; put 0 where an entry is missing.")
    return x


def _relax(x: Array, missing: NDArray[np.bool_], dt: float, steps: int, descent: Callable[[Array], Array]) -> Array:
    mask = np.asarray(missing)
    if mask.dtype != np.bool_ or mask.shape not in (x.shape, x.shape[1:]):
        raise BadInput(f"missing is {mask.dtype} of shape {mask.shape}; give True where an entry is missing, "
                       f"{x.shape[1:]} or {x.shape}.")
    for _ in range(steps):
        x = np.where(mask, x + dt * descent(x), x)
    return x


def _moments(patterns: Array) -> tuple[Array, Array]:
    x = _patterns("patterns", patterns)
    centred = x - x.mean(axis=0)
    covariance = centred.T @ centred / len(x)
    if np.linalg.matrix_rank(covariance) < x.shape[1]:
        raise BadInput(f"patterns has {len(x)} rows whose covariance of {x.shape[1]} neurons has no inverse; "
                       "give more patterns or drop dependent neurons.")
    return x.mean(axis=0), covariance


def _linear(model: CovPCN) -> Array:
    if model.activation != "identity":
        raise BadInput(f"covpcn.activation is {model.activation!r}; the closed form and the bound need 'identity'.")
    return np.eye(model.prior.size) - model.weights


def _one_mask(missing: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    mask = np.asarray(missing)
    if mask.dtype != np.bool_ or mask.shape != (size,):
        raise BadInput(f"missing is {mask.dtype} of shape {mask.shape}; closed forms take bool of ({size},).")
    return mask


def _known(kind: str) -> str:
    if kind not in ("implicit", "dendritic"):
        raise BadInput(f"recall kind is {kind!r}; give 'implicit' or 'dendritic'.")
    return kind
