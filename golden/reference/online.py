"""Online training, one sample at a time: the same rules on a precomputed plan, for speed.

IL and iPC on any graph run on the plan; Z-IL and backprop, short by nature, go through
``rules.update``. Contributions of clamped sources are summed first, so that hoisting them
(``rule.hoist``) adds the same numbers in the same order and changes no bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbar.errors import BadInput
from hebbar.network import Edge, Error, Network, Population, Role
from hebbar.rule_config import RuleConfig

from .energy import functions, softmax
from .inference import fallen
from .rules import learning_rates, update
from .state import Array, Key, Weights, absent, check_weights, hold
from .training import ends, sample_clamps

__all__ = ["train_online"]

Vectors = dict[str, Array]
Link = tuple[Key | None, str]
"""The key of an edge's weights, None for an identity, and the neighbour at its other end."""


@dataclass(frozen=True)
class _Cell:
    """One population with an error: its edges, and f, f' when it is free."""

    name: str
    size: int
    clamped_in: tuple[Link, ...]
    moving_in: tuple[Link, ...]
    out: tuple[Link, ...]
    f: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    free: bool
    precision: float
    categorical: bool

    def error(self, x: Array, mu: Array) -> Array:
        if self.categorical:
            return x - softmax(mu)
        return x - mu if self.precision == 1 else self.precision * (x - mu)


@dataclass(frozen=True)
class _Learner:
    """One plastic edge: its weights (changed in place), its alpha and where it has no weights."""

    edge: Edge
    weights: Array
    alpha: float
    gone: NDArray[np.bool_] | None

    def __call__(self, e: Array, a: Array) -> None:
        """W += alpha e a^T."""
        w = self.weights
        w += (self.alpha * e)[:, None] * a
        if self.gone is not None:
            w[self.gone] = 0.0
        if self.edge.positive:
            np.maximum(w, 0.0, out=w)


class _Plan:
    """A network as lists for the loops of one sample; works on vectors (size,), not batches."""

    def __init__(self, network: Network, weights: Weights, rate: float) -> None:
        self.weights = {key: w.copy() for key, w in weights.items()}
        fixed = {p.name for p in network.populations if p.role is not Role.HIDDEN}
        self.cells = [self._cell(network, p, fixed) for p in network.predicted]
        self.free = [c for c in self.cells if c.free]
        self.forward = [c for n in network.order or () for c in self.free if c.name == n]
        self.acyclic = network.order is not None
        alpha = learning_rates(network, rate)
        self.learners = [_Learner(e, self.weights[e.source, e.target], alpha[e.source, e.target], absent(network, e))
                         for e in network.stored if e.plastic]

    def _cell(self, network: Network, p: Population, fixed: set[str]) -> _Cell:
        edges = network.incoming(p.name)
        both = [tuple((_key(e), e.source) for e in edges if (e.source in fixed) is flag) for flag in (True, False)]
        out = tuple((_key(e), e.target) for e in network.outgoing(p.name))
        return _Cell(p.name, p.size, both[0], both[1], out, *functions(p.activation), p.name not in fixed,
                     2.0**p.precision, p.error is Error.CATEGORICAL)

    def base(self, a: Vectors) -> Vectors:
        """The part of every mu that clamped sources give."""
        return {c.name: self._sum(np.zeros(c.size), c.clamped_in, a) for c in self.cells}

    def _sum(self, mu: Array, links: tuple[Link, ...], a: Vectors) -> Array:
        for key, source in links:
            mu = mu + (self.weights[key] @ a[source] if key else a[source])
        return mu

    def start(self, x: Vectors, a: Vectors, base: Vectors) -> None:
        """Put the free states in: feed-forward, or zero on a cyclic graph."""
        for c in self.forward if self.acyclic else self.free:
            x[c.name] = self._sum(base[c.name], c.moving_in, a) if self.acyclic else np.zeros(c.size)
            a[c.name] = c.f(x[c.name])

    def errors(self, x: Vectors, a: Vectors, base: Vectors) -> Vectors:
        return {c.name: c.error(x[c.name], self._sum(base[c.name], c.moving_in, a)) for c in self.cells}

    def moved(self, x: Vectors, e: Vectors, gamma: float) -> Vectors:
        """The free states one synchronous step on; nothing is changed in place."""
        out = {}
        for c in self.free:
            now, back = x[c.name], np.zeros(c.size)
            for key, target in c.out:
                back = back + (e[target] @ self.weights[key] if key else e[target])
            out[c.name] = now + gamma * (c.slope(now) * back - e[c.name])
        return out

    def learn(self, e: Vectors, a: Vectors) -> None:
        """Every plastic edge learns, in place."""
        for learner in self.learners:
            learner(e[learner.edge.target], a[learner.edge.source])


def _key(edge: Edge) -> Key | None:
    return None if edge.identity else (edge.source, edge.target)


def _il(plan: _Plan, x: Vectors, a: Vectors, rule: RuleConfig) -> None:
    base = plan.base(a)
    plan.start(x, a, base)
    before: Vectors = {}
    for _ in range(rule.steps):
        e = plan.errors(x, a, base)
        x.update(plan.moved(x, e, rule.gamma))
        for c in plan.free:
            a[c.name] = c.f(x[c.name])
        if not rule.hoist:
            base = plan.base(a)
        if rule.tolerance and before and fallen(before, e) < rule.tolerance:
            break
        before = e
    plan.learn(plan.errors(x, a, base), a)


def _ipc(plan: _Plan, x: Vectors, a: Vectors, rule: RuleConfig) -> None:
    plan.start(x, a, plan.base(a))
    for _ in range(rule.steps):
        e = plan.errors(x, a, plan.base(a))
        later = plan.moved(x, e, rule.gamma)
        plan.learn(e, a)
        x.update(later)
        for c in plan.free:
            a[c.name] = c.f(x[c.name])


def train_online(network: Network, weights: Weights, inputs: Array, targets: Array,
                 rule: RuleConfig, order: Sequence[int], rate: float = 1.0) -> Weights:
    """New weights after one pass of batch 1 over the samples ``order`` names.

    ``inputs`` (samples, input size), ``targets`` (samples, target size). Equal to
    ``rules.update`` sample by sample up to rounding. Raises BadInput as ``rules.update`` does.
    """
    check_weights(network, weights)
    held = hold(network, sample_clamps(network, inputs, targets))
    if rule.name not in ("il", "ipc"):
        for i in order:
            clamps = sample_clamps(network, inputs[i:i + 1], targets[i:i + 1])
            weights = update(network, weights, clamps, rule, rate).weights
        return weights
    if rule.name == "ipc" and rule.steps < 1:
        raise BadInput("rule.steps is 0; iPC learns at every step, give at least 1.")
    plan = _Plan(network, weights, rate)
    source, target = ends(network)
    step = _il if rule.name == "il" else _ipc
    clamped = [n for n in held.values if n not in (source, target)]
    for i in order:
        x = {source: held.values[source][i], target: held.values[target][i],
             **{name: np.ones(1) for name in clamped}}
        a = {name: functions(network.by_name[name].activation)[0](v) for name, v in x.items()}
        step(plan, x, a, rule)
    return plan.weights
