"""Closed forms and bounds that inference must meet (Millidge et al., ICLR 2023, and Innocenti et al.).

Layers are counted as everywhere here: x_0 the input, x_L the target, both clamped.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Error, Network, Population, Role
from hebbar.contract.errors import BadInput

from .energy import errors, slope, state_descent
from .inference import Start, default_start, infer, move, start_states
from .state import Array, Held, States, Weights, hold
from .training import ends

__all__ = ["linear_equilibrium", "equilibrium_energy", "gamma_bound", "stable_gamma", "distance_to_equilibrium"]

STAGES = 8


def linear_equilibrium(network: Network, weights: Weights, inputs: Array, targets: Array) -> States:
    """The hidden states at the minimum of the energy of a linear network, (batch, size).

    Solves ``H x = -J^T Pi e(0)``: J = de/dx over the hidden populations (before precision), Pi the precisions,
    ``H = J^T Pi J``. On layers H is block-tridiagonal, ``(I + W_{l+1}^T W_{l+1}) x_l - W_l x_{l-1} -
    W_{l+1}^T x_{l+1} = b_l - W_{l+1}^T b_{l+1}``. Any graph with one input and one target. Raises BadInput
    for another activation, a categorical target, and a graph whose minimum is not one point.
    """
    for p in network.populations:
        _linear(p)
    first, last = ends(network)
    names = [p.name for p in network.with_role(Role.HIDDEN)]
    held = hold(network, {first: inputs, last: targets})
    states = {name: held.values.get(name, np.zeros((held.batch, p.size))) for name, p in network.by_name.items()}
    resting = errors(network, weights, states)
    if not names:
        return {}
    scaled, roots = _jacobian(network, weights, names, None), [2.0 ** (p.precision / 2) for p in network.predicted]
    rhs = -scaled.T @ np.hstack([resting[p.name] / root for p, root in zip(network.predicted, roots)]).T
    if np.linalg.matrix_rank(scaled) < len(rhs):
        raise BadInput("network: its energy has no single minimum with these weights, some states may move freely; "
                       "change the weights that close a cycle.")
    cuts = np.cumsum([network.by_name[name].size for name in names])[:-1]
    return dict(zip(names, np.split(np.linalg.solve(scaled.T @ scaled, rhs).T, cuts, axis=1)))


def equilibrium_energy(network: Network, weights: Weights, inputs: Array, targets: Array) -> Array:
    """E at that minimum of a layered network, (batch,): ``1/2 r^T S^-1 r`` with r = target - output of the
    forward pass and ``S = sum_l (W_L .. W_{l+1})(W_L .. W_{l+1})^T / pi_l``, the term of l = L being 1 / pi_L."""
    chain = _linear_chain(network)
    output, product = np.asarray(inputs).T, np.eye(network.by_name[chain[-1]].size)
    for source, target in pairwise(chain):
        output = _block(network, weights, source, target) @ output + _bias(network, weights, target)[:, None]
    spread = np.zeros_like(product)
    for source, target in reversed(list(pairwise(chain))):
        spread = spread + product @ product.T / 2.0 ** network.by_name[target].precision
        product = product @ _block(network, weights, source, target)
    r = np.asarray(targets).T - output
    return 0.5 * (r * np.linalg.solve(spread, r)).sum(axis=0)


def gamma_bound(network: Network, weights: Weights, states: Mapping[str, Array] | None = None,
                clamped: Collection[str] | None = None) -> float:
    """2 / lambda_max(H): inference converges for a smaller gamma and diverges for a larger one.

    ``H = J^T Pi J`` with J = d(x - mu)/dx over the free populations and Pi the precisions. Any graph. Exact
    for linear networks, which need no ``states``; otherwise it holds near ``states`` (name -> (size,), free
    populations) as far as the curvature of f may be neglected. A clamped categorical target counts with
    1/2, the most that softmax curves: there the bound is safe and not exact. ``clamped`` names the clamped
    populations, by default those of role input, target and constant. Infinite when nothing is free.
    """
    fixed = {p.name for p in network.populations if p.role is not Role.HIDDEN}
    names = [p.name for p in network.populations
             if p.name not in (fixed if clamped is None else clamped) and p.role is not Role.CONSTANT]
    if not names:
        return float("inf")
    loose = [n for n in names if network.by_name[n].error is Error.CATEGORICAL]
    if loose:
        raise BadInput(f"gamma_bound: {loose[0]!r} is categorical and free, so its step is no descent of an energy; "
                       "clamp it.")
    return float(2.0 / np.linalg.norm(_jacobian(network, weights, names, states), 2) ** 2)


def stable_gamma(network: Network, weights: Weights, clamps: Mapping[str, Array], more: int = 2000) -> Array:
    """``gamma_bound`` of each sample at its equilibrium, (batch,): choose gamma below the smallest.

    ``clamps`` as for ``infer``; all other populations are free. Of a linear network the bound is exact and all
    samples have the same; of others it holds near the equilibrium, where the curvature of f may be neglected:
    where errors are small, or f is piecewise linear. The equilibrium is reached in ``more`` steps from the
    feed-forward start (zero on a cyclic graph). Raises BadInput when it is not.
    """
    held = hold(network, clamps)

    def bounds(states: States) -> Array:
        return np.array([gamma_bound(network, weights, {name: x[i] for name, x in states.items()}, set(clamps))
                         for i in range(held.batch)])

    start = start_states(network, weights, held, default_start(network))
    return bounds(_equilibrium(network, weights, held, start, start, bounds(start).min() / 2, more))


def _jacobian(network: Network, weights: Weights, names: Sequence[str], states: Mapping[str, Array] | None) -> Array:
    """sqrt(pi_g) d(x_g - mu_g)/dx_h: rows every population g with an error, columns those of ``names``."""
    slopes = {h: _slope(network, h, states) for h in names}
    return np.vstack([np.hstack([_weight(g) * ((g.name == h) * np.eye(g.size, len(slopes[h]))
                                               - _block(network, weights, h, g.name) * slopes[h]) for h in names])
                      for g in network.predicted])


def _weight(p: Population) -> float:
    """The root of the curvature of a population's energy along mu."""
    return np.sqrt(0.5) if p.error is Error.CATEGORICAL else 2.0 ** (p.precision / 2)


