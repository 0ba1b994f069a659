"""What depth does to learning on digits, which need no download, and where credit is in every step of a sample."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.learning.training import codes, data_of, train_fixed
from golden.session import initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.report.figures import BLUE, GREEN, ORANGE, panels
from hebbar.report.svg import STYLE

from .gate import GatedMachine

__all__ = ["DEPTHS", "RULES", "accuracies", "digits", "draw", "quiet"]

DEPTHS = (4, 8, 16, 32)
RULES = {"backprop": GREEN, "pc_alm": BLUE, "il": ORANGE}
NAMES = {"backprop": "backprop", "pc_alm": "PC-ALM", "il": "predictive coding"}
EPOCHS = 5
WIDTH = 32


def digits(rule: str, layers: int, seed: int = 0, epochs: int = EPOCHS) -> Config:
    """The preset ``deep`` on 8 x 8 digits, with ``layers`` layers of weights, a power of two: weights begin by muPC,
    alpha inside is 2^-3 / L, at the ends that of the preset, and a sample takes 2 L steps."""
    preset = load("deep")
    first, *_, last = preset.rule.alpha_shifts
    return preset.replace(
        network={"layers": [64, *[WIDTH] * (layers - 1), 10]}, data={"name": "digits", "path": "", "seed": seed},
        rule={"name": rule, "init": "mupc", "init_scales": [], "steps": 2 * layers,
              "alpha_shifts": [first, *[2 + layers.bit_length()] * (layers - 2), last]},
        training={"epochs": epochs, "seed": seed})


def accuracies(seeds: int, reporter: Reporter, depths: Sequence[int] = DEPTHS, epochs: int = EPOCHS
               ) -> dict[str, NDArray[np.float64]]:
    """Percent of the held-out digits that are right after the last epoch, (depths, seeds) by rule, in fixed point."""
    found = {rule: np.zeros((len(depths), seeds)) for rule in RULES}
    with reporter.task("trainings", len(RULES) * len(depths) * seeds) as task:
        for number, (rule, i, seed) in enumerate((r, i, s) for i in range(len(depths)) for r in RULES
                                                 for s in range(seeds)):
            program = compile_config(digits(rule, depths[i], seed, epochs))
            found[rule][i, seed] = 100 * train_fixed(program, data_of(program)).accuracy[-1]
            task.advance(number + 1, f"{NAMES[rule]}, {depths[i]} layers, {found[rule][i, seed]:.1f} %")
    return found


def quiet(layers: int) -> NDArray[np.bool_]:
    """(steps, hidden layers): where a layer of PC-ALM is exactly zero in a step of one sample, after 100 others."""
    program = compile_config(digits("pc_alm", layers))
    train, learnt = data_of(program).train, CompiledMachine(program)
    learnt.load(initial_image(program))
    learnt.run("train", codes(program, train.take(np.arange(100)), True))
    gate = GatedMachine(program)
    gate.load(learnt.weights)
    gate.run("train", codes(program, train.take([100]), True))
    rows = [gate.where(f"x{i}").start for i in range(1, layers)]
    return np.array([[skipped for start, skipped in gate.steps if start == row] for row in rows]).T


def draw(found: Mapping[str, NDArray[np.float64]], zero: NDArray[np.bool_], depths: Sequence[int] = DEPTHS) -> Drawing:
    """Accuracy against depth, and the layer-steps that the gate leaves out."""
    with rc_context(STYLE):
        figure, (left, right) = panels(2.8, 2)
        for rule, values in found.items():
            spread = values.std(axis=1, ddof=1) if values.shape[1] > 1 else None
            left.errorbar(depths, values.mean(axis=1), spread, marker="o", markersize=4, color=RULES[rule],
                          label=NAMES[rule])
        left.set_xscale("log", base=2)
        left.set_xticks(depths, [str(d) for d in depths])
        left.set_xlabel("layers of weights")
        left.set_ylabel("held-out digits right, %")
        left.legend()
        steps, hidden = zero.shape
        right.imshow(~zero.T, aspect="auto", origin="lower", cmap="Blues", vmin=0, vmax=1.6,
                     extent=(0.5, steps + 0.5, 0.5, hidden + 0.5))
        right.set_xlabel("sweep of a sample")
        right.set_ylabel("hidden layer")
        right.yaxis.set_major_locator(MaxNLocator(integer=True))
        right.set_title(f"white: exactly zero, {100 * zero.mean():.0f} %")
        return figure
