"""Accuracy of PC-ALM, backprop and predictive coding in one fixed-point net, on one grid of rates."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .trainings import GRID, Asked, Training, best, measured

__all__ = ["RULES", "SEEDS", "accuracies", "grid", "measure", "spread_of"]

RULES = ("backprop", "pc_alm", "il")
SAMPLES = {False: 25_000, True: 200}
SEEDS = {False: (1, 2, 3, 4), True: (1,)}
LAYERS = 32


def grid(rules: Sequence[str], seeds: Sequence[int], layers: int, samples: int, steps: int = 0) -> list[Asked]:
    """Every rate of every rule, seed by seed, in so many steps, 0: two a layer."""
    return [Asked(rule, halvings, seed, layers, samples, steps)
            for seed, rule, halvings in product(seeds, rules, GRID)]


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The rate of each rule is chosen on validation, its accuracy is that on the test set. Every training is kept in
    ``folder`` and found again."""
    chosen = best(measured(grid(RULES, SEEDS[quick], LAYERS, SAMPLES[quick]), folder, images, reporter))
    points = {rule: mean(runs) for rule, runs in chosen.items()}
    behind, ahead = points["backprop"] - points["pc_alm"], points["pc_alm"] - points["il"]
    return [*accuracies(chosen),
            Figure(f"depth {LAYERS}: PC-ALM below backprop", round(behind, 2), "<= 1.5", "points", behind <= 1.5),
            Figure(f"depth {LAYERS}: PC-ALM above predictive coding", round(ahead, 2), ">= 25", "points", ahead >= 25)]


def mean(runs: Sequence[Training]) -> float:
    """Mean accuracy on the test set, percent."""
    return 100 * float(np.mean([run.test for run in runs]))


def validation(runs: Sequence[Training]) -> float:
    """Mean accuracy on the images to choose on, percent."""
    return 100 * sum(run.validation for run in runs) / len(runs)


def spread_of(tests: Sequence[float]) -> str:
    """The standard deviation over seeds, of two decimals; nothing of one seed."""
    return f"{np.std(tests, ddof=1):.2f}" if len(tests) > 1 else ""


def accuracies(chosen: dict[str, list[Training]]) -> Iterator[Figure]:
    """A row for each rule: seeds, spread and the chosen rate."""
    for rule, runs in chosen.items():
        asked, tests = runs[0].asked, [100 * run.test for run in runs]
        spread = f", spread {spread_of(tests)}" if len(runs) > 1 else ""
        at_end = ", the end of the grid" if asked.halvings in (min(GRID), max(GRID)) else ""
        rule += f" T {asked.steps}" if asked.steps else ""
        yield Figure(f"784-32 x {asked.layers - 1}-10, {asked.samples:,} samples, test set, {rule} (mean of "
                     f"{len(runs)} seeds{spread}; alpha halved {asked.halvings} times{at_end})",
                     round(mean(runs), 2), "beside it", "%", None)
