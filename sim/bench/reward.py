"""A walk over a small grid with four kinds of reward, learnt as four values at once on the machine.

The places are 6 x 6, some of them walls; each corner holds a resource. The walk steps to a random neighbour,
receives the reward of a resource that it enters, and begins again somewhere else. An agent climbs the sum of the
values for its motivation, which may change at any moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.reference.reward_bases import Transition, exact_values, one_hot, run

from .recall import Memory

__all__ = ["RESOURCES", "DISCOUNT", "WALLS", "STARTS", "Walk", "walk", "exact", "learn", "floating", "from_scratch", "revalue",
           "rounding_bound", "destination"]

Reals = NDArray[np.float64]

SIDE = 6
RESOURCES = {"water": 0, "food": 5, "salt": 30, "rest": 35}
"""Places in the corners, by what they hold."""
WALLS = (8, 14, 20, 21, 27)
STARTS = tuple(p for p in range(SIDE * SIDE) if p not in WALLS and p not in RESOURCES.values())
DISCOUNT = 29 / 32
"""A multiple of an activity's code, so that rounding the features loses nothing."""
WEIGHT, STATE = 2.0**-13, 2.0**-12
"""A code of each."""


@dataclass(frozen=True)
class Walk:
    """Steps from ``places`` to ``after``, -1 where the walk ends with ``rewards`` (steps, resources)."""

    places: NDArray[np.int64]
    after: NDArray[np.int64]
    rewards: Reals

    def samples(self, rewards: Reals | None = None) -> dict[str, Reals]:
        """As the program takes them: phi(s), - g phi(s') and the rewards, or others (steps, bases)."""
        hot = np.vstack([np.eye(SIDE * SIDE), np.zeros(SIDE * SIDE)])
        return {"features": hot[self.places], "next": -DISCOUNT * hot[self.after],
                "values": self.rewards if rewards is None else rewards}

    def first(self, steps: int) -> "Walk":
        return Walk(self.places[:steps], self.after[:steps], self.rewards[:steps])


def neighbours(place: int) -> list[int]:
    """Where the four moves lead; into a wall or over the edge they lead nowhere."""
    row, column = divmod(place, SIDE)
    moves = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    return [r * SIDE + c if 0 <= r < SIDE and 0 <= c < SIDE and r * SIDE + c not in WALLS else place for r, c in moves]


def walk(steps: int, seed: int) -> Walk:
    """A random walk that begins again at a random place after every resource."""
    rng, here, path = np.random.default_rng(seed), -1, []
    for _ in range(steps):
        here = int(rng.choice(STARTS)) if here < 0 else here
        there = neighbours(here)[rng.integers(4)]
        ends = there in RESOURCES.values()
        path.append((here, -1 if ends else there, *(float(there == place) for place in RESOURCES.values())))
        here = -1 if ends else there
    columns = np.array(path)
    return Walk(columns[:, 0].astype(int), columns[:, 1].astype(int), columns[:, 2:])


def exact() -> Reals:
    """The values of the walk, (resources, places), from its probabilities."""
    moves, rewards = np.zeros((SIDE * SIDE, SIDE * SIDE)), np.zeros((len(RESOURCES), SIDE * SIDE))
    for place in STARTS:
        for there in neighbours(place):
            for i, resource in enumerate(RESOURCES.values()):
                rewards[i, place] += 0.25 * (there == resource)
            moves[place, there] += 0.25 * (there not in RESOURCES.values())
    return exact_values(moves, rewards, DISCOUNT)


def learn(path: Walk) -> Memory:
    """All bases at once, from nothing."""
    e = Memory("reward_bases")
    e.run("train", path.samples())
    return e


def floating(path: Walk, rate: float) -> Reals:
    """The same in float64, by the reference."""
    count = SIDE * SIDE
    steps = [Transition(one_hot(p, count), r, one_hot(q, count) if q >= 0 else None)
             for p, q, r in zip(path.places, path.after, path.rewards)]
    return run(np.zeros((len(RESOURCES), count)), steps, DISCOUNT, rate)[-1]


def from_scratch(path: Walk, motivation: Sequence[float]) -> Reals:
    """TD learning on the sum of the rewards alone, (places,), on the same machine: the other bases get nothing."""
    e, rewards = Memory("reward_bases"), np.zeros_like(path.rewards)
    rewards[:, 0] = path.rewards @ motivation
    e.run("train", path.samples(rewards))
    return e.weights["features", "values"][0]


def revalue(e: Memory, motivation: Sequence[float]) -> Reals:
    """The values of all places for a motivation, (places,): a read-out of one row of weights is set, nothing learnt."""
    e.set_weights(e.weights | {("values", "total"): np.array([motivation], float)})
    return e.run("predict", {"features": np.eye(SIDE * SIDE)})["total"][:, 0]


def rounding_bound(rate: float) -> float:
    """The most that learnt values may be off by rounding at any time.

    An error of the table shrinks by ``1 - rate`` and takes over ``rate g`` of another place's with every
    visit, while the update adds half a code of a weight and ``rate`` times half a code of the error.
    """
    return (0.5 * WEIGHT + rate * 0.5 * STATE) / (rate * (1 - DISCOUNT))


def destination(values: Reals, motivation: Sequence[float], start: int) -> str:
    """The resource that an agent reaches that steps to the best neighbour, empty when it walks in circles."""
    names = {place: name for name, place in RESOURCES.items()}
    worth = DISCOUNT * values
    worth[list(names)] = motivation
    for _ in range(SIDE * SIDE):
        found = neighbours(start)
        start = found[int(np.argmax(worth[found]))]
        if start in names:
            return names[start]
    return ""
