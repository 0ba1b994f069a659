"""Reward bases (Millidge et al., PLOS Computational Biology 2024): one value function per kind of reward.

Every basis i learns from its own reward by temporal differences, all at the same rate:

    V_i(s) = w_i . phi(s)      delta_i = r_i + g V_i(s') - V_i(s)      w_i += a delta_i phi(s)

and the value for a motivation m is ``V = sum_i m_i V_i``. V follows TD learning on ``sum_i m_i r_i``
exactly, for every m at once, so a new m revalues every state without learning. ``weights`` are (bases,
features): the values are one FWD on the array, the update is one UPD with delta as the error.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hebbar.contract.errors import BadInput

from .state import Array

__all__ = ["Transition", "one_hot", "values", "total", "deltas", "learn", "run", "exact_values"]


@dataclass(frozen=True)
class Transition:
    """One step from s: ``features`` phi(s) (features,), ``rewards`` r (bases,) received on it, and
    ``after`` phi(s'), None when s' is terminal and V(s') = 0."""

    features: Array
    rewards: Array
    after: Array | None = None


def one_hot(state: int, states: int) -> Array:
    """The features of a tabular state, (states,): with them w_i is the table of V_i."""
    if not 0 <= state < states:
        raise BadInput(f"state is {state}; there are {states} states, counted from 0.")
    return np.eye(states)[state]


def values(weights: Array, features: Array) -> Array:
    """V_i(s) of every basis: (bases,) for features (features,), (batch, bases) for (batch, features)."""
    w, phi = _matrix("weights", weights), np.asarray(features, dtype=np.float64)
    if phi.shape[-1:] != w.shape[1:]:
        raise BadInput(f"features has shape {phi.shape}; weights {w.shape} needs {w.shape[1]} of them.")
    return phi @ w.T


def total(weights: Array, features: Array, motivation: Array) -> Array:
    """V(s) = sum_i m_i V_i(s), a number or (batch,); ``motivation`` m is (bases,)."""
    v, m = values(weights, features), np.asarray(motivation, dtype=np.float64)
    if m.shape != v.shape[-1:]:
        raise BadInput(f"motivation has shape {m.shape}; give one number per basis, {v.shape[-1:]}.")
    return v @ m


def deltas(weights: Array, step: Transition, discount: float) -> Array:
    """delta_i = r_i + g V_i(s') - V_i(s) of every basis, (bases,), V_i(s') = 0 when s' is terminal."""
    _check_discount(discount)
    now, r = values(weights, step.features), np.asarray(step.rewards, dtype=np.float64)
    if now.ndim != 1:
        raise BadInput(f"step.features has shape {np.shape(step.features)}; give one state, learning is online.")
    if r.shape != now.shape:
        raise BadInput(f"step.rewards has shape {r.shape}; give one number per basis, {now.shape}.")
    later = np.zeros_like(now) if step.after is None else values(weights, step.after)
    return r + discount * later - now


def learn(weights: Array, step: Transition, discount: float, rate: float) -> Array:
    """New weights (bases, features) after one step: w_i += rate * delta_i phi(s)."""
    delta = deltas(weights, step, discount)
    return np.asarray(weights) + rate * np.outer(delta, step.features)


def run(weights: Array, steps: Iterable[Transition], discount: float, rate: float) -> list[Array]:
    """The weights before the first step and after each, learning in order."""
    path = [_matrix("weights", weights)]
    for step in steps:
        path.append(learn(path[-1], step, discount, rate))
    return path


def exact_values(transitions: Array, rewards: Array, discount: float) -> Array:
    """Where tabular learning ends: the table (bases, states) of V_i = (I - g T)^-1 r_i.

    ``transitions`` T (states, states) is the probability of s' (column) after s (row); a row that sums to
    less than 1 ends with the rest. ``rewards`` (bases, states) is the mean reward received on leaving s.
    """
    _check_discount(discount)
    t, r = _matrix("transitions", transitions), _matrix("rewards", rewards)
    if t.shape != (r.shape[1], r.shape[1]):
        raise BadInput(f"transitions has shape {t.shape} and rewards {r.shape}; give (states, states) and "
                       "(bases, states).")
    if (t < 0).any() or (t.sum(axis=1) > 1 + 1e-12).any():
        row = int(((t < 0).any(axis=1) | (t.sum(axis=1) > 1 + 1e-12)).argmax())
        raise BadInput(f"transitions row {row} is {t[row].tolist()}, no probabilities; make its entries at least 0 "
                       "and their sum at most 1.")
    if discount * np.abs(np.linalg.eigvals(t)).max() >= 1 - 1e-12:
        raise BadInput(f"discount is {discount} and some states never end, so their values are not finite; "
                       "lower it below 1.")
    return np.linalg.solve(np.eye(len(t)) - discount * t, r.T).T.astype(np.float64, copy=False)


def _check_discount(discount: float) -> None:
    if not 0 <= discount <= 1:
        raise BadInput(f"discount is {discount}; give a number from 0 to 1.")


def _matrix(place: str, given: Array) -> Array:
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise BadInput(f"{place} has shape {matrix.shape}; give a matrix that is not empty.")
    return matrix
