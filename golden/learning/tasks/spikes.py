"""Waves of spikes, one of each input, in one of several orders that return at random: the rule ``stdp``.

Only timing tells the orders apart. Neurons inhibit each other and learn without labels.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Role
from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ...reference.state import Weights
from .task import LearningTask, Reals

__all__ = ["ORDERS", "WAVE", "PERIOD", "JITTER", "LOST", "orders", "waves", "inhibition", "voted", "spikes"]

ORDERS = 4
WAVE, PERIOD = 48, 64
"""Steps of a wave, and from one to the next."""
JITTER, LOST = 1, 0.05
"""Steps by which a spike may be early or late, and the share of spikes that are missing."""
INPUTS = 64
WAVES, ASKED = 50, 200
"""Waves of an epoch, and those whose order is asked for."""
QUICK = 2, 16


def orders(rng: np.random.Generator, inputs: int = INPUTS) -> NDArray[np.int64]:
    """The step of every input's spike in each order, (orders, inputs): as many in every step on average."""
    return np.array([rng.permutation(inputs) * WAVE // inputs for _ in range(ORDERS)])


def waves(rng: np.random.Generator, times: NDArray[np.int64], count: int, known: bool = True,
          ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Spikes (count * PERIOD, inputs) and the order of every wave; one of its own each unless ``known``."""
    inputs = times.shape[1]
    which, found = rng.integers(len(times), size=count), np.zeros((count, PERIOD, inputs))
    for wave, order in zip(found, which):
        at = times[order] if known else orders(rng, inputs)[0]
        at = np.clip(at + rng.integers(-JITTER, JITTER + 1, inputs), 0, WAVE - 1)
        wave[at, np.arange(inputs)] = rng.random(inputs) >= LOST
    return found.reshape(-1, inputs), which


def voted(fired: NDArray[np.bool_], which: Sequence[int] | NDArray[np.int64]) -> float:
    """The share of waves told apart, from spikes (waves, steps, neurons): neurons are named after the order they fire
    most to in the first half of the waves, and their spikes are votes in the second."""
    which, counts, half = np.asarray(which), fired.sum(axis=1), len(fired) // 2
    names = np.array([counts[:half][which[:half] == k].mean(axis=0) if (which[:half] == k).any()
                      else np.full(counts.shape[1], -1.0) for k in range(ORDERS)]).argmax(axis=0)
    votes = counts[half:] @ np.eye(ORDERS)[names]
    return float(((votes.argmax(axis=1) == which[half:]) & votes.any(axis=1)).mean())


def inhibition(program: Program) -> Weights:
    """The least weight between all spiking neurons whose connections are fixed and start at 0."""
    f, network = program.machine.formats.weight, program.layout.network
    return {(e.source, e.target): f.lo / f.scale * (1 - np.eye(network.by_name[e.source].size))
            for e in network.stored if e.source == e.target and not e.plastic and e.scale == 0}


def spikes(program: Program, quick: bool = False) -> LearningTask:
    """New waves in every epoch, one sample a time step; afterwards waves are told apart while weights stand still."""
    network, training = program.layout.network, program.config.training
    inputs = network.with_role(Role.INPUT)
    firing = [t.population.name for t in program.outputs["predict"]]
    if len(inputs) != 1 or len(firing) != 1:
        raise BadInput("the default data are for one input and one population of spiking neurons, not "
                       f"{len(inputs)} and {len(firing)}; give samples of your own to Experiment.run.")
    name, count = inputs[0].name, (QUICK if quick else (WAVES, ASKED))
    times, steps = orders(np.random.default_rng(training.seed), inputs[0].size), count[0] * PERIOD
    asked, which = waves(np.random.default_rng((training.seed, 0, 1)), times, count[1])

    @lru_cache(2)
    def epoch_of(epoch: int) -> NDArray[np.float64]:
        return waves(np.random.default_rng((training.seed, epoch)), times, count[0])[0]

    def draw(rows: NDArray[np.int64]) -> Reals:
        epochs, within = np.divmod(np.asarray(rows), steps)
        return {name: np.concatenate([epoch_of(int(e))[within[epochs == e]] for e in np.unique(epochs)])}

    def grade(out: Reals) -> float | None:
        fired = out[firing[0]]
        if len(fired) < len(asked):
            return None
        return voted(fired.reshape(-1, PERIOD, fired.shape[1]) > 0, which)

    return LearningTask(
        program, Kind.SPIKES, "waves told apart", f"{count[1] // 2} waves of {ORDERS} orders", steps,
        1 if quick else training.epochs, draw, lambda epoch: epoch * steps + np.arange(steps),
        "predict", {name: asked}, grade, start=inhibition(program))
