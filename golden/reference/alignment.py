"""Target alignment: does a weight update move the output towards the target?

The cosine between ``target - output`` and the change of the feed-forward output after one update of
one sample at a small alpha. Prospective configuration says that inference learning at equilibrium
beats backprop here. Truncated inference looks better still, but because of its last layer, which
alone would score 1: every figure therefore stands beside its controls and its distance to equilibrium.

Source: Song et al., Nature Neuroscience 2024. Linear layered networks, batch 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hebbar.compiler.network import Network, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

from .energy import errors, weight_descent
from .inference import infer, start_states
from .rules import backprop, learning_rates
from .state import Array, States, Weights, check_weights, hold
from .theory import linear_equilibrium
from .training import ends

__all__ = ["Figure", "output", "target_alignment", "last_layer", "hidden_layers", "equilibrium_update",
           "truncated_updates", "backprop_update", "compare", "gap"]

SMALL = 1e-6


@dataclass(frozen=True)
class Figure:
    """The alignment of one update and what explains it; all but ``distance`` are of one sample.

    ``last_only``, ``hidden_only``: the alignment of the update with all other layers left as they are
    (NaN where nothing is left). ``last_share``: length of the last layer's change of the output over
    the length of the whole. ``distance``: ``|x_T - x*| / |x_0 - x*|`` over the hidden states the update
    came from: 0 at equilibrium, 1 for backprop, whose states stand still.
    """

    alignment: float
    last_only: float
    hidden_only: float
    last_share: float
    distance: float


def output(network: Network, weights: Weights, clamps: Mapping[str, Array]) -> Array:
    """The feed-forward output (batch, target size); the target in ``clamps`` is ignored."""
    first, last = ends(network)
    return start_states(network, weights, hold(network, {first: clamps[first]}), "forward")[last]


def target_alignment(network: Network, weights: Weights, clamps: Mapping[str, Array], update: Weights,
                     alpha: float = SMALL) -> float:
    """cos(target - output, output with ``weights + alpha * update`` - output) of one sample.

    NaN where the update does not change the output. Raises BadInput for more than one sample, or when
    the output is the target already.
    """
    wanted = clamps[ends(network)[1]] - output(network, weights, clamps)
    if len(wanted) != 1:
        raise BadInput(f"clamps hold {len(wanted)} samples; alignment is of one update for one sample, give one.")
    if not wanted.any():
        raise BadInput("clamps have a target equal to the output, so there is no direction to it; give another.")
    return _cosine(wanted, _change(network, weights, clamps, update, alpha))


def last_layer(network: Network, update: Weights) -> Weights:
    """The update with every block but those into the target set to zero."""
    return {key: d if network.by_name[key[1]].role is Role.TARGET else 0 * d for key, d in update.items()}


def hidden_layers(network: Network, update: Weights) -> Weights:
    """The update with the blocks into the target set to zero."""
    return {key: 0 * d if network.by_name[key[1]].role is Role.TARGET else d for key, d in update.items()}


def equilibrium_update(network: Network, weights: Weights, clamps: Mapping[str, Array]) -> Weights:
    """IL's update at the closed-form equilibrium of a linear layered network, at the edges' rates."""
    return _learnt(network, weights, _settled(network, weights, clamps))


def truncated_updates(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float,
                      steps: Sequence[int]) -> dict[int, tuple[Weights, States]]:
    """IL's update after each number of state ``steps`` of ``gamma``, and the states it came from."""
    path = infer(network, weights, clamps, gamma, max(steps))
    return {t: (_learnt(network, weights, path.states[t]), path.states[t]) for t in steps}


def backprop_update(network: Network, weights: Weights, clamps: Mapping[str, Array]) -> Weights:
    """The gradient step at the edges' rates."""
    return backprop(network, weights, clamps, RuleConfig(name="backprop")).delta


def compare(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float,
            steps: Sequence[int] = ()) -> dict[str | int, Figure]:
    """Figures of one sample by "equilibrium", "backprop" and each number of ``steps`` of IL.

    Run it on many networks and average; figures of one network pair, for they share all but the rule.
    """
    check_weights(network, weights)
    settled = _settled(network, weights, clamps)
    forward = infer(network, weights, clamps, gamma, 0).states[0]
    cases: dict[str | int, tuple[Weights, States]] = {
        "equilibrium": (_learnt(network, weights, settled), settled),
        "backprop": (backprop_update(network, weights, clamps), forward)}
    if steps:
        cases.update(truncated_updates(network, weights, clamps, gamma, steps).items())
    far = gap(forward, settled)
    return {name: _figure(network, weights, clamps, update, gap(states, settled) / far)
            for name, (update, states) in cases.items()}


def _figure(network: Network, weights: Weights, clamps: Mapping[str, Array], update: Weights,
            distance: float) -> Figure:
    last, hidden = last_layer(network, update), hidden_layers(network, update)
    whole, part = (np.linalg.norm(_change(network, weights, clamps, u, SMALL)) for u in (update, last))
    all_of_it, of_last, of_hidden = (target_alignment(network, weights, clamps, u) for u in (update, last, hidden))
    return Figure(all_of_it, of_last, of_hidden, float(part / whole), distance)


def _change(network: Network, weights: Weights, clamps: Mapping[str, Array], update: Weights,
            alpha: float) -> Array:
    """The change of the output by ``alpha * update``, divided by alpha."""
    moved = {key: w + alpha * update[key] for key, w in weights.items()}
    return (output(network, moved, clamps) - output(network, weights, clamps)) / alpha


def _cosine(one: Array, other: Array) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / lengths) if lengths else float("nan")


def _settled(network: Network, weights: Weights, clamps: Mapping[str, Array]) -> States:
    first, last = ends(network)
    held = hold(network, clamps).values
    return held | linear_equilibrium(network, weights, clamps[first], clamps[last])


def _learnt(network: Network, weights: Weights, states: States) -> Weights:
    """alpha e f(x)^T of every edge."""
    descent, alpha = weight_descent(network, states, errors(network, weights, states)), learning_rates(network)
    return {key: alpha[key] * d for key, d in descent.items()}


def gap(states: States, settled: States) -> float:
    """The distance of states from settled ones, over the populations of the latter."""
    return float(np.sqrt(sum(((states[name] - x) ** 2).sum() for name, x in settled.items())))
