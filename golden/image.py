"""Weights by edge <-> the weight image of a machine."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hebbar.errors import BadInput
from hebbar.layout import Layout

from .fixed import Ints, quantise, to_float

__all__ = ["to_image", "from_image", "EdgeWeights"]

EdgeWeights = Mapping[tuple[str, str], NDArray[np.float64]]
"""Real weights by (source, target), shape (target size, source size)."""


def to_image(layout: Layout, weights: EdgeWeights) -> Ints:
    """Quantise weights into an image of shape (weight words, P, C).

    Raises BadInput when an edge is missing, has another shape or holds NaN: weights of another
    configuration are refused, not reshaped.
    """
    m = layout.machine
    image = np.zeros((m.weight_words, m.row_tiles, m.lanes), np.int64)
    for name, block in layout.blocks.items():
        for k, column in enumerate(block.columns):
            key = (column.edge.source, name)
            matrix = _matrix(layout, weights, key)
            codes = quantise(matrix[:, column.offset:column.offset + column.lanes],
                             m.formats.weight, f"weights {key[0]} to {key[1]}")
            for row, values in enumerate(codes):
                word = block.base + row // m.row_tiles * block.stride + k
                image[word, row % m.row_tiles, :column.lanes] = values
    return image


def from_image(layout: Layout, image: Ints) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Real weights by edge from an image."""
    m, out = layout.machine, {}
    for name, block in layout.blocks.items():
        rows = np.arange(block.place.population.size)
        words = block.base + rows // m.row_tiles * block.stride
        for k, column in enumerate(block.columns):
            key = (column.edge.source, name)
            size = layout.network.by_name[key[0]].size
            matrix = out.setdefault(key, np.zeros((rows.size, size)))
            codes = image[words + k, rows % m.row_tiles, :column.lanes]
            matrix[:, column.offset:column.offset + column.lanes] = to_float(codes,
                                                                              m.formats.weight)
    return out


def _matrix(layout: Layout, weights: EdgeWeights, key: tuple[str, str]) -> NDArray[np.float64]:
    shape = (layout.network.by_name[key[1]].size, layout.network.by_name[key[0]].size)
    if key not in weights:
        raise BadInput(f"no weights for edge {key[0]!r} to {key[1]!r}; they belong to another "
                       "configuration.")
    matrix = np.asarray(weights[key])
    if matrix.shape != shape:
        raise BadInput(f"weights {key[0]!r} to {key[1]!r} have shape {matrix.shape}; this "
                       f"configuration needs {shape}.")
    return matrix

