"""The figures: accuracies lesson by lesson, and target alignment."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbar.report.figures import BLUE, ORANGE, panels
from hebbar.report.svg import INK, STYLE

from .rules import Found

__all__ = ["alignment", "lessons"]

LOOKS = ((BLUE, "s"), (ORANGE, "o"))


def lessons(found: Sequence[Found]) -> Figure:
    """Mean accuracies and standard errors part by part; every lesson beside the others, one figure a network."""
    pairs = [pair for pair in zip(found[::2], found[1::2]) if pair[0].curves.shape[1] > 1]
    with rc_context(STYLE):
        figure, axes = panels(2.8, len(pairs), sharey=True)
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
        figure, (a,) = panels(2.4, 1)
        for n, ((name, values), (colour, _)) in enumerate(zip(found.items(), LOOKS)):
            error = values.std(axis=0) / np.sqrt(len(values))
            a.bar(np.arange(3) + 0.36 * n, values.mean(axis=0), 0.34, yerr=error, color=colour, ecolor=INK, capsize=3,
                  hatch="//" * n, label=f"{name}, {len(values)} networks")
        a.set(xticks=np.arange(3) + 0.18, ylabel="target alignment, cosine",
              xticklabels=("all layers learn", "the last alone", "all but the last"))
        a.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure
