"""The learning rules: IL, iPC, Z-IL and backprop, each one weight update for one batch.

Learning rates are ``2**-edge.alpha_shift * rate``. Updates are summed over the batch and never
averaged. An edge that is not plastic keeps its weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hebbar.config import RuleConfig
from hebbar.errors import BadInput
from hebbar.network import Network, Role

from .energy import activities, errors, slope, weight_descent
from .inference import Relaxation, Start, default_start, infer, move, start_states
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Learned", "learning_rates", "il", "ipc", "zil", "backprop", "RULES", "update"]


@dataclass(frozen=True)
class Learned:
    """``delta``: the change of every block; ``weights``: the blocks after it, new arrays.

    ``relaxation``: the trajectory the update came from, None for backprop, whose states stand still.
    """

    delta: Weights
    weights: Weights
    relaxation: Relaxation | None = None


def learning_rates(network: Network, rate: float = 1.0) -> dict[tuple[str, str], float]:
    """alpha of every edge; 0 where it is not plastic."""
    return {(e.source, e.target): rate * 2.0**-e.alpha_shift if e.plastic else 0.0
            for e in network.edges}


def _scaled(network: Network, descent: Weights, rate: float) -> Weights:
    alpha = learning_rates(network, rate)
    return {key: alpha[key] * descent[key] for key in descent}


def _added(weights: Weights, delta: Weights) -> Weights:
    return {key: w + delta[key] if key in delta else w for key, w in weights.items()}


def _target_held(network: Network, clamps: Mapping[str, Array], rule: str) -> None:
    for p in network.with_role(Role.TARGET):
        if p.name not in clamps:
            raise BadInput(f"clamps has no {p.name!r}; {rule} learns nothing from a free target, "
                           "clamp it to the wanted output.")


def il(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
       rate: float = 1.0, start: Start | None = None) -> Learned:
    """Inference learning (Song et al., Nature Neuroscience 2024): ``rule.steps`` state steps, the
    errors refreshed after the last, then one update from them."""
    _target_held(network, clamps, "il")
    first = default_start(network) if start is None else start
    path = infer(network, weights, clamps, rule.gamma, rule.steps, first)
    delta = _scaled(network, weight_descent(network, path.states[-1], path.errors[-1]), rate)
    return Learned(delta, _added(weights, delta), path)


def ipc(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
        rate: float = 1.0, start: Start | None = None) -> Learned:
    """Incremental PC (Salvatori et al., ICLR 2024): at each of ``rule.steps`` steps states and
    weights move together, both from the same states, errors and old weights."""
    if rule.steps < 1:
        raise BadInput("rule.steps is 0; iPC learns at every step, give at least 1.")
    _target_held(network, clamps, "ipc")
    check_weights(network, weights)
    held = hold(network, clamps)
    current, first = weights, default_start(network) if start is None else start
    states = [start_states(network, weights, held, first)]
    error = [errors(network, weights, states[0])]
    for _ in range(rule.steps):
        delta = _scaled(network, weight_descent(network, states[-1], error[-1]), rate)
        states.append(move(network, current, states[-1], error[-1], rule.gamma, held))
        current = _added(current, delta)
        error.append(errors(network, current, states[-1]))
    total = {key: current[key] - weights[key] for key in weights}
    return Learned(total, current, Relaxation(tuple(states), tuple(error)))


def zil(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
        rate: float = 1.0) -> Learned:
    """Z-IL (Song et al., NeurIPS 2020): gamma 1, feed-forward start, the edges into layer l learn
    at step t = L - l exactly, and the states of that step move with the old weights.

    Every layer moves at every step, also those the wavefront does not need. ``rule.gamma`` and
    ``rule.steps`` play no part. Needs a layered network.
    """
    chain, held = _chain(network), hold(network, clamps)
    _only_ends_held(network, clamps, "zil")
    check_weights(network, weights)
    total: Weights = {key: np.zeros_like(w) for key, w in weights.items()}
    current = weights
    states = [start_states(network, weights, held, "forward")]
    error = [errors(network, weights, states[0])]
    for t in range(len(chain) - 1):
        learning = chain[len(chain) - 1 - t]
        descent = weight_descent(network, states[-1], error[-1])
        delta = {key: d for key, d in _scaled(network, descent, rate).items() if key[1] == learning}
        states.append(move(network, current, states[-1], error[-1], 1.0, held))
        current, total = _added(current, delta), total | delta
        error.append(errors(network, current, states[-1]))
    return Learned(total, current, Relaxation(tuple(states), tuple(error)))


def backprop(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
             rate: float = 1.0) -> Learned:
    """Gradient descent on 1/2 |target - output|^2 in reverse mode, the baseline of every comparison.

    ``delta_g = f'(x_g) * sum_k W_kg^T delta_k``, at the target ``target - x``. Any graph without
    cycles whose targets feed nothing; ``rule`` plays no part.
    """
    if network.order is None:
        raise BadInput("rule.name is 'backprop' and the network has a cycle; use 'il' or 'ipc'.")
    if any(network.outgoing(p.name) for p in network.with_role(Role.TARGET)):
        raise BadInput("rule.name is 'backprop' and a target population feeds another; use 'il'.")
    _only_ends_held(network, clamps, "backprop")
    check_weights(network, weights)
    held = hold(network, clamps)
    inputs = {p.name: held.values[p.name] for p in network.with_role(Role.INPUT, Role.CONSTANT)}
    sources = Held(inputs, {name: held.masks[name] for name in inputs}, held.batch)
    x = start_states(network, weights, sources, "forward")
    grad: States = {}
    for name in reversed(network.order):
        if name in inputs:
            grad[name] = np.zeros_like(x[name])
        elif network.by_name[name].role is Role.TARGET:
            grad[name] = held.values[name] - x[name]
        else:
            back = [grad[e.target] @ weights[name, e.target] for e in network.outgoing(name)]
            grad[name] = slope(network, name, x[name]) * sum(back, np.zeros_like(x[name]))
    a = activities(network, x)
    delta = {}
    for e in network.edges:
        block = np.einsum("bi,bj->ij", grad[e.target], a[e.source])
        keep = ~np.eye(*block.shape, dtype=bool) if e.zero_diagonal else True
        delta[e.source, e.target] = block * keep
    delta = _scaled(network, delta, rate)
    return Learned(delta, _added(weights, delta))


def _chain(network: Network) -> tuple[str, ...]:
    chain = network.chain
    roles = [network.by_name[name].role for name in chain or ()]
    middle = [Role.HIDDEN] * (len(roles) - 2)
    if chain is None or roles != [Role.INPUT, *middle, Role.TARGET]:
        raise BadInput("rule.name is 'zil' and the network is not layered from an input to a "
                       "target; use 'il', 'ipc' or 'backprop', or remove the skip edges.")
    return chain


def _only_ends_held(network: Network, clamps: Mapping[str, Array], rule: str) -> None:
    _target_held(network, clamps, rule)
    roles = {name: network.by_name[name].role for name in clamps if name in network.by_name}
    for p in network.with_role(Role.INPUT):
        if p.name not in clamps:
            raise BadInput(f"clamps has no {p.name!r}; {rule} needs every input.")
    for name, role in roles.items():
        if role is Role.HIDDEN:
            raise BadInput(f"clamps[{name!r}] is hidden; {rule} takes inputs and targets only, "
                           "remove the clamp or use 'il'.")


RULES: dict[str, Callable[..., Learned]] = {"il": il, "ipc": ipc, "zil": zil, "backprop": backprop}


def update(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
           rate: float = 1.0) -> Learned:
    """One update of ``rule.name``; ``weights`` is left as it is."""
    return RULES[rule.name](network, weights, clamps, rule, rate)
