"""Pictures of a network: its populations and edges, its weights, and how its answers are confused."""

from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import NDArray

from hebbar.compiler.network import Edge, Network, Role

from .figures import BLUE, GREEN, ORANGE, PURPLE, WIDTH
from .svg import INK, STYLE

__all__ = ["network", "places", "confusion", "weights"]

Reals = NDArray[np.float64]

ROLES = {Role.INPUT: GREEN, Role.TARGET: ORANGE, Role.CONSTANT: PURPLE, Role.HIDDEN: BLUE}
BOX = 1.5, 0.62
"""Width and height of a population, in units of the drawing; a column is 2.2 wide, a row 1 high."""
SHOWN = 32
"""Neurons whose weights are drawn."""


def places(net: Network) -> dict[str, tuple[float, float]]:
    """Where each population is drawn: a column for the length of the longest way to it from one that nothing predicts,
    in a cyclic graph for how soon it is reached; a row for each in a column."""
    depth: dict[str, int] = {}
    if net.order is not None:
        for name in net.order:
            depth[name] = max((depth[e.source] + 1 for e in net.incoming(name)), default=0)
    else:
        front = [p.name for p in net.populations if p.role in (Role.INPUT, Role.CONSTANT)] or [net.populations[0].name]
        while front:
            depth |= {name: len(set(depth.values())) for name in front}
            front = list(dict.fromkeys(e.target for name in front for e in net.outgoing(name) if e.target not in depth))
        depth |= {p.name: max(depth.values()) + 1 for p in net.populations if p.name not in depth}
    columns: dict[int, list[str]] = {}
    for p in net.populations:
        columns.setdefault(depth[p.name], []).append(p.name)
    return {name: (2.2 * x, (len(names) - 1) / 2 - y) for x, names in columns.items() for y, name in enumerate(names)}


def network(net: Network) -> Figure:
    """A box for each population, an arrow for each edge: plain for weights, dashed where they are fixed or an identity,
    dotted where they are those of another edge."""
    at = places(net)
    high = max(y for _, y in at.values()) - min(y for _, y in at.values()) + 1
    wide = max(x for x, _ in at.values()) + BOX[0]
    with rc_context(STYLE):
        figure = Figure(figsize=(min(WIDTH, 0.35 + 1.05 * wide), 0.3 + 0.85 * high), layout="constrained")
        axes = figure.subplots()
        for p in net.populations:
            x, y = at[p.name]
            axes.add_patch(FancyBboxPatch((x - BOX[0] / 2, y - BOX[1] / 2), *BOX, gid=f"population:{p.name}",
                                          boxstyle="round,pad=0,rounding_size=0.1", facecolor=ROLES[p.role] + "38",
                                          edgecolor=ROLES[p.role], linewidth=1.2))
            axes.text(x, y + 0.1, f"{p.name}: {p.size}", ha="center", va="center", fontsize=8.5)
            axes.text(x, y - 0.15, f"{p.role.value}, {p.activation}", ha="center", va="center", fontsize=6.5)
        for i, e in enumerate(net.edges):
            beside = sum((d.source, d.target) == (e.source, e.target) for d in net.edges[:i])
            _edge(axes, e, at, 1 if i % 2 else -1, beside)
        axes.set(xlim=(-1, wide - BOX[0] / 2 + 0.4), ylim=(min(y for _, y in at.values()) - 0.75,
                                                           max(y for _, y in at.values()) + 0.75), aspect="equal")
        axes.axis("off")
        return figure


