"""Weights that another program trained: layers of its multi-layer perceptron as edges of a chain of populations.

A matrix ``0.weight`` with its bias ``0.bias`` is a layer. Layers follow each other in the order of the numbers in their
names, or as their shapes alone allow it. PyTorch and pcx hold (outputs, inputs); ``kernel`` of Flax and ``weights[..]``
of FabricPC are (inputs, outputs). A bias becomes the weights from the network's constant population.
"""

import re
from collections.abc import Mapping
from itertools import pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.layout import Layout
from hebbar.compiler.network import Network, Role
from hebbar.contract.errors import BadInput

from ..given import numbers

__all__ = ["by_edge", "is_foreign"]

Arrays = Mapping[str, NDArray[Any]]
Layer = tuple[str, NDArray[np.float64], NDArray[np.float64] | None]
"""A layer's name, its matrix (outputs, inputs) and its bias (outputs,)."""

KEY = re.compile(r"(?P<layer>.*?)[./_]?(?P<kind>weights|weight|kernel|W|biases|bias|b)(?P<inner>\[.*\])?(\.value)?")
TURNED = ("kernel", "weights")
"""Kinds that hold (inputs, outputs)."""
MOST_TRIED = 7
"""Layers that are tried in every order; more have to be named in theirs."""


def is_foreign(keys: Mapping[str, object]) -> bool:
    """Whether the arrays of a file are named as layers of another program, not by 'source:target'."""
    return bool(keys) and all(":" not in key or "[" in key for key in keys) and all(map(KEY.fullmatch, keys))


def by_edge(where: str, layout: Layout, arrays: Arrays) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Weights by (source, target), shape (target size, source size), from the ``arrays`` of layers.

    Raises BadInput, with the layer's name, for one that is no matrix, has another shape than the network, or a bias
    where the network has none; and for a network that is no chain.
    """
    network = layout.network
    chain = _chain(where, network)
    layers = _ordered(where, _layers(where, arrays), [network.by_name[name].size for name in chain])
    constant = next((p for p in network.with_role(Role.CONSTANT)), None)
    found = {}
    for (name, matrix, bias), source, target in zip(layers, chain, chain[1:]):
        found[source, target] = matrix
        fed = constant is not None and any(e.source == constant.name for e in network.incoming(target))
        if bias is not None and not fed and bias.any():
            raise BadInput(f"{where}: layer {name!r} has a bias, and nothing feeds one to population {target!r}; set "
                           "network.bias to true.")
        if constant is not None and fed:
            one = min(1.0, (2 ** (layout.machine.activity_bits - 1) - 1) / 2.0**constant.activity_frac)
            column = np.zeros(len(matrix)) if bias is None else bias / one
            found[constant.name, target] = np.pad(column[:, None], ((0, 0), (0, constant.size - 1)))
    return found


def _chain(where: str, network: Network) -> list[str]:
    """Populations from the input to the target, each of which feeds the next alone."""
    names = [p.name for p in network.with_role(Role.INPUT)]
    constants = {p.name for p in network.with_role(Role.CONSTANT)}
    edges = [e for e in network.edges if e.source not in constants]
    while len(names) == 1 or (names and len(names) <= len(edges)):
        following = [e for e in edges if e.source == names[-1]]
        if len(following) != 1 or following[0].identity or following[0].mask or following[0].shares:
            break
        names.append(following[0].target)
    if len(names) != len(edges) + 1 or len(set(names)) != len(names):
        raise BadInput(f"{where} names layers, and the network is no chain of them; name each matrix 'source:target', "
                       "the names of two populations.")
    return names


def _layers(where: str, arrays: Arrays) -> list[Layer]:
    """Every layer of the file in the natural order of the names."""
    parts: dict[str, dict[str, tuple[str, NDArray[np.float64]]]] = {}
    for key, array in arrays.items():
        match = KEY.fullmatch(key)
        assert match, "is_foreign has seen every key"
        what = "bias" if match["kind"].startswith("b") else "weight"
        mine = parts.setdefault(match["layer"], {})
        if what in mine:
            raise BadInput(f"{where}: layer {match['layer']!r} has several arrays of its {what}, {key!r} among them; a "
                           "layer of one matrix and one bias is what can be taken over.")
        given = numbers(f"{where}: {key!r}", array).astype(np.float64)
        mine[what] = key, given.T if what == "weight" and match["kind"] in TURNED else given
    layers = []
    for name in sorted(parts, key=_natural):
        shown, mine = name or "the only one", parts[name]
        if "weight" not in mine:
            raise BadInput(f"{where}: layer {shown!r} has a bias and no weights; a norm cannot be "
                           "taken over.")
        key, matrix = mine["weight"]
        if matrix.ndim != 2:
            raise BadInput(f"{where}: layer {shown!r} has weights of shape {matrix.shape}; only fully connected "
                           "layers, (outputs, inputs), can be taken over.")
        bias = mine["bias"][1] if "bias" in mine else None
        if bias is not None and bias.size != len(matrix):
            raise BadInput(f"{where}: layer {shown!r} has a bias of shape {bias.shape} for {len(matrix)} outputs; give "
                           f"({len(matrix)},).")
        layers.append((shown, matrix, None if bias is None else bias.ravel()))
    return layers


def _ordered(where: str, layers: list[Layer], sizes: list[int]) -> list[Layer]:
    """The layers so that their shapes are those of the network: as they are named, else in the only order that fits."""
    if len(layers) != len(sizes) - 1:
        raise BadInput(f"{where} holds {len(layers)} layers ({', '.join(repr(name) for name, *_ in layers[:8])}), and "
                       f"the network has {len(sizes) - 1}; give it as many.")
    shapes = [(target, source) for source, target in pairwise(sizes)]
    wrong = [i for i, (_, matrix, _) in enumerate(layers) if matrix.shape != shapes[i]]
    if not wrong:
        return layers
    fits = [order for order in permutations(layers if len(layers) <= MOST_TRIED else [])
            if [matrix.shape for _, matrix, _ in order] == shapes]
    if len(fits) == 1:
        return list(fits[0])
    name, matrix, _ = layers[wrong[0]]
    raise BadInput(f"{where}: layer {name!r} has weights of shape {matrix.shape}, and layer {wrong[0]} of the network "
                   f"{shapes[wrong[0]]}, (outputs, inputs); number the layers in their order, or change "
                   "network.layers.")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Text with its numbers as numbers: layer 10 follows layer 9."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if i % 2 else (1, 0, part) for i, part in enumerate(parts)]
