"""The figures of the learning studies that the examples draw."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, WIDTH
from hebbar.report.svg import INK, STYLE

if TYPE_CHECKING:
    from ..comparisons import Found
    from ..early_exit import Point
    from ..nudge import Errors

__all__ = ["by_epoch", "early_exit", "weak_feedback", "lessons", "alignment"]

LOOKS = ((BLUE, "s"), (ORANGE, "o"), (GREEN, "D"), (PURPLE, "^"))


def _panels(height: float, count: int, sharey: bool = False) -> tuple[Figure, NDArray[Any]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, count, sharey=sharey))
    for a in axes.flat:
        a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        a.set_axisbelow(True)
    return figure, axes


def by_epoch(curves: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Mean accuracy and its range over seeds after every epoch; ``curves`` (seeds, epochs) in percent by rule."""
    with rc_context(STYLE):
        figure, (axes,) = _panels(3.0, 1)
        for (name, c), (colour, marker) in zip(curves.items(), LOOKS):
            epochs = np.arange(1, c.shape[1] + 1)
            axes.plot(epochs, c.mean(axis=0), "-", color=colour, marker=marker, markersize=3.5, label=name)
            axes.fill_between(epochs, c.min(axis=0), c.max(axis=0), color=colour, alpha=0.15)
        axes.set(xlabel="epoch", ylabel="accuracy on the test set, %")
        axes.legend(loc="lower right")
        return figure


def early_exit(points: Sequence["Point"]) -> Figure:
    """Accuracy, steps, cycles and energy against the tolerance; 0 stands apart, at the left."""
    names = [f"{p.tolerance:g}" for p in points]
    with rc_context(STYLE):
        figure, axes = _panels(2.5, 4)
        for a, title, attribute, (colour, marker) in zip(axes, (
                "accuracy, %", "state steps a sample", "cycles a sample", "nJ a sample, typical"),
                ("accuracy", "steps", "cycles", "energy"), LOOKS):
            a.plot(names, [getattr(p, attribute) for p in points], "-", color=colour, marker=marker, markersize=4)
            a.set(title=title, xlabel="tolerance")
            a.tick_params(axis="x", rotation=60)
            if attribute != "accuracy":
                a.set_ylim(0, None)
        return figure


def weak_feedback(errors: Mapping[str, "Errors"], accuracies: Mapping[str, NDArray[np.float64]],
                  clamped: float) -> Figure:
    """Errors of updates in float64 (dashed) and in fixed point, and what trainings reach, against lambda = 2**-k."""
    with rc_context(STYLE):
        figure, (left, right) = _panels(3.2, 2)
        for (name, e), (colour, marker) in zip(errors.items(), LOOKS):
            strengths = 2.0 ** -np.arange(len(e.fixed))
            left.loglog(strengths, e.floating, "--", color=colour, marker=marker, markersize=4, markerfacecolor="none",
                        base=2)
            left.loglog(strengths, e.fixed, "-", color=colour, marker=marker, markersize=4, label=name, base=2)
            right.semilogx(strengths, accuracies[name], "-", color=colour, marker=marker, markersize=4, base=2)
        left.axhline(clamped, color=PURPLE, linestyle=":", label="CHL, target clamped")
        left.set(xlabel="lambda", ylabel="error of an update, relative\n(dashed: float64)", ylim=(2.0**-16, 8))
        right.set(xlabel="lambda", ylabel="accuracy after training, %")
        left.legend(loc="lower right")
        return figure


def lessons(found: Sequence["Found"]) -> Figure:
    """Mean accuracies and standard errors part by part; every lesson beside the others, one figure a network."""
    pairs = [pair for pair in zip(found[::2], found[1::2]) if pair[0].curves.shape[1] > 1]
    with rc_context(STYLE):
        figure, axes = _panels(2.8, len(pairs), sharey=True)
        for a, pair in zip(axes, pairs):
            for f, (colour, marker) in zip(pair, LOOKS):
                curves = 100 * f.curves.mean(axis=2)
                parts, error = np.arange(1, curves.shape[1] + 1), curves.std(axis=0) / np.sqrt(len(curves))
                a.errorbar(parts, curves.mean(axis=0), error, color=colour, marker=marker, markersize=3.5, capsize=2,
                           label=f.case.rule)
            a.set(title=pair[0].case.lesson, xlabel="part of the lesson")
        axes[0].set_ylabel(f"accuracy on the test sets, %\n{pairs[0][0].case.network}")
        axes[0].legend(loc="lower right")
        return figure


def alignment(found: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Mean target alignment and standard error, whole and by layers."""
    with rc_context(STYLE):
        figure, (a,) = _panels(2.4, 1)
        for n, ((name, values), (colour, _)) in enumerate(zip(found.items(), LOOKS)):
            error = values.std(axis=0) / np.sqrt(len(values))
            a.bar(np.arange(3) + 0.36 * n, values.mean(axis=0), 0.34, yerr=error, color=colour, ecolor=INK, capsize=3,
                  hatch="//" * n, label=f"{name}, {len(values)} networks")
        a.set(xticks=np.arange(3) + 0.18, ylabel="target alignment, cosine",
              xticklabels=("all layers learn", "the last alone", "all but the last"))
        a.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure
