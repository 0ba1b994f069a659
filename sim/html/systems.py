"""The figures of the examples on rewards, spikes and the choice of gamma."""

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .figures import BLUE, GREEN, ORANGE, PURPLE, RED, WIDTH
from .svg import INK, STYLE

__all__ = ["value_maps", "window", "potentials", "convergence"]

Reals = NDArray[np.float64]
LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (RED, ":"), (PURPLE, "-"))


def _axes(height: float, count: int = 1):
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, count))
    for a in axes:
        a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        a.set_axisbelow(True)
    return figure, axes


def value_maps(rows: Mapping[str, Mapping[str, Reals]], ends: Collection[int], walls: Collection[int]) -> Figure:
    """A labelled row of maps (places,) for each entry, each on the scale of its row; ``ends`` have no value and are
    circles, ``walls`` are grey."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.75 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), max(map(len, rows.values())), squeeze=False)
        for axes, (name, maps) in zip(grid, rows.items()):
            top = max(np.abs(values).max() for values in maps.values())
            for a in axes[len(maps):]:
                a.set_visible(False)
            for a, (title, values) in zip(axes, maps.items()):
                _map(a, values, top, ends, walls)
                a.set_title(title)
            axes[0].set_ylabel(f"{name}\n±{top:.2f}")
        return figure


def _map(axes, values: Reals, top: float, ends: Collection[int], walls: Collection[int]) -> None:
    side = int(len(values) ** 0.5)
    axes.pcolormesh(values.reshape(side, side), cmap="RdBu", vmin=-top, vmax=top)
    for place in walls:
        axes.fill_between([place % side, place % side + 1], place // side, place // side + 1, color="#888888", linewidth=0)
    axes.plot([p % side + 0.5 for p in ends], [p // side + 0.5 for p in ends], "o", color=INK, markersize=4,
              markerfacecolor="none")
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(0, side), ylim=(side, 0))
    axes.spines[:].set(visible=True, color=INK, alpha=0.25)
