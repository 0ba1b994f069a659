"""Small images in rows, as a figure."""

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .figures import WIDTH
from .svg import STYLE

__all__ = ["gallery"]

SHOWN = 10
ENLARGED = 6
"""Dots of the picture along a pixel; whoever shows the SVG would smooth single ones."""


def gallery(rows: Mapping[str, NDArray[np.float64]]) -> Figure:
    """A labelled row for each array (images, pixels) of square images, from white at 0 to black at 1; the first
    SHOWN images of each."""
    count = min(SHOWN, max(len(row) for row in rows.values()))
    side = max(int(row.shape[1] ** 0.5) for row in rows.values())
    canvas = np.full((len(rows) * (side + 1), count * (side + 1)), np.nan)
    for i, row in enumerate(rows.values()):
        for j, image in enumerate(row[:count]):
            top, left = i * (side + 1), j * (side + 1)
            canvas[top:top + side, left:left + side] = image.reshape(side, side)
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.2 + 0.85 * (WIDTH - 1) / count * len(rows)), layout="constrained")
        axes = figure.subplots()
        enlarged = np.kron(canvas, np.ones((ENLARGED, ENLARGED)))
        axes.imshow(enlarged, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        centres = [ENLARGED * (i * (side + 1) + side / 2) for i in range(len(rows))]
        axes.set(xticks=[], yticks=centres, yticklabels=list(rows))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure
