"""The figures of the examples on reverse differentiation and on categorical outputs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, WIDTH
from hebbar.report.svg import INK, STYLE

if TYPE_CHECKING:
    from ..categorical import Shares

__all__ = ["wavefronts", "categorical"]

Reals = NDArray[np.float64]
LOOKS = ((BLUE, "s", "-"), (ORANGE, "o", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"))


def wavefronts(panels: Mapping[str, tuple[Mapping[str, Reals], Mapping[str, int]]]) -> Figure:
    """Draw for every case the distances of errors from slopes, by population and state step; a filled marker where it
    learns."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
        for a, (title, (off, levels)) in zip(axes, panels.items()):
            for name, (colour, marker, line) in zip(sorted(off, key=lambda n: levels[n]), LOOKS):
                shown, at = np.maximum(off[name], 1e-17), levels[name]
                a.semilogy(shown, line, color=colour, marker=marker, markersize=4, markerfacecolor="none",
                           linewidth=1.2, label=name)
                a.semilogy([at], [shown[at]], marker=marker, color=colour, markersize=7)
            a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
            a.set(title=title, xlabel="state step", ylim=(3e-18, 1e3), xticks=range(len(shown)))
            a.legend(loc="upper left", ncols=len(off), columnspacing=0.8, handlelength=1.6)
        axes[0].set_ylabel("error less slope of the loss,\nrelative (filled: it learns)")
        return figure


def categorical(shares: "Shares", calibration: Mapping[str, Reals], precisions: Sequence[int], updates: Reals,
                accuracies: Reals) -> Figure:
    """Probabilities against float64, reliability by system, and what the precision of the hidden layer does to updates
    (precisions, 2) and trainings."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
        axes = figure.subplots(2, 2)
        for a in axes.flat:
            a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
            a.set_axisbelow(True)
        _shares(axes[0, 0], shares)
        _calibration(axes[0, 1], calibration)
        strengths = 2.0 ** np.array(precisions)
        for column, label, (colour, marker, line) in zip(updates.T, ("float64", "fixed point"), LOOKS[1::-1]):
            axes[1, 0].loglog(strengths, column, line, color=colour, marker=marker, markersize=4, label=label, base=2)
        axes[1, 0].set(xlabel="precision of the hidden layer", ylabel="update less gradient, relative")
        axes[1, 0].legend(loc="lower left")
        axes[1, 1].semilogx(strengths, accuracies, "-s", color=BLUE, markersize=4, base=2)
        axes[1, 1].set(xlabel="precision of the hidden layer", ylabel="accuracy after training, %")
        return figure


def _shares(a: Axes, shares: "Shares") -> None:
    at = np.argsort(shares.floating, axis=None)
    p, allowed = shares.floating.ravel()[at], (shares.bound / shares.code).ravel()[at]
    a.plot(p, shares.off.ravel()[at], "s", color=BLUE, markersize=2.5, label="found")
    for sign in (1, -1):
        a.plot(p, sign * allowed, ".", color=ORANGE, markersize=2, label="allowed by rounding" if sign > 0 else None)
    step, most = -np.log2(shares.code), 1.5 * allowed.max()
    a.set(xlabel="probability, softmax in float64", ylabel=f"difference, codes of 2^-{step:.0f}", ylim=(-most, most))
    a.legend(loc="lower center", markerscale=1.5, ncols=2)


def _calibration(a: Axes, calibration: Mapping[str, Reals]) -> None:
    a.plot([0, 1], [0, 1], color=INK, linewidth=0.6)
    for (name, rows), (colour, marker, line) in zip(calibration.items(), LOOKS):
        a.plot(rows[:, 1], rows[:, 2], line, color=colour, marker=marker, markersize=4, linewidth=1.2, label=name)
    a.set(xlabel="probability of the answer", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1.02))
    a.legend(loc="lower right")
