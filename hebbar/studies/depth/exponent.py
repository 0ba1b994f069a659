"""How many steps of inference a network needs against its depth: the exponents of predictive coding, of the same with
Nesterov's momentum, and of PC-ALM.

A network has enough steps where it gets 90 % of what backprop gets on the images to choose on, after the same samples
in the same fixed point, each rule at the better of two rates. The fewest steps are bracketed by powers of the square
root of 2 and read off between the two, log steps linear in accuracy; the exponent is the slope of log steps on log
depth over all seeds, its interval Student's at 95 %. Other people's exponents are 1.92, 1.21 and 1.27, of steps in
float32 with Adam (tarun-ks/predictive-coding-depth-scaling).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log, log2
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .trainings import Asked, trained

__all__ = ["Slope", "fewest", "measure", "slope"]

RULES = {"il": ("PC", (4, 8, 16), "beside 1.92"), "il_nesterov": ("PC with momentum 0.9", (4, 8, 16), "beside 1.21"),
         "pc_alm": ("PC-ALM", (4, 8, 16, 32), "beside 1.27")}
"""What a rule is called, its depths and the exponent of others."""
OPTIONS: dict[str, dict[str, Any]] = {"il_nesterov": {"options": (("momentum", 0.9),), "frac": 11}}
"""States of 11 fraction bits, which activities hold."""
QUICK = (2, 4)
SAMPLES = {False: 5000, True: 300}
SEEDS = {False: (1, 2), True: (1, 2)}
RATES = (-1, 0)
"""How often every alpha of the preset is halved; -1: doubled."""
SHARE = 0.9
MOST = 64
"""Steps a layer, beyond which none are tried."""


@dataclass(frozen=True)
class Slope:
    """The exponent and half of its interval of 95 %."""

    value: float
    interval: float


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """A row of steps for each depth, and of the exponent, for each rule. Every training is kept in ``folder``."""
    return [figure for rule in RULES for figure in _figures(rule, folder, quick, reporter, images)]


def _figures(rule: str, folder: Path, quick: bool, reporter: Reporter, images: Path | None) -> Iterator[Figure]:
    name, depths, target = RULES[rule]
    points: list[tuple[int, float]] = []
    for depth in QUICK if quick else depths:
        found = []
        for seed in SEEDS[quick]:
            @cache
            def right(steps: int, of: str = rule, layers: int = depth, first: int = seed) -> float:
                more = OPTIONS.get(of, {})
                asked = (Asked(of, rate, first, layers, SAMPLES[quick], steps, **more) for rate in RATES)
                return max(trained(each, images, folder).validation for each in asked)

            reporter.say(f"{name}, {depth} layers, seed {seed} ...")
            with reporter.busy():
                found.append(fewest(right, SHARE * right(0, "backprop"), 2 * depth, MOST * depth))
        points += [(depth, steps) for steps in found if steps is not None]
        reached = ", ".join("none" if steps is None else f"{steps:.1f}" for steps in found)
        yield Figure(f"{name}, {depth} layers: steps to {SHARE:.0%} of backprop, {SAMPLES[quick]:,} samples (seeds "
                     f"{reached}; none: not in {MOST * depth})", _mean(found), "beside it", "steps", None)
    fit = slope(points)
    interval = f" (+- {fit.interval:.2f} at 95 %)" if fit else ""
    yield Figure(f"exponent of steps against depth, {name}, {len(points)} points{interval}",
                 round(fit.value, 2) if fit else "too few depths", target, "", None)


def _mean(found: Sequence[float | None]) -> float | str:
    """The geometric mean, where every seed got there."""
    steps = [each for each in found if each is not None]
    return round(float(np.exp(np.mean(np.log(steps)))), 1) if len(steps) == len(found) else "not reached"


def fewest(right: Callable[[int], float], goal: float, first: int, most: int) -> float | None:
    """The least number of steps, between whole ones, with which ``right`` of them is ``goal``; None where ``most`` are
    too few, 1 where 1 is enough. ``right`` is taken to rise; ``first`` is tried at first."""
    def steps(half_octaves: int) -> int:
        return round(2 ** (half_octaves / 2))

    high = round(2 * log2(first))
    while right(steps(high)) < goal:
        high += 2
        if steps(high) > most:
            return None
    low = high - 2
    while low >= 0 and right(steps(low)) >= goal:
        low, high = low - 2, low
    if low < 0:
        return 1.0
    if right(steps(low + 1)) >= goal:
        high = low + 1
    else:
        low, high = low + 1, low + 2
    below, above = right(steps(low)), right(steps(high))
    return float(np.exp(np.interp(goal, (below, above), (log(steps(low)), log(steps(high))))))


def slope(points: Sequence[tuple[int, float]]) -> Slope | None:
    """The slope of log steps on log depth; None where there are fewer than two depths or three points."""
    if len({depth for depth, _ in points}) < 2 or len(points) < 3:
        return None
    fit = stats.linregress(*np.log(np.array(points, float)).T)
    return Slope(float(fit.slope), float(fit.stderr * stats.t.ppf(0.975, len(points) - 2)))
