"""Accuracy at depth 128: backprop on the grid of rates of ``accuracy``, PC-ALM at the rate of the preset."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .accuracy import accuracies, grid, mean
from .trainings import Asked, best, measured

__all__ = ["measure"]

SAMPLES = {False: 10_000, True: 20}
SEEDS = (1,)
LAYERS = 128


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """A training of PC-ALM takes minutes, so that it has one rate where backprop has the best of five; predictive
    coding, which takes as long, is left out."""
    asked = [*grid(("backprop",), SEEDS, LAYERS, SAMPLES[quick]),
             *(Asked("pc_alm", 0, seed, LAYERS, SAMPLES[quick]) for seed in SEEDS)]
    chosen = best(measured(asked, folder, images, reporter))
    behind = mean(chosen["backprop"]) - mean(chosen["pc_alm"])
    return [*accuracies(chosen),
            Figure(f"depth {LAYERS}: PC-ALM at one rate below backprop at the best of five", round(behind, 2), "<= 2",
                   "points", behind <= 2)]
