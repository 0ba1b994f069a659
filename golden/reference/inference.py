"""Inference: states move down the energy while some of them are clamped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.errors import BadInput
from hebbar.network import Network

from .energy import activity, energy, errors, state_descent
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Start", "Relaxation", "default_start", "start_states", "move", "infer"]

Start = Literal["forward", "zero"] | Mapping[str, Array]


@dataclass(frozen=True)
class Relaxation:
    """A trajectory of T state steps.

    ``states[t][g]`` and ``errors[t][g]`` are (batch, size) after t steps, t = 0..T: the errors are
    recomputed after the last step. ``energies`` is (T + 1, batch). Errors exist for the
    populations in ``network.predicted``.
    """

    states: tuple[States, ...]
    errors: tuple[States, ...]

    @property
    def energies(self) -> Array:
        """E of each sample after each step, shape (T + 1, batch)."""
        return np.array([energy(e) for e in self.errors])


def default_start(network: Network) -> Literal["forward", "zero"]:
    """Feed-forward where the graph allows it, otherwise all free states at zero."""
    return "zero" if network.order is None else "forward"


def start_states(network: Network, weights: Weights, held: Held, start: Start) -> States:
    """States before the first step, clamps already in.

    ``"forward"``: free x = mu, sources first, so only clamped populations have an error.
    ``"zero"``: free x = 0. A dictionary gives the states of every population that is not wholly
    clamped, (batch, size) each. Raises BadInput for a forward start on a cycle.
    """
    if start == "zero":
        return {p.name: held.apply(p.name, np.zeros((held.batch, p.size)))
                for p in network.populations}
    if isinstance(start, Mapping):
        return {p.name: held.values[p.name] if held.whole(p.name)
                else held.apply(p.name, _given(start, p.name, (held.batch, p.size)))
                for p in network.populations}
    if start != "forward":
        raise BadInput(f"start is {start!r}; give 'forward', 'zero' or a dictionary of states.")
    if network.order is None:
        raise BadInput("start is 'forward' and the network has a cycle, so nothing comes first; "
                       "use 'zero' or give the states.")
    states: States = {}
    for name in network.order:
        mu = np.zeros((held.batch, network.by_name[name].size))
        for edge in network.incoming(name):
            mu = mu + activity(network, edge.source, states[edge.source]) @ weights[edge.source, name].T
        states[name] = held.apply(name, mu)
    return states


def _given(start: Mapping[str, Array], name: str, shape: tuple[int, int]) -> Array:
    if name not in start:
        raise BadInput(f"start[{name!r}] is missing and {name!r} is not wholly clamped; "
                       "give its states.")
    x = np.asarray(start[name], dtype=np.float64)
    if x.shape != shape:
        raise BadInput(f"start[{name!r}] has shape {x.shape}; give {shape}.")
    return x


def move(network: Network, weights: Weights, states: States, error: States, gamma: float,
         held: Held) -> States:
    """One synchronous step: every free x moves by gamma * -dE/dx of the frozen ``error``."""
    descent = state_descent(network, weights, states, error)
    return {name: x if held.whole(name) else held.apply(name, x + gamma * descent[name])
            for name, x in states.items()}


def infer(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float, steps: int,
          start: Start = "forward", masks: Mapping[str, NDArray[np.bool_]] | None = None) -> Relaxation:
    """Relax for ``steps`` state steps with step size ``gamma``.

    ``clamps[g]`` (batch, size) is held where ``masks[g]`` ((size,) or (batch, size), all when
    absent) is True. Populations without a clamp are free, targets too. Raises BadInput for clamps,
    weights or a start that do not fit the network.
    """
    if steps < 0:
        raise BadInput(f"steps is {steps}; give 0 or more state steps.")
    check_weights(network, weights)
    held = hold(network, clamps, masks)
    states = [start_states(network, weights, held, start)]
    error = [errors(network, weights, states[0])]
    for _ in range(steps):
        states.append(move(network, weights, states[-1], error[-1], gamma, held))
        error.append(errors(network, weights, states[-1]))
    return Relaxation(tuple(states), tuple(error))
