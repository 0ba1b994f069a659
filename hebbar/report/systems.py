"""The figures of the examples on rewards, spikes and the choice of gamma."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .figures import BLUE, GREEN, ORANGE, PURPLE, RED, WIDTH
from .svg import INK, STYLE

__all__ = ["value_maps", "window", "spikes", "convergence"]

Reals = NDArray[np.float64]
LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (RED, ":"), (PURPLE, "-"))


def _axes(height: float, count: int = 1) -> tuple[Figure, NDArray[Any]]:
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


def _map(axes: Axes, values: Reals, top: float, ends: Collection[int], walls: Collection[int]) -> None:
    side = int(len(values) ** 0.5)
    axes.pcolormesh(values.reshape(side, side), cmap="RdBu", vmin=-top, vmax=top)
    for place in walls:
        axes.fill_between([place % side, place % side + 1], place // side, place // side + 1, color="#888888",
                          linewidth=0)
    axes.plot([p % side + 0.5 for p in ends], [p // side + 0.5 for p in ends], "o", color=INK, markersize=4,
              markerfacecolor="none")
    axes.set(xticks=[], yticks=[], aspect="equal", xlim=(0, side), ylim=(side, 0))
    axes.spines[:].set(visible=True, color=INK, alpha=0.25)


def window(lags: Sequence[int] | NDArray[np.int64], measured: Reals, closed: Reals) -> Figure:
    """What one pair of spikes does to a weight, by the steps from the pre to the post spike, over its closed form."""
    with rc_context(STYLE):
        figure, (a,) = _axes(2.4)
        a.axhline(0, color=INK, linewidth=0.6)
        a.step(lags, closed, where="mid", color=ORANGE, linewidth=1.4, label="closed form, float64")
        a.plot(lags, measured, "s", color=BLUE, markersize=3.5, label="machine, fixed point")
        a.set(xlabel="steps from the pre to the post spike", ylabel="weight change")
        a.legend(loc="upper left")
        return figure


def spikes(rows: Mapping[str, NDArray[np.bool_]], bounds: Sequence[int], names: Sequence[str]) -> Figure:
    """A raster for each of ``rows`` (steps, neurons); grey lines at ``bounds``, where the stretches ``names`` begin."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.5 + 1.1 * len(rows)), layout="constrained")
        axes = np.atleast_1d(figure.subplots(len(rows), 1, sharex=True))
        for a, (label, fired), (colour, _) in zip(axes, rows.items(), LOOKS):
            at, neuron = np.nonzero(fired)
            a.vlines(at, neuron + 0.5, neuron + 1.5, color=colour, linewidth=1.2)
            a.set(ylabel=label, yticks=[], xlim=(0, len(fired)), ylim=(0.3, fired.shape[1] + 0.7))
            for b in bounds:
                a.axvline(b, color=INK, alpha=0.25, linewidth=0.6)
        ends = np.array([*bounds, len(fired)])
        axes[-1].set_xticks((ends[:-1] + ends[1:]) / 2, names)
        axes[-1].tick_params(axis="x", length=0)
        return figure


def convergence(panels: Mapping[str, Mapping[str, Reals]]) -> Figure:
    """The energy above its minimum as a share of the start's, (steps + 1, samples): the median of all samples, in a
    band from the least to the most; one panel for each network, one labelled line for each run."""
    low, high = 1e-9, 1e9
    with rc_context(STYLE):
        figure, axes = _axes(2.9, len(panels))
        for a, (title, runs) in zip(axes, panels.items()):
            for (name, shares), (colour, line) in zip(runs.items(), LOOKS):
                steps, shown = np.arange(1, len(shares)), np.clip(shares[1:], low, high)
                a.loglog(steps, np.median(shown, axis=1), line, color=colour, linewidth=1.3, label=name)
                a.fill_between(steps, shown.min(axis=1), shown.max(axis=1), color=colour, alpha=0.2, linewidth=0)
            a.axhline(1, color=INK, linewidth=0.6)
            a.set(title=title, xlabel="state step", ylim=(low, high))
            a.legend(loc="lower left" if len(runs) > 1 else "best")
        axes[0].set_ylabel("E - E*, share of its start")
        return figure
