"""Accuracy at depth 128: backprop and PC-ALM on the grid of rates of ``accuracy``."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .accuracy import accuracies, grid, mean
from .trainings import best, measured

__all__ = ["measure"]

SAMPLES = {False: 10_000, True: 20}
SEEDS = (1,)
RULES = ("backprop", "pc_alm")
LAYERS = 128


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Predictive coding, which takes minutes a training and learns less at depth 32 already, is left out."""
    chosen = best(measured(grid(RULES, SEEDS, LAYERS, SAMPLES[quick]), folder, images, reporter))
    behind = mean(chosen["backprop"]) - mean(chosen["pc_alm"])
    return [*accuracies(chosen),
            Figure(f"depth {LAYERS}: PC-ALM below backprop", round(behind, 2), "<= 2", "points", behind <= 2)]
