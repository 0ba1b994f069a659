"""Weights by edge <-> the weight image of a machine."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.layout import Block, Layout
from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig

from .fixed import Ints, quantise, to_float

__all__ = ["to_image", "from_image", "checked_codes", "EdgeWeights"]

EdgeWeights = Mapping[tuple[str, str], NDArray[np.float64]]
"""Real weights by (source, target), shape (target size, source size)."""


def to_image(layout: Layout, weights: EdgeWeights) -> Ints:
    """Quantise weights into an image of shape (weight words, P, C).

    Raises BadInput when an edge is missing, has another shape or holds NaN: weights of another
    configuration are refused, not reshaped.
    """
    m = layout.machine
    image = np.zeros((m.weight_words, m.row_tiles, m.lanes), np.int64)
    matrices = {(e.source, e.target): _matrix(layout, weights, (e.source, e.target)) for e in layout.network.stored}
    for block, k, key, where in _parts(layout):
        codes = quantise(matrices[key][where], m.formats.weight, f"weights {key[0]} to {key[1]}")
        rows = np.arange(block.rows)
        image[block.base + rows // m.row_tiles * block.stride + k, rows % m.row_tiles, :codes.shape[1]] = codes
    return image


def from_image(layout: Layout, image: Ints) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Real weights by edge from an image; zero where a mask leaves none."""
    m, size = layout.machine, {p.name: p.size for p in layout.network.populations}
    out = {(e.source, e.target): np.zeros((size[e.target], size[e.source])) for e in layout.network.stored}
    for block, k, key, where in _parts(layout):
        rows = np.arange(block.rows)
        codes = image[block.base + rows // m.row_tiles * block.stride + k, rows % m.row_tiles]
        part = out[key][where]
        part[...] = to_float(codes[:, :part.shape[1]], m.formats.weight)
    return out


def checked_codes(machine: MachineConfig, image: Ints) -> Ints:
    """``image`` as a weight image of a machine. Raises BadInput unless it is whole codes of the weight format, shape
    (weight words, P, C): a memory would keep the low bits of others, and no two machines the same."""
    found, format = np.asarray(image), machine.formats.weight
    shape = (machine.weight_words, machine.row_tiles, machine.lanes)
    if found.shape != shape or found.dtype.kind not in "iu":
        raise BadInput(f"a weight image holds {found.dtype} of shape {found.shape}; give whole codes of shape {shape}.")
    if found.size and not format.lo <= found.min() <= found.max() <= format.hi:
        raise BadInput(f"a weight image holds codes from {found.min()} to {found.max()}; those of {format} go from "
                       f"{format.lo} to {format.hi}.")
    return found


def _parts(layout: Layout) -> Iterator[tuple[Block, int, tuple[str, str], tuple[slice, slice]]]:
    """Every stored column: its block, its word within a row, the edge and the part of the edge's matrix."""
    for block in layout.blocks.values():
        for k, column in enumerate(block.columns):
            if column.lanes:
                yield block, k - block.lead, (column.edge.source, block.name), (
                    slice(block.first, block.first + block.rows), slice(column.offset, column.offset + column.lanes))


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
