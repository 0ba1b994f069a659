"""PC-ALM (Seely and Gould, arXiv 2605.31022): predictive coding as an augmented Lagrangian.

The prediction of every hidden population is a constraint ``c_g = x_g - mu_g = 0``, with a multiplier each, and the
errors of the clamped populations are the loss:

    L(x, lambda) = 1/2 sum |e_target|^2 + sum lambda_g . c_g + rho / 2 sum |c_g|^2

States descend ``L``, multipliers climb it: ``lambda_g += kappa c_g``. What a state and a weight see of L is what they
see of the energy with ``u_g = lambda_g + rho c_g`` in place of the error. Where every constraint holds and no state
moves, u is the gradient of the loss, backprop's delta, whatever the network; predictive coding, lambda = 0, reaches no
such point. States, errors and weights are as in ``golden.reference``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hebbar.compiler.network import Network
from hebbar.contract.errors import BadInput

from .energy import errors, weight_descent
from .inference import default_start, move, start_states
from .rules import learning_rates
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Lagrangian", "Swept", "lagrangian", "controlled", "infer", "update"]

Swept = Callable[[str, int], bool]
"""Whether a population takes part in a step between the first one, of number 0, and the last errors."""


@dataclass(frozen=True)
class Lagrangian:
    """A point of the descent: ``states``, ``multipliers`` and ``controlled`` errors u by population, (batch, size)."""

    states: States
    multipliers: States
    controlled: States


def lagrangian(network: Network, weights: Weights, states: States, multipliers: States, held: Held,
               rho: float = 1.0) -> Array:
    """L of every sample, (batch,)."""
    total = np.zeros(held.batch)
    for name, c in errors(network, weights, states).items():
        if held.whole(name):
            total += 0.5 * (c**2).sum(axis=-1)
        else:
            total += (multipliers[name] * c).sum(axis=-1) + 0.5 * rho * (c**2).sum(axis=-1)
    return total


def controlled(network: Network, weights: Weights, states: States, multipliers: States, held: Held,
               rho: float = 1.0) -> States:
    """u of every population: lambda + rho c where states are free, the error where they are held."""
    return {name: c if held.whole(name) else multipliers[name] + rho * c
            for name, c in errors(network, weights, states).items()}


def infer(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float, steps: int,
          kappa: float = 1.0, rho: float = 1.0, swept: Swept = lambda name, step: True) -> Lagrangian:
    """The point after ``steps`` state steps from the feed-forward pass and lambda = 0.

    Before each step, and once more after the last, every multiplier takes its error. A population that is not ``swept``
    in a step keeps state, multiplier and u. Raises BadInput for clamps or weights that do not fit the network.
    """
    if steps < 0:
        raise BadInput(f"steps is {steps}; give 0 or more state steps.")
    check_weights(network, weights)
    held = hold(network, clamps)
    states = start_states(network, weights, held, default_start(network))
    multipliers = {name: np.zeros_like(c) for name, c in errors(network, weights, states).items()}
    u: States = {}
    for step in range(steps + 1):
        now = {name for name in multipliers if step in (0, steps) or swept(name, step)}
        c = errors(network, weights, states)
        multipliers = multipliers | {name: multipliers[name] + kappa * c[name] for name in now}
        new = controlled(network, weights, states, multipliers, held, rho)
        u = u | {name: new[name] for name in now}
        if step < steps:
            moved = move(network, weights, states, u, gamma, held)
            states = states | {name: moved[name] for name in now}
    return Lagrangian(states, multipliers, u)


def update(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float, steps: int,
           kappa: float = 1.0, rho: float = 1.0, swept: Swept = lambda name, step: True) -> Weights:
    """The change of every block after ``infer``, summed over the batch: alpha times the descent with u."""
    end, alpha = infer(network, weights, clamps, gamma, steps, kappa, rho, swept), learning_rates(network)
    return {key: alpha[key] * change
            for key, change in weight_descent(network, end.states, end.controlled).items()}
