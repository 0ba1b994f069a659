"""The learning rules: IL, iPC, Z-IL and backprop, each one weight update for one batch.

Learning rates are ``2**-edge.alpha_shift * rate``. Updates are summed over the batch and never
averaged. An edge that is not plastic keeps its weights, one that is ``positive`` is clipped at zero.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hebbar.compiler.graphs import levelled
from hebbar.compiler.network import Network, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .energy import errors, feedback, slope, weight_descent
from .inference import Relaxation, Start, default_start, infer, move, point, start_states
from .state import Array, Held, Key, States, Weights, check_weights, hold

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
    """alpha of every edge with weights of its own; 0 where it is not plastic."""
    return {(e.source, e.target): rate * 2.0**-e.alpha_shift if e.plastic else 0.0
            for e in network.stored}


def _scaled(network: Network, descent: Weights, rate: float) -> Weights:
    alpha = learning_rates(network, rate)
    return {key: alpha[key] * descent[key] for key in descent}


def _added(network: Network, weights: Weights, delta: Weights) -> Weights:
    new = {key: w + delta[key] if key in delta else w for key, w in weights.items()}
    for e in network.stored:
        if e.positive and e.plastic and (e.source, e.target) in delta:
            new[e.source, e.target] = np.maximum(new[e.source, e.target], 0.0)
    return new


def _learned(network: Network, weights: Weights, delta: Weights, path: Relaxation | None = None) -> Learned:
    """One update; where weights were clipped the delta is what is left of it."""
    new = _added(network, weights, delta)
    clipped = {(e.source, e.target) for e in network.stored if e.positive}
    return Learned({key: new[key] - weights[key] if key in clipped else d for key, d in delta.items()}, new, path)


def _target_held(network: Network, clamps: Mapping[str, Array], rule: str) -> None:
    for p in network.with_role(Role.TARGET):
        if p.name not in clamps:
            raise BadInput(f"clamps has no {p.name!r}; {rule} learns nothing from a free target, "
                           "clamp it to the wanted output.")


def il(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
       rate: float = 1.0, start: Start | None = None) -> Learned:
    """Inference learning (Song et al., Nature Neuroscience 2024): ``rule.steps`` state steps, fewer with
    ``rule.tolerance``, the errors refreshed after the last, then one update from them."""
    _target_held(network, clamps, "il")
    first = default_start(network) if start is None else start
    path = infer(network, weights, clamps, rule.gamma, rule.steps, first, tolerance=rule.tolerance)
    delta = _scaled(network, weight_descent(network, path.states[-1], path.errors[-1]), rate)
    return _learned(network, weights, delta, path)


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
    path = [point(network, weights, start_states(network, weights, held, first))]
    for _ in range(rule.steps):
        states, error, _ = path[-1]
        delta = _scaled(network, weight_descent(network, states, error), rate)
        states = move(network, current, states, error, rule.gamma, held)
        current = _added(network, current, delta)
        path.append(point(network, current, states))
    total = {key: current[key] - weights[key] for key in weights}
    return Learned(total, current, Relaxation.of(path))


def zil(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
        rate: float = 1.0) -> Learned:
    """Z-IL (Song et al., NeurIPS 2020; on graphs Salvatori et al., AAAI 2022): gamma 1, feed-forward
    start, the edges into level l, l steps from the targets, learn at step t = l exactly, and the states
    of that step move with the old weights.

    Every population moves at every step, also those the wavefront does not need. ``rule.gamma`` and
    ``rule.steps`` play no part. Equal to backprop where hidden populations have precision 0. Any graph
    without cycles whose targets feed nothing; the trajectory is that of the levelled graph
    (``hebbar.compiler.graphs.levelled``).
    """
    _only_ends_held(network, clamps, "zil")
    check_weights(network, weights)
    graph, names = _levelled(network)
    levels, held = graph.levels or {}, hold(graph, clamps)
    current = {names[key]: w for key, w in weights.items()}
    total: Weights = {key: np.zeros_like(w) for key, w in current.items()}
    path = [point(graph, current, start_states(graph, current, held, "forward"))]
    for t in range(max(levels.values()) + 1):
        states, error, _ = path[-1]
        descent = _scaled(graph, weight_descent(graph, states, error), rate)
        delta = {key: d for key, d in descent.items() if levels[key[1]] == t}
        states = move(graph, current, states, error, 1.0, held)
        step = _learned(graph, current, delta)
        current, total = step.weights, total | step.delta
        path.append(point(graph, current, states))
    return Learned({key: total[names[key]] for key in weights}, {key: current[names[key]] for key in weights},
                   Relaxation.of(path))


def _levelled(network: Network) -> tuple[Network, dict[Key, Key]]:
    """The levelled network and, by edge of this one, the edge that holds its weights."""
    if any(network.incoming(p.name) for p in network.with_role(Role.INPUT)):
        raise BadInput("rule.name is 'zil' and an input population is predicted; use 'il'.")
    graph = network if network.levels is not None else levelled(network)
    return graph, {(a.source, a.target): (b.source, b.target) for a, b in zip(network.stored, graph.stored)}


def backprop(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
             rate: float = 1.0) -> Learned:
    """Gradient descent on the energy of the targets, ``1/2 pi |target - output|^2`` or cross entropy, in
    reverse mode, the baseline of every comparison.

    ``delta_g = f'(x_g) * sum_k W_kg^T delta_k``, at the target its error. Any graph without
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
    outputs = errors(network, weights, x | held.values)
    grad: States = {}
    for name in reversed(network.order):
        if name in inputs:
            grad[name] = np.zeros_like(x[name])
        elif network.by_name[name].role is Role.TARGET:
            grad[name] = outputs[name]
        else:
            grad[name] = slope(network, name, x[name]) * feedback(network, weights, name, grad, x[name])
    return _learned(network, weights, _scaled(network, weight_descent(network, x, grad), rate))


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
"""The rules that have an implementation of their own in float64, by name."""


def update(network: Network, weights: Weights, clamps: Mapping[str, Array], rule: RuleConfig,
           rate: float = 1.0) -> Learned:
    """One update of ``rule.name``; ``weights`` is left as it is. Raises BadInput for a rule without a float
    version here."""
    if rule.name not in RULES:
        raise BadInput(f"rule.name is {rule.name!r}, which has no float update{suggest(rule.name, RULES)}.")
    return RULES[rule.name](network, weights, clamps, rule, rate)
