"""Learning in the limit of weak feedback: nudged PC, equilibrium propagation, contrastive Hebbian.

All three compare states that feedback from the target has moved with states it has not. What they
return is a descent, ``-d cost/dW``, summed over the batch, with ``cost = 1/2 |y - output|^2``: the
``delta`` of ``rules.backprop`` at alpha 1. A one-sided nudge is wrong by O(nudge), a symmetric one by
O(nudge^2). Inputs and targets are clamped by role; hidden populations are free.

Source: Millidge et al., ICLR 2023 (backpropagation at the infinitesimal inference limit); Scellier
and Bengio 2017; Xie and Seung 2003.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hebbar.compiler.network import Error, Network, Role
from hebbar.contract.errors import BadInput

from .energy import activities, drive, errors, feedback as sent_back, slope, state_descent, weight_descent
from .inference import start_states
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Settling", "CostOn", "nudged_pc", "hopfield_energy", "hopfield_descent", "free_states",
           "equilibrium_propagation", "contrastive_hebbian"]

CostOn = Literal["state", "activity"]
"""The output of which the cost is taken: a state u, or its activity f(u)."""

ROUNDING = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Settling:
    """How a phase relaxes: ``x += rate * force`` until no force is larger than ``tolerance``, within
    ``limit`` steps. Where the result is divided by a nudge, so is the tolerance, down to what rounding
    leaves of a force: a few times 1e-16 of the largest state."""

    rate: float = 0.2
    tolerance: float = 1e-9
    limit: int = 20_000

    def run(self, force: Callable[[States], States], states: States, held: Held, phase: str,
            scale: float = 1.0) -> States:
        """The states at rest; raises BadInput when they do not get there."""
        largest = wanted = np.inf
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is refused below
            for _ in range(self.limit + 1):
                push = {name: f for name, f in force(states).items() if name not in held.values}
                largest = max(np.abs(f).max() for f in push.values())
                wanted = max(self.tolerance * scale, ROUNDING * max(1.0, *(np.abs(x).max() for x in states.values())))
                if largest <= wanted:
                    return states
                if not np.isfinite(largest):
                    break
                states = states | {name: states[name] + self.rate * f for name, f in push.items()}
        raise BadInput(f"the {phase} phase is not at rest after {self.limit} steps of rate {self.rate}: the "
                       f"largest force is {largest:.2g}, wanted {wanted:.2g}; lower "
                       "settling.rate, raise settling.limit or choose a smaller nudge.")


def nudged_pc(network: Network, weights: Weights, clamps: Mapping[str, Array], nudge: float,
              settling: Settling = Settling(), symmetric: bool = False, cost_on: CostOn = "state") -> Weights:
    """PC with the target free and pulled by ``nudge``: ``(1/nudge) e f(x)^T`` at the minimum of
    ``E + nudge * 1/2 |y - x_L|^2``.

    One phase, for the free one has e = 0; ``symmetric`` subtracts the phase at ``-nudge`` and halves. ``cost_on``: the
    output that the cost is taken of, x_L or f(x_L), which the rule nudged_pc pulls.
    """
    _check(network, weights, clamps, nudge)
    held = hold(network, _inputs(network, clamps))
    start = start_states(network, weights, held, "forward")

    def descent(strength: float) -> Weights:
        def force(x: States) -> States:
            descent = state_descent(network, weights, x, errors(network, weights, x))
            return _nudged(network, descent, x, clamps, strength, cost_on)
        x = settling.run(force, start, held, f"nudged ({strength:g})", abs(nudge))
        return weight_descent(network, x, errors(network, weights, x))

    if symmetric:
        return _difference(descent(nudge), descent(-nudge), 2 * nudge)
    return {key: block / nudge for key, block in descent(nudge).items()}


def hopfield_energy(network: Network, weights: Weights, states: Mapping[str, Array]) -> Array:
    """``F = 1/2 sum |u|^2 - sum_edges r_t^T W_ts r_s`` of each sample, (batch,), r = f(u).

    A bias is an edge from a constant population. The clamped u count too, as constants.
    """
    r = activities(network, states)
    pairs = [(drive(network, weights, name, r, u) * r[name]).sum(axis=1) for name, u in states.items()]
    return 0.5 * sum((u**2).sum(axis=1) for u in states.values()) - sum(pairs)


def hopfield_descent(network: Network, weights: Weights, states: Mapping[str, Array],
                     feedback: float = 1.0, gated: bool = True) -> States:
    """``-dF/du = -u + f'(u) * (sum_in W r + feedback * sum_out W^T r)`` of every population.

    ``gated`` False leaves f'(u) away (Hopfield 1984; Xie and Seung 2003): without feedback that is
    the feed-forward network, which the gated form is not.
    """
    r, force = activities(network, states), {}
    for name, u in states.items():
        push = drive(network, weights, name, r, u) + feedback * sent_back(network, weights, name, r, u)
        force[name] = (slope(network, name, u) * push if gated else push) - u
    return force


def free_states(network: Network, weights: Weights, clamps: Mapping[str, Array],
                settling: Settling = Settling(), feedback: float = 1.0, gated: bool = True) -> States:
    """The states u at rest with only the inputs clamped, from u = 0; targets in ``clamps`` are ignored."""
    check_weights(network, weights)
    held = hold(network, _inputs(network, clamps))
    return settling.run(lambda u: hopfield_descent(network, weights, u, feedback, gated),
                        start_states(network, weights, held, "zero"), held, "free")


def equilibrium_propagation(network: Network, weights: Weights, clamps: Mapping[str, Array],
                            nudge: float, settling: Settling = Settling(), symmetric: bool = False,
                            cost_on: CostOn = "activity") -> Weights:
    """``(1/nudge) (r_t r_s^T nudged - the same free)``, both phases at rest in ``F + nudge * cost``.

    It tends to the descent of the cost at the free rest state, not of the feed-forward network.
    ``cost_on``: the output that the cost is taken of, u or r = f(u). ``symmetric``: the second phase
    is at ``-nudge`` and the difference is halved. Any graph without a clamped hidden population.
    """
    _check(network, weights, clamps, nudge)
    held = hold(network, _inputs(network, clamps))
    free = free_states(network, weights, clamps, _finer(settling, nudge))

    def descent(strength: float) -> Weights:
        def force(u: States) -> States:
            return _nudged(network, hopfield_descent(network, weights, u), u, clamps, strength, cost_on)
        return _hebbian(network, settling.run(force, free, held, f"nudged ({strength:g})", abs(nudge)))

    if symmetric:
        return _difference(descent(nudge), descent(-nudge), 2 * nudge)
    return _difference(descent(nudge), _hebbian(network, free), nudge)


def contrastive_hebbian(network: Network, weights: Weights, clamps: Mapping[str, Array],
                        settling: Settling = Settling(), feedback: float = 1.0,
                        gated: bool = True) -> Weights:
    """``r_t r_s^T clamped - the same free``: the second phase has u of the targets clamped.

    With feedback 1 it descends ``F(clamped at rest) - F(free at rest)``. A smaller ``feedback`` needs a
    layered network, where the block into layer l is divided by ``feedback^(L - l)``; ungated, the
    result tends to backprop with an error of O(feedback) (Xie and Seung).
    """
    _check(network, weights, clamps, feedback)
    depth = _depths(network) if feedback != 1 else {}
    finest = _finer(settling, feedback ** max(depth.values(), default=0))
    free = free_states(network, weights, clamps, finest, feedback, gated)
    held = hold(network, clamps)
    clamped = finest.run(lambda u: hopfield_descent(network, weights, u, feedback, gated),
                         free | held.values, held, "clamped")
    change = _difference(_hebbian(network, clamped), _hebbian(network, free), 1.0)
    return {key: block / feedback ** depth.get(key[1], 0) for key, block in change.items()}


def _hebbian(network: Network, states: States) -> Weights:
    """r_t r_s^T of every edge, summed over the batch."""
    return weight_descent(network, states, activities(network, states))


def _difference(one: Weights, other: Weights, divisor: float) -> Weights:
    return {key: (one[key] - other[key]) / divisor for key in one}


def _nudged(network: Network, force: States, states: States, clamps: Mapping[str, Array],
            strength: float, cost_on: CostOn) -> States:
    """``force`` with ``-strength * d cost/du`` added at the targets."""
    pulled = dict(force)
    for p in network.with_role(Role.TARGET):
        u = states[p.name]
        if cost_on == "state":
            pull = clamps[p.name] - u
        else:
            pull = slope(network, p.name, u) * (clamps[p.name] - activities(network, {p.name: u})[p.name])
        pulled[p.name] = pulled[p.name] + strength * pull
    return pulled


def _finer(settling: Settling, scale: float) -> Settling:
    return Settling(settling.rate, settling.tolerance * abs(scale), settling.limit)


def _inputs(network: Network, clamps: Mapping[str, Array]) -> dict[str, Array]:
    return {name: v for name, v in clamps.items()
            if name not in network.by_name or network.by_name[name].role is not Role.TARGET}


def _depths(network: Network) -> dict[str, int]:
    """Layers between each layer and the output."""
    if network.chain is None:
        raise BadInput("feedback is not 1 and the network is not layered, so layers have no one distance "
                       "from the output; use feedback 1.")
    return {name: n for n, name in enumerate(reversed(network.chain))}


def _check(network: Network, weights: Weights, clamps: Mapping[str, Array], strength: float) -> None:
    check_weights(network, weights)
    hold(network, clamps)
    if not np.isfinite(strength) or strength == 0:
        raise BadInput(f"nudge or feedback is {strength}; give a number other than 0, such as 0.01.")
    for name in clamps:
        if network.by_name[name].role is Role.HIDDEN:
            raise BadInput(f"clamps[{name!r}] is hidden; clamp inputs and targets only.")
    for p in network.with_role(Role.TARGET):
        if p.error is Error.CATEGORICAL:
            raise BadInput(f"target {p.name!r} has categorical errors, and a nudge pulls by a difference; make it "
                           "gaussian.")
        if p.name not in clamps:
            raise BadInput(f"clamps has no {p.name!r}; clamp the target to the wanted output.")