def _slope(network: Network, name: str, states: Mapping[str, Array] | None) -> Array:
    p = network.by_name[name]
    if p.activation == "identity":
        return np.ones(p.size)
    if states is None or name not in states:
        raise BadInput(f"gamma_bound needs states: {name!r} has activation {p.activation!r}, whose slope depends on "
                       "them.")
    return slope(network, name, np.asarray(states[name]))


def _block(network: Network, weights: Weights, source: str, target: str) -> Array:
    """W of all edges from ``source`` to ``target`` together, zero without one."""
    total = np.zeros((network.by_name[target].size, network.by_name[source].size))
    for e in network.incoming(target):
        if e.source == source:
            total = total + (np.eye(len(total)) if e.identity else weights[source, target])
    return total


def distance_to_equilibrium(network: Network, weights: Weights, clamps: Mapping[str, Array],
                            gamma: float, steps: int, more: int = 2000, start: Start = "forward",
                            masks: Mapping[str, NDArray[np.bool_]] | None = None) -> Array:
    """``|x_T - x*| / |x_0 - x*|`` over the free neurons of each sample, (batch,), T = ``steps``.

    1 at the start, 0 at equilibrium, and 0 where the start is the equilibrium. x* is reached in
    ``more`` further steps, in eight equal stages that halve gamma each time: where f has a kink, f'
    jumps and a fixed gamma hops around the minimum for ever. Raises BadInput when the mean dE/dx of
    the last stage is above 1e-2 of its start, that is when x* has not settled.
    """
    held = hold(network, clamps, masks)
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging run is refused below
        path = infer(network, weights, clamps, gamma, steps, start, masks)
    rest = _equilibrium(network, weights, held, path.states[0], path.states[-1], gamma, more)
    x0, xt, end = (_free(held, s) for s in (path.states[0], path.states[-1], rest))
    far, left = np.linalg.norm(x0 - end, axis=1), np.linalg.norm(xt - end, axis=1)
    return np.divide(left, far, out=np.zeros_like(far), where=far > 1e-12)


def _equilibrium(network: Network, weights: Weights, held: Held, start: States, x: States, gamma: float,
                 more: int) -> States:
    """Where ``x`` comes to rest in ``more`` steps; the force that is left is judged by that at ``start``."""
    count, before = more // STAGES, x
    if count < 1:
        raise BadInput(f"more is {more}; give at least {STAGES} steps to reach equilibrium in.")
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging run ends as NaN, refused below
        for stage in range(STAGES):
            before = x
            for _ in range(count):  # not by infer, which would keep every step
                x = move(network, weights, x, errors(network, weights, x), gamma / 2**stage, held)
        force = np.linalg.norm(_free(held, x) - _free(held, before), axis=1) / (count * gamma / 2 ** (STAGES - 1))
    first = state_descent(network, weights, start, errors(network, weights, start))
    if not (force <= 1e-2 * np.linalg.norm(_free(held, first), axis=1) + 1e-12).all():
        raise BadInput(f"inference has not settled in {more} further steps with gamma {gamma:g}; "
                       "raise more, or lower gamma below gamma_bound.")
    return x


def _free(held: Held, values: States) -> Array:
    """All neurons in a row, (batch, neurons), zero where clamped."""
    return np.hstack([np.where(held.masks.get(name, False), 0.0, v) for name, v in values.items()])


def _linear(p: Population) -> None:
    if p.activation != "identity" or p.error is Error.CATEGORICAL:
        raise BadInput(f"population {p.name!r} has activation {p.activation!r} and {p.error.value} errors; the closed "
                       "form needs 'identity' and gaussian ones.")


def _linear_chain(network: Network) -> tuple[str, ...]:
    chain = network.chain
    if chain is None:
        raise BadInput("network is not layered; the closed form needs one chain of populations.")
    for name in chain:
        _linear(network.by_name[name])
    return chain


def _bias(network: Network, weights: Weights, name: str) -> Array:
    """The summed blocks from constant populations, (size,)."""
    blocks = [_block(network, weights, p.name, name)[:, 0] for p in network.with_role(Role.CONSTANT)]
    return sum(blocks, np.zeros(network.by_name[name].size))
