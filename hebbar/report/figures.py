"""The figures of the report. Colours: Okabe and Ito, told apart by the colour-blind, on light and
dark pages; no figure says by colour alone what its labels or markers do not say too."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hebbar.energy import Estimate
from hebbar.energy.technology import Range

from .svg import INK, STYLE

__all__ = ["by_rows", "component_energy", "cycle_causes", "learning_curves", "network_energy", "panels", "whole_ticks"]

BLUE, SKY, ORANGE, GREEN, RED, PURPLE, YELLOW = ("#3b8fd0", "#8cc8ee", "#E69F00", "#009E73", "#D55E00",
                                                 "#CC79A7", "#F0E442")
CAUSES = {"issue": BLUE, "bubbles": SKY, "drain": ORANGE, "stream": GREEN, "separate": YELLOW, "control": PURPLE}
GROUPS = {"arithmetic": BLUE, "memory": ORANGE, "control": GREEN}
WIDTH = 7.2
"""Inches of every figure."""


def panels(height: float, count: int = 1, sharey: bool = False) -> tuple[Figure, NDArray[Any]]:
    """A figure of ``height`` inches and its axes (count,), beside each other, with a grid."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, count, sharey=sharey))
    for a in axes:
        a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        a.set_axisbelow(True)
    return figure, axes


def _axes(height: float) -> tuple[Figure, Axes]:
    figure, (axes,) = panels(height)
    return figure, axes


