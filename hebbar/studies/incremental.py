"""iPC learns in every state step: accuracy after every epoch, beside IL and backprop."""

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from golden.learning.training import data_of, train_fixed
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.report.figures import BLUE, GREEN, ORANGE, panels
from hebbar.report.svg import STYLE

from .parameter_sweep import in_parallel
from .replays import FLAGSHIP

__all__ = ["CLOSE", "RULES", "config", "curves", "draw"]

RULES = {"iPC": "digits_ipc", "IL": "digits", "backprop": "backprop"}
CLOSE = 1.0
"""Points between the means of iPC and backprop that are no difference."""
LOOKS = ((BLUE, "s"), (ORANGE, "o"), (GREEN, "D"))


def config(rule: str) -> Config:
    """The preset of a rule on the machine that runs every rule."""
    return load(RULES[rule]).replace(machine=load(FLAGSHIP).machine.model_dump())


def curve(preset: str, seed: int, epochs: int | None) -> list[float]:
    """Percent right on the held-out part after every epoch, in fixed point."""
    config = load(preset).replace(training={"seed": seed} | ({"epochs": epochs} if epochs else {}), data={"seed": seed})
    program = compile_config(config)
    return [100 * a for a in train_fixed(program, data_of(program)).accuracy]


def curves(seeds: int, reporter: Reporter, epochs: int | None = None) -> dict[str, NDArray[np.float64]]:
    """Percent by rule, (seeds, epochs); ``epochs`` instead of those configured."""
    work = [(preset, seed, epochs) for preset in RULES.values() for seed in range(seeds)]
    found = np.array(in_parallel(curve, work, 2, reporter, "trainings", lambda c: f"{c[-1]:.1f} %"))
    return dict(zip(RULES, found.reshape(len(RULES), seeds, -1)))


def draw(found: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Mean accuracy and its range over seeds after every epoch; ``found`` (seeds, epochs) in percent by rule."""
    with rc_context(STYLE):
        figure, (axes,) = panels(3.0)
        for (name, c), (colour, marker) in zip(found.items(), LOOKS):
            epochs = np.arange(1, c.shape[1] + 1)
            axes.plot(epochs, c.mean(axis=0), "-", color=colour, marker=marker, markersize=3.5, label=name)
            axes.fill_between(epochs, c.min(axis=0), c.max(axis=0), color=colour, alpha=0.15)
        axes.set(xlabel="epoch", ylabel="accuracy on the test set, %")
        axes.legend(loc="lower right")
        return figure
