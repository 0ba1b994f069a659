"""A walk over a small grid with four kinds of reward, learnt as four values at once on the machine.

The places are 6 x 6, some of them walls; each corner holds a resource. The walk steps to a random neighbour,
receives the reward of a resource that it enters, and begins again somewhere else. An agent climbs the sum of the
values for its motivation, which may change at any moment.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from golden.learning.tasks.values import CORNERS, DISCOUNT, Walk, exact, walk
from golden.reference.reward_bases import Transition, one_hot, run
from hebbar.api import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.report.figures import WIDTH
from hebbar.report.svg import INK, STYLE

from .questions import Asked, ask

__all__ = ["RESOURCES", "DISCOUNT", "WALLS", "STARTS", "RATE", "WEIGHT", "STEPS", "MOTIVATIONS", "Walk", "walk",
           "exact", "learn", "replay", "floating", "from_scratch", "revalue", "rounding_bound", "destination",
           "Revalued", "revalued", "measure", "draw"]

Reals = NDArray[np.float64]

RESOURCES = dict(zip(("water", "food", "salt", "rest"), CORNERS.resources))
"""Places in the corners, by what they hold."""
WALLS, STARTS = CORNERS.walls, CORNERS.starts
RATE = 2.0**-4
"""The learning rate of the preset."""
WEIGHT, STATE = 2.0**-13, 2.0**-12
"""A code of each."""
STEPS = 20_000
MOTIVATIONS = {"thirsty": (1.0, 0.0, 0.0, 0.0), "hungry, no salt": (0.0, 1.0, -1.0, 0.0),
               "mixed": (0.5, 0.25, -0.5, 0.25)}
"""How much water, food, salt and rest are worth."""


def learn(path: Walk) -> Experiment:
    """All bases at once, from nothing."""
    e = Experiment("reward_bases")
    e.run("train", path.samples())
    return e


def replay(path: Walk, reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> Asked:
    """Replay the steps on the RTL, compared; what a step costs."""
    return ask(Experiment("reward_bases"), "train", path.samples(), reporter, backend, build)


def floating(path: Walk, rate: float) -> Reals:
    """What the reference learns from the steps in float64."""
    count = CORNERS.places
    steps = [Transition(one_hot(p, count), r, one_hot(q, count) if q >= 0 else None)
             for p, q, r in zip(path.places, path.after, path.rewards)]
    return run(np.zeros((len(RESOURCES), count)), steps, DISCOUNT, rate)[-1]


def from_scratch(path: Walk, motivation: Sequence[float]) -> Reals:
    """TD learning on the sum of the rewards alone, (places,), on the same machine: the other bases get nothing."""
    e, rewards = Experiment("reward_bases"), np.zeros_like(path.rewards)
    rewards[:, 0] = path.rewards @ motivation
    e.run("train", path.samples(rewards))
    return e.weights["features", "values"][0]


def revalue(e: Experiment, motivation: Sequence[float]) -> Reals:
    """The values of all places for a motivation, (places,): a read-out of one row of weights is set, nothing learnt."""
    e.set_weights(e.weights | {("values", "total"): np.array([motivation], float)})
    return e.run("predict", {"features": np.eye(CORNERS.places)})["total"][:, 0]


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
    for _ in range(CORNERS.places):
        found = CORNERS.neighbours(start)
        start = found[int(np.argmax(worth[found]))]
        if start in names:
            return names[start]
    return ""


@dataclass(frozen=True)
class Revalued:
    """What a motivation finds.

    Values (places,) ``at_once`` and of TD learning ``scratch`` by steps; ``rms`` errors against the exact
    values, by steps, 0 being at once; ``gap``, the most that the last of ``scratch`` is away from the sum of
    the bases, and what rounding ``allows``; the resource where an agent ``ends`` from every start.
    """

    motivation: tuple[float, ...]
    at_once: Reals
    scratch: dict[int, Reals]
    rms: dict[int, float]
    gap: float
    allows: float
    ends: list[str]

    def __str__(self) -> str:
        later = ", ".join(f"{self.rms[n]:.3f} after {n}" for n in self.scratch)
        ends = ", ".join(f"{self.ends.count(n)} x {n or 'nowhere'}" for n in dict.fromkeys(self.ends))
        return (f"rms error {self.rms[0]:.3f} at once; TD from scratch {later}, then {self.gap / WEIGHT:.1f} codes "
                f"apart; agent ends {ends}")

    @property
    def maps(self) -> dict[str, Reals]:
        """The values to be drawn, by how they were found."""
        return {"at once": self.at_once, **{f"TD, {n} steps": v for n, v in self.scratch.items()}}

    @property
    def right(self) -> bool:
        """TD ends at the same values, was worse at first, and no agent ends at what is worth less than nothing."""
        bad = any(m < 0 and name in self.ends for name, m in zip(RESOURCES, self.motivation))
        return self.gap <= self.allows and self.rms[0] < self.rms[min(self.scratch)] and not bad


def revalued(e: Experiment, path: Walk, motivation: tuple[float, ...], after: Sequence[int] = (100, 1000)) -> Revalued:
    """``e`` has learnt all of ``path``; TD learning on the summed reward takes its first steps, and all of them."""
    places, m = list(STARTS), np.array(motivation)
    learnt, at_once, truth = e.weights["features", "values"], revalue(e, motivation), m @ exact()
    scratch = {n: from_scratch(path.first(n), motivation) for n in (*after, len(path.places))}
    rms = {n: float(np.sqrt(((v - truth)[places] ** 2).mean())) for n, v in {0: at_once, **scratch}.items()}
    gap = float(np.abs(m @ learnt - scratch[len(path.places)]).max())
    allows = float(np.abs(m).sum() + 1) * rounding_bound(RATE)
    ends = [destination(at_once, motivation, p) for p in places]
    return Revalued(motivation, at_once, scratch, rms, gap, allows, ends)


def measure(reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> list[Figure]:
    """The walk on the golden machine and on the RTL, against float64, against TD learning, in cycles and energy."""
    path, what = walk(STEPS, seed=1), f"reward bases, {STEPS:,} steps"
    asked, e, bound = replay(path, reporter, backend, build), learn(path), rounding_bound(RATE) / WEIGHT
    off = float(np.abs(e.weights["features", "values"] - floating(path, RATE)).max()) / WEIGHT
    figures = [
        Figure(f"{what} on the RTL, {asked.words:,} words compared: mismatches", asked.mismatches, "0", "words",
               asked.mismatches == 0 and asked.words > 0),
        Figure(f"{what}: most that a value is off float64", round(off, 1), f"<= {bound:.0f}, by rounding", "codes",
               off <= bound)]
    for name, motivation in MOTIVATIONS.items():
        found = revalued(e, path, motivation)
        early = found.rms[1000]
        figures += [
            Figure(f"{name}: rms error of the values at once (TD from scratch, all steps: {found.rms[STEPS]:.3f})",
                   round(found.rms[0], 3), f"< {early:.3f}, TD of 1000 steps", "",
                   found.right and found.rms[0] < early),
            Figure(f"{name}: sum of the bases against TD on the summed reward, largest difference",
                   round(found.gap / WEIGHT, 1), f"<= {found.allows / WEIGHT:.0f}, by rounding", "codes",
                   found.gap <= found.allows)]
    return [*figures, Figure("reward bases: cycles a step", round(asked.cycles, 1), "reported", "cycles", None),
            Figure("reward bases: energy a step, typical", round(asked.energy, 1), "reported", "nJ", None)]


def draw(rows: Mapping[str, Mapping[str, Reals]], ends: Collection[int], walls: Collection[int]) -> Drawing:
    """A labelled row of maps (places,) for each entry, each on the scale of its row; ``ends`` have no value and are
    circles, ``walls`` are grey."""
    with rc_context(STYLE):
        figure = Drawing(figsize=(WIDTH, 1.75 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), max(map(len, rows.values())), squeeze=False)
        for axes, (name, maps) in zip(grid, rows.items()):
            top = max(np.abs(values).max() for values in maps.values())
            for a in axes[len(maps):]:
                a.set_visible(False)
            for a, (title, values) in zip(axes, maps.items()):
                _map(a, values, top, ends, walls)
                a.set_title(title)
            axes[0].set_ylabel(f"{name}\n±{top:.2f}")
        return figure


def _map(axes: Axes, values: Reals, top: float, ends: Collection[int], walls: Collection[int]) -> None:
    side = int(len(values) ** 0.5)
    axes.pcolormesh(values.reshape(side, side), cmap="RdBu", vmin=-top, vmax=top)
    for place in walls:
        axes.fill_between([place % side, place % side + 1], place // side, place // side + 1, color="#888888",
                          linewidth=0)
    axes.plot([p % side + 0.5 for p in ends], [p // side + 0.5 for p in ends], "o", color=INK, markersize=4,
              markerfacecolor="none")
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(0, side), ylim=(side, 0))
    axes.spines[:].set(visible=True, color=INK, alpha=0.25)