def whole_ticks(axes: Axes, first: float, last: float) -> None:
    """Whole numbers along the x axis, with room on both sides where there is but one."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    if first == last:
        axes.set(xlim=(first - 0.6, last + 0.6), xticks=[first])


def learning_curves(curves: Mapping[str, Sequence[float]], epochs: Sequence[int], rtl: float | None,
                    measure: str = "accuracy") -> Figure:
    """Percent after ``epochs``: of ``curves`` "float64" and "fixed point", whichever there are, and of the RTL."""
    looks = {"float64": (ORANGE, "o", "--"), "fixed point": (BLUE, "s", "-")}
    with rc_context(STYLE):
        figure, axes = _axes(2.7)
        for name, curve in curves.items():
            colour, marker, line = looks[name]
            axes.plot(epochs[:len(curve)], 100 * np.asarray(curve), line, color=colour, marker=marker,
                      markersize=3.5, linewidth=1.4, label=name)
        if rtl is not None and len(epochs):
            axes.plot([epochs[-1]], [100 * rtl], "D", color=GREEN, markersize=7,
                      markerfacecolor="none", markeredgewidth=1.6, label="RTL, final weights")
        axes.set(xlabel="epoch", ylabel=f"{measure}, %")
        whole_ticks(axes, epochs[0], epochs[-1])
        axes.legend(loc="lower right")
        return figure


def network_energy(energies: NDArray[np.float64], reference: NDArray[np.float64] | None,
                   populations: Sequence[str], chosen: int, number: int) -> Figure:
    """``energies`` and ``reference`` (samples, steps, populations): mean, spread, and row ``chosen``
    alone, which is sample ``number``."""
    with rc_context(STYLE):
        figure, axes = _axes(2.9)
        total, steps = energies.sum(2), np.arange(energies.shape[1])
        axes.fill_between(steps, total.min(0), total.max(0), color=BLUE, alpha=0.2, linewidth=0,
                          label=f"lowest to highest of {len(total)} samples")
        axes.plot(steps, total.mean(0), "-s", color=BLUE, markersize=3.5, label="mean, fixed point")
        if reference is not None and reference.size:
            mean = reference.sum(2).mean(0)
            axes.plot(steps[:len(mean)], mean, "--o", color=ORANGE, markersize=3.5, markerfacecolor="none",
                      label="mean, float64")
        axes.plot(steps, total[chosen], ":", color=GREEN, linewidth=1.8, label=f"sample {number}")
        if len(populations) > 1:
            for i, name in enumerate(populations):
                axes.plot(steps, energies[:, :, i].mean(0), "-.", color=INK, linewidth=0.9,
                          marker="v^<>xd+*"[i % 8], markersize=3.5, alpha=0.75, label=f"mean of {name}")
        axes.set(xlabel="inference step t", ylabel="F = ½ Σ e², squared state units", ylim=(0, None))
        whole_ticks(axes, steps[0], steps[-1])
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure


def cycle_causes(cycles: dict[str, float], minimum: float | None) -> Figure:
    """Cycles a training sample by cause as one stacked bar, the minimum as a line."""
    with rc_context(STYLE):
        figure, axes = _axes(1.7)
        left, total = 0.0, sum(cycles.values())
        for name, value in cycles.items():
            axes.barh([0], [value], left=left, color=CAUSES[name], height=0.62, edgecolor="none",
                      label=f"{name} {value:,.1f}")
            if value > 0.05 * total:
                axes.text(left + value / 2, 0, f"{100 * value / total:.0f} %", ha="center",
                          va="center", color="#000000", fontsize=8.5)
            left += value
        if minimum is not None:
            axes.plot([minimum, minimum], [-0.42, 0.42], color=INK, linewidth=1.6, linestyle=(0, (4, 2)))
            share = minimum / max(minimum, left)
            axes.text(minimum, 0.47, f"minimum {minimum:,.1f}", va="bottom",
                      ha="left" if share < 0.2 else "right" if share > 0.8 else "center")
        axes.set(xlabel="cycles a training sample", yticks=[], ylim=(-0.42, 0.85))
        axes.spines["left"].set_visible(False)
        axes.grid(False, axis="y")
        handles, labels = axes.get_legend_handles_labels()
        handles, labels = by_rows(handles, labels, columns=3)
        axes.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.0,
                    columnspacing=1.2)
        return figure


def by_rows(handles: Sequence[Any], labels: Sequence[str], columns: int) -> tuple[list[Any], list[str]]:
    """Entries of a legend in an order that reads row by row where Matplotlib fills column by column."""
    order = [i for column in range(columns) for i in range(column, len(labels), columns)]
    return [handles[i] for i in order], [labels[i] for i in order]


def component_energy(estimate: Estimate, shown: int = 14) -> Figure:
    """pJ a sample by component, typical with low to high as a line, largest first."""
    ranked = sorted(estimate.rows, key=lambda r: -r.sample.typical)
    bars = [(r.component, r.group, r.sample) for r in ranked[:shown]]
    rest = ranked[shown:]
    with rc_context(STYLE):
        figure, axes = _axes(0.75 + 0.21 * (len(bars) + bool(rest)))
        for i, (_, group, energy) in enumerate(bars):
            _bar(axes, i, energy, GROUPS[group])
        if rest:
            energy = rest[0].sample * 0.0
            for r in rest:
                energy = energy + r.sample
            _bar(axes, len(bars), energy, "#999999")
        names = [name for name, _, _ in bars] + [f"{len(rest)} others"] * bool(rest)
        axes.set(yticks=range(len(names)), yticklabels=names, xlabel="pJ a sample" + estimate.scope)
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        groups = dict.fromkeys(group for _, group, _ in bars)
        handles: list[Artist | BarContainer] = [axes.barh([0], [0], color=GROUPS[g], label=g) for g in groups]
        handles.append(axes.plot([], [], color=INK, linewidth=1.2, label="low to high")[0])
        axes.legend(handles=handles, loc="lower right")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x >= 10 or x == 0 else f"{x:g}")
        return figure


def _bar(axes: Axes, at: int, energy: Range, colour: str) -> None:
    """A typical value as a bar, its range as a line with ends."""
    axes.barh([at], [energy.typical], color=colour, height=0.62)
    axes.plot([energy.low, energy.high], [at, at], color=INK, linewidth=1.2, marker="|", markersize=6)
