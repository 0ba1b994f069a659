"""Inference: states move down the energy while some of them are clamped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Error, Network
from hebbar.contract.errors import BadInput

from .energy import activity, assess, drive, softmax, state_descent
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Start", "Relaxation", "point", "default_start", "start_states", "move", "infer", "fallen"]

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
    energies: Array

    @staticmethod
    def of(points: Sequence[tuple[States, States, Array]]) -> "Relaxation":
        """The trajectory through (states, errors, energy) of every step."""
        states, error, energies = zip(*points)
        return Relaxation(states, error, np.array(energies))


def point(network: Network, weights: Weights, states: States) -> tuple[States, States, Array]:
    """(states, errors, energy) of one moment of a trajectory."""
    return states, *assess(network, weights, states)


def default_start(network: Network) -> Literal["forward", "zero"]:
    """Feed-forward where the graph allows it, otherwise all free states at zero."""
    return "zero" if network.order is None else "forward"


def start_states(network: Network, weights: Weights, held: Held, start: Start) -> States:
    """States before the first step, clamps already in.

    ``"forward"``: free x = mu, sources first (of a categorical population softmax(mu)), so only
    clamped populations have an error.
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
    known: States = {}
    for name in network.order:
        p = network.by_name[name]
        mu = drive(network, weights, name, known, np.zeros((held.batch, p.size)))
        states[name] = held.apply(name, softmax(mu) if p.error is Error.CATEGORICAL else mu)
        known[name] = activity(network, name, states[name])
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
          start: Start = "forward", masks: Mapping[str, NDArray[np.bool_]] | None = None,
          tolerance: float = 0.0) -> Relaxation:
    """Relax for ``steps`` state steps with step size ``gamma``.

    ``clamps[g]`` (batch, size) is held where ``masks[g]`` ((size,) or (batch, size), all when
    absent) is True. Populations without a clamp are free, targets too. With a ``tolerance`` a sample
    stands still after the step from states whose ``1/2 sum |e|^2`` is less than that below the one of the
    states before. Raises BadInput for clamps, weights or a start that do not fit the network.
    """
    if steps < 0:
        raise BadInput(f"steps is {steps}; give 0 or more state steps.")
    check_weights(network, weights)
    held = hold(network, clamps, masks)
    path = [point(network, weights, start_states(network, weights, held, start))]
    still = np.zeros(held.batch, dtype=bool)
    for _ in range(steps):
        states, error, _ = path[-1]
        moved = move(network, weights, states, error, gamma, held)
        if tolerance:
            moved = {name: np.where(still[:, None], states[name], x) for name, x in moved.items()}
            still = still | (fallen(path[-2][1], error) < tolerance if len(path) > 1 else False)
        path.append(point(network, weights, moved))
    return Relaxation.of(path)


def fallen(before: States, now: States) -> Array:
    """How far 1/2 sum |e|^2 of each sample fell; the machine measures it so, whatever the precisions."""
    return 0.5 * sum(((before[name] ** 2).sum(axis=-1) - (e**2).sum(axis=-1) for name, e in now.items()), np.zeros(()))