def _edge(axes: Axes, e: Edge, at: Mapping[str, tuple[float, float]], side: int, beside: int) -> None:
    """One arrow, bent to ``side`` where it passes a column and away from others ``beside`` it."""
    (x0, y0), (x1, y1) = at[e.source], at[e.target]
    look = ":" if e.shares else "--" if e.identity or not e.plastic else "-"
    if e.source == e.target:
        start, end, bend = (x0 + 0.4, y0 + BOX[1] / 2), (x0 - 0.4, y0 + BOX[1] / 2), 0.9
    elif x1 > x0:
        start, end, bend = (x0 + BOX[0] / 2, y0), (x1 - BOX[0] / 2, y1), 0.0 if x1 - x0 < 2.5 else 0.45 * side
    elif x1 < x0:
        start, end, bend = (x0, y0 - BOX[1] / 2), (x1, y1 - BOX[1] / 2), -0.3
    else:
        down = y1 < y0
        start, end, bend = (x0, y0 + (-1 if down else 1) * BOX[1] / 2), (x1, y1 + (1 if down else -1) * BOX[1] / 2), 0.0
    axes.annotate("", end, start, gid=f"edge:{e.source}:{e.target}", arrowprops={
        "arrowstyle": "-|>", "linestyle": look, "color": INK, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0,
        "connectionstyle": f"arc3,rad={bend + 0.25 * beside}", "gid": f"edge:{e.source}:{e.target}"})


def confusion(counts: Sequence[Sequence[int]]) -> Figure:
    """How often each class, by row, was answered by each, by column; the shade is the share of the row."""
    matrix = np.asarray(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with rc_context(STYLE):
        figure = Figure(figsize=(0.9 + 0.34 * len(matrix), 0.7 + 0.3 * len(matrix)), layout="constrained")
        axes = figure.subplots()
        edges = np.arange(len(matrix) + 1) - 0.5
        axes.pcolormesh(edges, edges, np.ma.masked_equal(shares, 0), cmap="Blues", vmin=0, vmax=1.6, edgecolor="none")
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color="#000000")
        ticks = range(len(matrix))
        axes.set(xlabel="answered", ylabel="right class", xticks=ticks, yticks=ticks, ylim=(len(matrix) - 0.5, -0.5))
        return figure


def weights(net: Network, by_edge: Mapping[tuple[str, str], Reals]) -> Figure:
    """The weights of every edge: of one from or to an image the field of each neuron as an image, else the matrix."""
    shown = [(key, matrix) for key, matrix in by_edge.items() if matrix.size > 1]
    with rc_context(STYLE):
        mosaics = [(f"{s} to {t}", *_mosaic(net, (s, t), matrix)) for (s, t), matrix in shown]
        figure = Figure(figsize=(WIDTH, sum(_inches(m) + 0.35 for _, m, _ in mosaics)), layout="constrained")
        grid = figure.subplots(len(mosaics), 1, squeeze=False,
                               gridspec_kw={"height_ratios": [_inches(m) for _, m, _ in mosaics]})
        for axes, (name, mosaic, what) in zip(grid[:, 0], mosaics):
            top = float(np.nanmax(np.abs(mosaic))) or 1.0
            axes.imshow(mosaic, cmap="RdBu", vmin=-top, vmax=top, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.set_title(f"{name}: {what}, ±{top:.3g}", loc="left")
        return figure


def _inches(mosaic: Reals) -> float:
    """Height of a mosaic at the width of the page, within what is worth drawing."""
    return float(np.clip(WIDTH * mosaic.shape[0] / mosaic.shape[1], 0.3, min(3.0, 0.3 + 0.1 * mosaic.shape[0])))


def _mosaic(net: Network, edge: tuple[str, str], matrix: Reals) -> tuple[Reals, str]:
    """One image of all fields, NaN between them, and what it shows."""
    roles = [net.by_name[name].role for name in edge]
    fields = matrix if roles[0] is Role.INPUT else matrix.T if roles[1] is Role.INPUT else None
    side = 0 if fields is None else isqrt(fields.shape[1])
    if fields is None or side < 3 or side * side != fields.shape[1]:
        return (matrix if matrix.shape[1] >= matrix.shape[0] else matrix.T), "the matrix"
    some = fields[:SHOWN].reshape(-1, side, side)
    columns = min(16, len(some))
    padded = np.pad(some, ((0, -len(some) % columns), (0, 1), (0, 1)), constant_values=np.nan)
    rows = padded.reshape(-1, columns, side + 1, side + 1).transpose(0, 2, 1, 3)
    return rows.reshape(-1, columns * (side + 1))[:-1, :-1], f"{len(some)} of {len(fields)} neurons"
