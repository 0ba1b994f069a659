"""The figures of studies of the analog macro."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from .figures import BLUE, GREEN, ORANGE, WIDTH
from .svg import INK, STYLE

__all__ = ["severity"]

LOOKS = ((BLUE, "s"), (GREEN, "D"), (ORANGE, "o"))
COLUMNS = 4


def severity(studies: Mapping[str, Sequence[dict[str, Any]]]) -> Figure:
    """Mean accuracy and its range over seeds against the value, a panel a switch, a line a rule; ``studies`` as from
    ``hebbar.studies.study.means``."""
    columns = min(COLUMNS, len(studies))
    rows = -(-len(studies) // columns)
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.4 * rows + 0.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for a, (switch, points) in zip(axes, studies.items()):
            for rule, (colour, marker) in zip(dict.fromkeys(p["rule"] for p in points), LOOKS):
                mine = [p for p in points if p["rule"] == rule]
                at = np.arange(len(mine))
                a.plot(at, [p["mean"] for p in mine], "-", color=colour, marker=marker, markersize=4, label=rule)
                a.fill_between(at, [p["least"] for p in mine], [p["most"] for p in mine], color=colour, alpha=0.15)
                a.set_xticks(at, [f"{p['value']:g}" for p in mine])
            a.set(title=switch, ylim=(0, 100))
            a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        for a in axes[len(studies):]:
            a.axis("off")
        axes[0].set_ylabel("accuracy, %")
        axes[0].legend(loc="lower left")
        return figure
