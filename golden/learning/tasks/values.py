"""Walks over a small grid with several kinds of reward, whose values are learnt together: ``reward_bases``.

Each of some places holds a resource. The walk steps to a random neighbour, receives the reward of a resource that it
enters, and begins again somewhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Network, Role
from hebbar.compiler.program import Program
from hebbar.compiler.rules.reward import parts
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ...reference.reward_bases import exact_values
from .task import LearningTask, Reals

__all__ = ["DISCOUNT", "Grid", "CORNERS", "Walk", "walk", "exact", "values"]

DISCOUNT = 29 / 32
"""A multiple of an activity's code, so that rounding the features loses nothing."""
STEPS, QUICK = 1000, 50
"""Steps of the walk in an epoch."""
BACK = -1
"""Stands for the next place where the walk ends."""


@dataclass(frozen=True)
class Grid:
    """``rows`` x ``columns`` places, numbered row by row; a resource lies at each of ``resources``, ``walls`` are no
    places to be."""

    rows: int
    columns: int
    resources: tuple[int, ...]
    walls: tuple[int, ...] = ()

    @property
    def places(self) -> int:
        return self.rows * self.columns

    @property
    def starts(self) -> tuple[int, ...]:
        """Where a walk may begin."""
        return tuple(p for p in range(self.places) if p not in self.walls and p not in self.resources)

    def neighbours(self, place: int) -> list[int]:
        """Where the four moves lead; into a wall or over the edge they lead nowhere."""
        row, column = divmod(place, self.columns)
        moves = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        return [r * self.columns + c if 0 <= r < self.rows and 0 <= c < self.columns
                and r * self.columns + c not in self.walls else place for r, c in moves]


CORNERS = Grid(6, 6, (0, 5, 30, 35), (8, 14, 20, 21, 27))


def grid_of(places: int, bases: int) -> Grid:
    """A grid for so many features and values; a corridor where they make no square or there are more than four."""
    if (places, bases) == (CORNERS.places, len(CORNERS.resources)):
        return CORNERS
    side = isqrt(places)
    if side * side == places and bases <= 4 and side > 2:
        return Grid(side, side, (0, side - 1, places - side, places - 1)[:bases])
    if places <= bases:
        raise BadInput(f"the network has {places} features for {bases} values and the default data, a walk between "
                       "places that hold a reward each, need more places; give samples of your own to Experiment.run.")
    return Grid(1, places, tuple(int(p) for p in np.linspace(0, places - 1, bases).round()))


@dataclass(frozen=True)
class Walk:
    """Steps from ``places`` to ``after``, -1 where the walk ends with ``rewards`` (steps, resources), on ``grid``."""

    places: NDArray[np.int64]
    after: NDArray[np.int64]
    rewards: NDArray[np.float64]
    grid: Grid = CORNERS

    def samples(self, rewards: NDArray[np.float64] | None = None, names: Sequence[str] = ("features", "next", "values"),
                rows: NDArray[np.int64] | slice = slice(None)) -> dict[str, NDArray[np.float64]]:
        """The steps as the program takes them: phi(s), - g phi(s') and the rewards, or others (steps, bases)."""
        count = self.grid.places
        hot = np.vstack([np.eye(count), np.zeros(count)])
        given = self.rewards if rewards is None else rewards
        return dict(zip(names, (hot[self.places[rows]], -DISCOUNT * hot[self.after[rows]], given[rows])))

    def first(self, steps: int) -> "Walk":
        return Walk(self.places[:steps], self.after[:steps], self.rewards[:steps], self.grid)


def walk(steps: int, seed: int | Sequence[int], grid: Grid = CORNERS) -> Walk:
    """A random walk that begins again at a random place after every resource."""
    rng, here, path = np.random.default_rng(seed), BACK, []
    for _ in range(steps):
        here = int(rng.choice(grid.starts)) if here < 0 else here
        there = grid.neighbours(here)[rng.integers(4)]
        ends = there in grid.resources
        path.append((here, BACK if ends else there, *(float(there == place) for place in grid.resources)))
        here = BACK if ends else there
    columns = np.array(path)
    return Walk(columns[:, 0].astype(int), columns[:, 1].astype(int), columns[:, 2:], grid)


def exact(grid: Grid = CORNERS) -> NDArray[np.float64]:
    """The values of the walk, (resources, places), from its probabilities."""
    moves, rewards = np.zeros((grid.places, grid.places)), np.zeros((len(grid.resources), grid.places))
    for place in grid.starts:
        for there in grid.neighbours(place):
            for i, resource in enumerate(grid.resources):
                rewards[i, place] += 0.25 * (there == resource)
            moves[place, there] += 0.25 * (there not in grid.resources)
    return exact_values(moves, rewards, DISCOUNT)


def values(program: Program, quick: bool = False) -> LearningTask:
    """A walk, a new part of it in every epoch; afterwards the values of all places are read."""
    network, training = program.layout.network, program.config.training
    features, target, names = _names(network)
    grid = grid_of(network.by_name[features].size, network.by_name[target].size)
    steps, places = QUICK if quick else STEPS, np.array(grid.starts)
    truth = exact(grid).T[places]

    @lru_cache(2)
    def path(epoch: int) -> Walk:
        return walk(steps, (training.seed, epoch), grid)

    def draw(rows: NDArray[np.int64]) -> Reals:
        epochs, within = np.divmod(np.asarray(rows), steps)
        found = [path(int(e)).samples(None, names, within[epochs == e]) for e in np.unique(epochs)]
        return {name: np.concatenate([part[name] for part in found]) for name in names}

    def grade(out: Reals) -> float | None:
        known = out[target]
        if len(known) < len(places):
            return None
        return 1 - float(((known - truth) ** 2).sum() / ((truth - truth.mean(axis=0)) ** 2).sum())

    return LearningTask(
        program, Kind.VALUES, "variance explained", f"the exact values of {len(places)} places", steps,
        1 if quick else training.epochs, draw, lambda epoch: epoch * steps + np.arange(steps),
        "predict", {features: np.eye(grid.places)[places]}, grade)


def _names(network: Network) -> tuple[str, str, tuple[str, str, str]]:
    """The features, the values, and what a training sample holds: features, the features after, rewards."""
    features, _, target = parts(network)
    others = [p.name for p in network.with_role(Role.INPUT) if p.name != features]
    if len(others) != 1 or network.by_name[others[0]].size != network.by_name[features].size:
        raise BadInput("the default data are for two inputs of one size, the features of a place and those of the "
                       "next; give samples of your own to Experiment.run.")
    return features, target, (features, others[0], target)
