"""Closed forms and bounds that inference must meet (Millidge et al., ICLR 2023, and Innocenti et al.).

Layers are counted as everywhere here: x_0 the input, x_L the target, both clamped.
"""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from hebbar.errors import BadInput
from hebbar.network import Network, Role

from .energy import errors, slope, state_descent
from .inference import Start, infer, move
from .state import Array, Held, States, Weights, hold

__all__ = ["linear_equilibrium", "equilibrium_energy", "gamma_bound", "distance_to_equilibrium"]

STAGES = 8


def linear_equilibrium(network: Network, weights: Weights, inputs: Array, targets: Array) -> States:
    """The hidden states at the minimum of the energy of a linear layered network, (batch, size).

    Solves the block-tridiagonal system ``(I + W_{l+1}^T W_{l+1}) x_l - W_l x_{l-1}
    - W_{l+1}^T x_{l+1} = b_l - W_{l+1}^T b_{l+1}``. Raises BadInput for another network.
    """
    chain = _linear_chain(network)
    w = [weights[pair] for pair in zip(chain, chain[1:])]
    b = [_bias(network, weights, name) for name in chain[1:]]
    ends = np.cumsum([0] + [len(block) for block in w[:-1]])
    spans = [slice(*pair) for pair in zip(ends, ends[1:])]
    matrix = np.eye(ends[-1])
    rhs = np.zeros((ends[-1], len(inputs)))
    for i, here in enumerate(spans):
        matrix[here, here] += w[i + 1].T @ w[i + 1]
        rhs[here] += (b[i] - w[i + 1].T @ b[i + 1])[:, None]
        if i + 1 < len(spans):
            matrix[here, spans[i + 1]] = -w[i + 1].T
            matrix[spans[i + 1], here] = -w[i + 1]
    if spans:
        rhs[spans[0]] += w[0] @ np.asarray(inputs).T
        rhs[spans[-1]] += w[-1].T @ np.asarray(targets).T
    solved = np.linalg.solve(matrix, rhs)
    return {name: solved[here].T for name, here in zip(chain[1:-1], spans)}


def equilibrium_energy(network: Network, weights: Weights, inputs: Array, targets: Array) -> Array:
    """E at that minimum, (batch,): ``1/2 r^T S^-1 r`` with r = target - output of the forward pass
    and ``S = I + sum_{k=2..L} (W_L .. W_k)(W_L .. W_k)^T``."""
    chain = _linear_chain(network)
    output, spread = np.asarray(inputs).T, np.eye(network.by_name[chain[-1]].size)
    for pair in zip(chain, chain[1:]):
        output = weights[pair] @ output + _bias(network, weights, pair[1])[:, None]
    product = np.eye(network.by_name[chain[-1]].size)
    for pair in reversed(list(zip(chain[1:], chain[2:]))):
        product = product @ weights[pair]
        spread = spread + product @ product.T
    r = np.asarray(targets).T - output
    return 0.5 * (r * np.linalg.solve(spread, r)).sum(axis=0)


def gamma_bound(network: Network, weights: Weights, states: Mapping[str, Array] | None = None,
                clamped: Collection[str] | None = None) -> float:
    """2 / lambda_max(H): inference converges for a smaller gamma and diverges for a larger one.

    H = J^T J with J = de/dx over the free populations. Exact for linear networks, which need no
    ``states``; otherwise it holds near ``states`` (name -> (size,), free populations) as far as the
    curvature of f may be neglected. ``clamped`` names the clamped populations, by default those of
    role input, target and constant. Infinite when nothing is free.
    """
    fixed = {p.name for p in network.populations if p.role is not Role.HIDDEN}
    names = [p.name for p in network.populations
             if p.name not in (fixed if clamped is None else clamped) and p.role is not Role.CONSTANT]
    if not names:
        return float("inf")
    rows = [np.hstack([_jacobian(network, weights, g.name, h, states) for h in names])
            for g in network.predicted]
    return float(2.0 / np.linalg.norm(np.vstack(rows), 2) ** 2)


def _jacobian(network: Network, weights: Weights, g: str, h: str,
              states: Mapping[str, Array] | None) -> Array:
    """de_g/dx_h: the identity where g is h, minus W_gh diag f'(x_h)."""
    size = network.by_name[h].size
    block = np.eye(size) if g == h else np.zeros((network.by_name[g].size, size))
    if (h, g) not in weights:
        return block
    if states is None and network.by_name[h].activation != "identity":
        raise BadInput(f"gamma_bound needs states: {h!r} has activation "
                       f"{network.by_name[h].activation!r}, whose slope depends on them.")
    return block - weights[h, g] * (1.0 if states is None else slope(network, h, np.asarray(states[h])))


def distance_to_equilibrium(network: Network, weights: Weights, clamps: Mapping[str, Array],
                            gamma: float, steps: int, more: int = 2000, start: Start = "forward",
                            masks: Mapping[str, NDArray[np.bool_]] | None = None) -> Array:
    """|x_T - x*| / |x_0 - x*| over the free neurons of each sample, (batch,), T = ``steps``.

    1 at the start, 0 at equilibrium, and 0 where the start is the equilibrium. x* is reached in
    ``more`` further steps, in eight equal stages that halve gamma each time: where f has a kink, f'
    jumps and a fixed gamma hops around the minimum for ever. Raises BadInput when the mean dE/dx of
    the last stage is above 1e-2 of its start, that is when x* has not settled.
    """
    held, count = hold(network, clamps, masks), more // STAGES
    if count < 1:
        raise BadInput(f"more is {more}; give at least {STAGES} steps to reach equilibrium in.")
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging run ends as NaN, refused below
        path = infer(network, weights, clamps, gamma, steps, start, masks)
        x = before = path.states[-1]
        for stage in range(STAGES):
            before = x
            for _ in range(count):  # not by infer, which would keep every step
                x = move(network, weights, x, errors(network, weights, x), gamma / 2**stage, held)
        x0, xt, x1, end = (_free(held, s) for s in (path.states[0], path.states[-1], before, x))
        force = np.linalg.norm(end - x1, axis=1) / (count * gamma / 2 ** (STAGES - 1))
    first = state_descent(network, weights, path.states[0], path.errors[0])
    if not (force <= 1e-2 * np.linalg.norm(_free(held, first), axis=1) + 1e-12).all():
        raise BadInput(f"inference has not settled {more} steps after step {steps} with gamma {gamma}; "
                       "raise more, or lower gamma below gamma_bound.")
    far, left = np.linalg.norm(x0 - end, axis=1), np.linalg.norm(xt - end, axis=1)
    return np.divide(left, far, out=np.zeros_like(far), where=far > 1e-12)


def _free(held: Held, values: States) -> Array:
    """All neurons in a row, (batch, neurons), zero where clamped."""
    return np.hstack([np.where(held.masks.get(name, False), 0.0, v) for name, v in values.items()])


def _linear_chain(network: Network) -> tuple[str, ...]:
    chain = network.chain
    if chain is None:
        raise BadInput("network is not layered; the closed form needs one chain of populations.")
    for name in chain:
        if network.by_name[name].activation != "identity":
            raise BadInput(f"population {name!r} has activation "
                           f"{network.by_name[name].activation!r}; the closed form needs 'identity'.")
    return chain


def _bias(network: Network, weights: Weights, name: str) -> Array:
    """The summed blocks from constant populations, (size,)."""
    blocks = [weights[e.source, name][:, 0] for e in network.incoming(name)
              if network.by_name[e.source].role is Role.CONSTANT]
    return sum(blocks, np.zeros(network.by_name[name].size))
