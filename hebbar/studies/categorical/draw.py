"""The figure: probabilities, what they are worth, and what the precision of the hidden layer does."""

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, WIDTH
from hebbar.report.svg import INK, STYLE

from .precision import PRECISIONS, Effects
from .probabilities import Calibration, Shares

__all__ = ["draw"]

LOOKS = ((BLUE, "s", "-"), (ORANGE, "o", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"))


def draw(shares: Shares, calibration: Sequence[Calibration], effects: Effects) -> Figure:
    """Probabilities against float64, reliability by system, and what the precision of the hidden layer does to updates
    and trainings."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
        axes = figure.subplots(2, 2)
        for a in axes.flat:
            a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
            a.set_axisbelow(True)
        _shares(axes[0, 0], shares)
        _calibration(axes[0, 1], calibration)
        strengths = 2.0 ** np.array(PRECISIONS)
        for column, label, (colour, marker, line) in zip(effects.updates.T, ("float64", "fixed point"), LOOKS[1::-1]):
            axes[1, 0].loglog(strengths, column, line, color=colour, marker=marker, markersize=4, label=label, base=2)
        axes[1, 0].set(xlabel="precision of the hidden layer", ylabel="update less gradient, relative")
        axes[1, 0].legend(loc="lower left")
        axes[1, 1].semilogx(strengths, effects.accuracies, "-s", color=BLUE, markersize=4, base=2)
        axes[1, 1].set(xlabel="precision of the hidden layer", ylabel="accuracy after training, %")
        return figure


def _shares(a: Axes, shares: Shares) -> None:
    at = np.argsort(shares.floating, axis=None)
    p, allowed = shares.floating.ravel()[at], (shares.bound / shares.code).ravel()[at]
    a.plot(p, shares.off.ravel()[at], "s", color=BLUE, markersize=2.5, label="found")
    for sign in (1, -1):
        a.plot(p, sign * allowed, ".", color=ORANGE, markersize=2, label="allowed by rounding" if sign > 0 else None)
    step, most = -np.log2(shares.code), 1.5 * allowed.max()
    a.set(xlabel="probability, softmax in float64", ylabel=f"difference, codes of 2^-{step:.0f}", ylim=(-most, most))
    a.legend(loc="lower center", markerscale=1.5, ncols=2)


def _calibration(a: Axes, calibration: Sequence[Calibration]) -> None:
    a.plot([0, 1], [0, 1], color=INK, linewidth=0.6)
    for c, (colour, marker, line) in zip(calibration, LOOKS):
        a.plot(c.curve[:, 1], c.curve[:, 2], line, color=colour, marker=marker, markersize=4, linewidth=1.2,
               label=c.name)
    a.set(xlabel="probability of the answer", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1.02))
    a.legend(loc="lower right")
