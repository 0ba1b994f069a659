"""Does a network fit a machine: the words it takes, and a proof that no accumulator can overflow."""

from typing import TYPE_CHECKING

from .errors import BadInput
from .blocks import Block

if TYPE_CHECKING:
    from .layout import Layout

__all__ = ["check_capacity", "check_sums", "check_tile"]


def check_capacity(layout: "Layout") -> None:
    """Raise BadInput when a memory of the machine is too small."""
    m, last = layout.machine, list(layout.places.values())[-1]
    _fits("neurons", last.word + last.words, m.neuron_words, "neuron_words")
    for name, block in layout.blocks.items():
        _fits(f"a row of population {name!r}", len(block.columns), m.max_columns, "max_columns")
    _fits("weights", layout.weight_words, m.weight_words, "weight_words")


def check_tile(layout: "Layout") -> None:
    """Raise BadInput for identity edges on a tile without them, or without a weight that is 1."""
    m = layout.machine
    edge = next((e for e in layout.network.edges if e.identity), None)
    if edge is None:
        return
    where = f"network.edges: {edge.source!r} to {edge.target!r} is an identity"
    if m.tile == "array":
        raise BadInput(f"{where}, which the array tile does not have; set machine.tile to 'rows'.")
    if m.formats.weight.scale > m.formats.weight.hi:
        raise BadInput(f"{where} and machine.weight_frac {m.weight_frac} leaves no weight of 1 in "
                       f"{m.weight_bits} bits; lower it to {m.weight_bits - 2}.")


def check_sums(layout: "Layout") -> None:
    """Prove that no accumulator can overflow for this network."""
    m, network = layout.machine, layout.network
    rows = {name: sum(_row_bound(layout, block)) for name, block in layout.blocks.items()}
    fed = {p.name: sum(_weight(layout, e.identity) * (1 if e.identity else network.by_name[e.target].size)
                       for e in network.edges if e.source == p.name) << (m.error_bits - 1)
           for p in network.populations}
    _sum_fits("a row of", rows, m.row_sum_bits, "row_sum_bits")
    _sum_fits("the feedback to", fed, m.back_sum_bits, "back_sum_bits")


def _row_bound(layout: "Layout", block: Block) -> list[int]:
    """The largest contribution of every column."""
    return [(_weight(layout, not c.lanes) * max(c.lanes, 1) << layout.machine.activity_bits - 1)
            << layout.shift(c.edge.source) for c in block.columns]


def _weight(layout: "Layout", identity: bool) -> int:
    """The largest weight as a code."""
    return 1 << (layout.machine.weight_frac if identity else layout.machine.weight_bits - 1)


def _fits(what: str, need: int, have: int, knob: str) -> None:
    if need > have:
        raise BadInput(f"the network does not fit: {what} take {need} words and machine.{knob} is "
                       f"{have}; raise machine.{knob} by {need - have} or shrink the network.")


def _sum_fits(what: str, bounds: dict[str, int], bits: int, knob: str) -> None:
    name = max(bounds, key=bounds.__getitem__)
    need = bounds[name].bit_length() + 1
    if need > bits:
        raise BadInput(f"the network does not fit: {what} {name!r} can reach {bounds[name]}, which "
                       f"takes {need} bits; machine.{knob} is {bits}, raise it to {need}.")
