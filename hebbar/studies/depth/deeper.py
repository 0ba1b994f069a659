"""Accuracy at depth 128: backprop and PC-ALM on the grid of rates of ``accuracy``, PC-ALM in two and in three steps a
layer.

Credit goes down as a wave of about the square root of gamma layers a step, half a layer: 2 L steps just bring it to the
lowest one, where the wave, which widens on its way, has not passed by the end.
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .accuracy import accuracies, grid, mean
from .trainings import best, measured

__all__ = ["measure"]

SAMPLES = {False: 10_000, True: 20}
SEEDS = (1,)
LAYERS = 128
STEPS = (0, 3 * LAYERS)
"""Steps of PC-ALM; 0: two a layer."""


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Predictive coding, which takes minutes a training and learns less at depth 32 already, is left out."""
    asked = grid(("backprop",), SEEDS, LAYERS, SAMPLES[quick])
    asked += [each for steps in STEPS for each in grid(("pc_alm",), SEEDS, LAYERS, SAMPLES[quick], steps)]
    chosen = best(measured(asked, folder, images, reporter))
    behind = mean(chosen["backprop"]) - mean(chosen["pc_alm"])
    return [*accuracies(chosen),
            Figure(f"depth {LAYERS}: PC-ALM below backprop", round(behind, 2), "<= 2", "points", behind <= 2)]
