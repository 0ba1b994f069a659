"""Weights, clamps and their checks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hebbar.compiler.network import Edge, Network, Role
from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

__all__ = ["Array", "Key", "Weights", "States", "Held", "absent", "initial_weights", "check_weights",
           "must_be_clamped", "hold"]

Array = NDArray[np.float64]
Key = tuple[str, str]
Weights = dict[Key, Array]
"""Arrays (target size, source size) by (source, target)."""
States = dict[str, Array]
"""Arrays (batch, size) by population."""


@dataclass(frozen=True)
class Held:
    """What is clamped. ``values[g]`` (batch, size), float64 unless asked for otherwise; ``masks[g]`` (batch, size)
    bool, True where ``values`` holds. Populations in neither are free. Constant populations are always held
    at 1; ``batch`` is the number of samples.
    """

    values: States
    masks: dict[str, NDArray[np.bool_]]
    batch: int

    def apply(self, name: str, free: Array) -> Array:
        """``free`` with the clamped neurons of a population put in."""
        if name not in self.values:
            return free
        return np.where(self.masks[name], self.values[name], free)

    def whole(self, name: str) -> bool:
        """True when every neuron of a population is clamped in every sample."""
        return name in self.masks and bool(self.masks[name].all())


def absent(network: Network, edge: Edge) -> NDArray[np.bool_] | None:
    """True where a block has no weight, (target size, source size): outside its mask and on a zero
    diagonal. None where all of it exists."""
    if not edge.mask and not edge.zero_diagonal:
        return None
    rows, columns = network.by_name[edge.target].size, network.by_name[edge.source].size
    if not edge.mask:
        return np.eye(rows, dtype=bool)
    (high, wide), parts = network.part_size(edge), np.array([[part == "0" for part in row] for row in edge.mask])
    gone = parts[np.ix_(np.arange(rows) // high, np.arange(columns) // wide)]
    return gone | np.eye(rows, dtype=bool) if edge.zero_diagonal else gone


def initial_weights(network: Network, seed: int) -> Weights:
    """Uniform weights of standard deviation ``edge.scale / sqrt(columns)``, of each edge with weights of its own.

    One ``numpy.random.default_rng(seed)`` draws each edge in the order of ``network.edges``, row by
    row. An edge of scale 0 is ``edge.value`` throughout and draws nothing, so adding biases changes no other weight.
    Weights outside a mask and on a zero diagonal are cleared after the draw; in a masked row only the
    columns that its mask leaves count. Where learning keeps weights ``positive`` they start as the
    absolute values of the draw.
    """
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for edge in network.stored:
        shape = network.by_name[edge.target].size, network.by_name[edge.source].size
        gone, columns = absent(network, edge), np.full((shape[0], 1), shape[1])
        if edge.scale == 0:
            weights[edge.source, edge.target] = np.full(shape, edge.value)
            if gone is not None:
                weights[edge.source, edge.target][gone] = 0.0
            continue
        if gone is not None and edge.mask:
            columns = np.maximum((~gone).sum(axis=1, keepdims=True), 1)
        bound = edge.scale * np.sqrt(3.0 / columns)
        block = rng.uniform(-bound, bound, shape)
        if edge.positive:
            block = np.abs(block)
        if gone is not None:
            block[gone] = 0.0
        weights[edge.source, edge.target] = block
    return weights


def check_weights(network: Network, weights: Mapping[Key, Array]) -> None:
    """Raise BadInput unless there is one finite block of the right shape for every edge with weights of its
    own, zero where the edge has none."""
    wanted = {(e.source, e.target): e for e in network.stored}
    for key in sorted(set(weights) ^ set(wanted)):
        what = "is missing" if key in wanted else "belongs to no edge with weights of its own"
        raise BadInput(f"weights[{key}] {what}; give one block for every such edge of the network.")
    for key, edge in wanted.items():
        shape = network.by_name[edge.target].size, network.by_name[edge.source].size
        block = np.asarray(weights[key])
        if block.shape != shape:
            raise BadInput(f"weights[{key}] has shape {block.shape}; the edge needs {shape}, "
                           "rows for the target and columns for the source.")
        if not np.isfinite(block).all():
            raise BadInput(f"weights[{key}] holds a value that is not finite; "
                           "a learning rate or gamma may be too large.")
        _check_absent(network, edge, block)


def _check_absent(network: Network, edge: Edge, block: Array) -> None:
    gone = absent(network, edge)
    if gone is None or not block[gone].any():
        return
    where = f"weights[{(edge.source, edge.target)}]"
    if edge.zero_diagonal and np.diagonal(block).any():
        raise BadInput(f"{where} has a diagonal entry that is not zero, but the edge has zero_diagonal; clear the "
                       "diagonal.")
    row, column = np.argwhere(gone & (block != 0))[0]
    raise BadInput(f"{where} is {block[row, column]:g} at row {row}, column {column}, outside the mask of the edge; "
                   "clear it.")


def must_be_clamped(network: Network) -> list[str]:
    """Inputs that nothing predicts: without data they have no value."""
    return [p.name for p in network.with_role(Role.INPUT) if not network.incoming(p.name)]


def hold(network: Network, clamps: Mapping[str, Array], masks: Mapping[str, NDArray[np.bool_]] | None = None,
         dtype: DTypeLike = np.float64) -> Held:
    """Check ``clamps`` (name -> (batch, size)) and ``masks`` (name -> (size,) or (batch, size)).

    Without a mask the whole population is clamped. Values outside a mask are ignored and may be
    NaN. Values are kept in ``dtype``. Raises BadInput with the place and the fix.
    """
    masks = masks or {}
    for name in masks:
        if name not in clamps:
            raise BadInput(f"masks[{name!r}] has no values; give clamps[{name!r}] too.")
    values: States = {}
    held: dict[str, NDArray[np.bool_]] = {}
    for name, given in clamps.items():
        values[name] = _checked(network, name, given, values, dtype)
        held[name] = _mask(name, masks.get(name, True), values[name])
    if not values:
        raise BadInput("clamps is empty; clamp at least one population to data.")
    for name in must_be_clamped(network):
        if name not in held or not held[name].all():
            raise BadInput(f"clamps leaves {name!r} free, at least in part, but no edge predicts "
                           "this input; clamp all of it or add an edge into it.")
    batch = len(next(iter(values.values())))
    for p in network.with_role(Role.CONSTANT):
        values[p.name] = np.ones((batch, 1), dtype)
        held[p.name] = np.ones((batch, 1), dtype=bool)
    return Held(values, held, batch)


def _checked(network: Network, name: str, given: Array, others: States, dtype: DTypeLike) -> Array:
    if name not in network.by_name:
        raise BadInput(f"clamps[{name!r}] is no population{suggest(name, network.by_name)}.")
    population = network.by_name[name]
    if population.role is Role.CONSTANT:
        raise BadInput(f"clamps[{name!r}] is a constant population, always 1; remove the clamp.")
    with np.errstate(over="ignore"):  # what single precision does not hold is told as not finite
        array = np.asarray(given, dtype)
    if array.ndim != 2 or array.shape[1] != population.size:
        raise BadInput(f"clamps[{name!r}] has shape {array.shape}; give one row per sample and "
                       f"{population.size} columns.")
    for other, before in others.items():
        if len(before) != len(array):
            raise BadInput(f"clamps[{name!r}] has {len(array)} samples and clamps[{other!r}] has "
                           f"{len(before)}; give the same number.")
    return array


def _mask(name: str, given: NDArray[np.bool_] | bool, values: Array) -> NDArray[np.bool_]:
    mask = np.asarray(given)
    if mask.dtype != np.bool_:
        raise BadInput(f"masks[{name!r}] holds {mask.dtype}; give True where a neuron is clamped.")
    if mask.shape not in ((), values.shape[1:], values.shape):
        raise BadInput(f"masks[{name!r}] has shape {mask.shape}; give {values.shape[1:]} or "
                       f"{values.shape}.")
    mask = np.broadcast_to(mask, values.shape)
    wrong = ~np.isfinite(values)
    if wrong.any() and (wrong & mask).any():
        sample, neuron = np.argwhere(wrong & mask)[0]
        raise BadInput(f"clamps[{name!r}] sample {sample}, neuron {neuron} is "
                       f"{values[sample, neuron]}; replace it or mask this neuron out.")
    return mask
