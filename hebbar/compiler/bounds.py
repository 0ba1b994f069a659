"""Does a network fit a machine: the words it takes, and a proof that no accumulator can overflow."""

from math import ceil, log2
from typing import TYPE_CHECKING

from hebbar.contract.errors import BadInput
from hebbar.contract.pins import column_bits, row_bits

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
    """Raise BadInput for identity edges on a tile without them or without a weight that is 1, and for what an analog
    macro cannot do."""
    m = layout.machine
    if m.kind.macro:
        _check_analog(layout)
    edge = next((e for e in layout.network.edges if e.identity), None)
    if edge is None:
        return
    where = f"network.edges: {edge.source!r} to {edge.target!r} is an identity"
    if not m.kind.identities:
        raise BadInput(f"{where}, which the {m.tile} tile does not have; set machine.tile to 'rows'.")
    if m.formats.weight.scale > m.formats.weight.hi:
        raise BadInput(f"{where} and machine.weight_frac {m.weight_frac} leaves no weight of 1 in "
                       f"{m.weight_bits} bits; lower it to {m.weight_bits - 2}.")


def _check_analog(layout: "Layout") -> None:
    """Single cells cannot be left out of an update, and inputs and converters have the range they were built with."""
    m, control = layout.machine, layout.machine.analog.control
    for e in layout.network.stored:
        where = f"network.edges: {e.source!r} to {e.target!r}"
        for key in ("zero_diagonal", "positive"):
            if getattr(e, key):
                raise BadInput(f"{where} has {key}, which an analog macro cannot keep; set machine.tile to 'rows'.")
        if layout.shift(e.source) > control.align:
            raise BadInput(f"{where}: activities are shifted by {layout.shift(e.source)} and "
                           f"machine.analog.control.align is {control.align}; raise it to {layout.shift(e.source)}.")
    for side, bits, format in (("row", row_bits(m) + control.row_step, m.formats.row_sum),
                               ("column", column_bits(m) + control.column_step, m.formats.feedback_sum)):
        reach = 2.0 ** (bits - 1 - format.frac)
        if reach < 0.5:
            raise BadInput(f"machine.analog.control.{side}_bits and {side}_step make a converter that ends at "
                           f"{reach:g}, too narrow for sums of states; raise {side}_step by {ceil(log2(0.5 / reach))}.")


def check_sums(layout: "Layout") -> None:
    """Prove that no accumulator can overflow for this network."""
    m, network = layout.machine, layout.network
    if not network.predicted:
        raise BadInput("network: nothing is predicted, there are only inputs and constants; give a population of role "
                       "'target' and an edge to it.")
    rows = {name: sum(_row_bound(layout, block)) for name, block in layout.blocks.items()}
    for name, blocks in layout.shared.items():  # the same weights, but from a source that may be shifted further
        rows |= {name: max(sum(_row_bound(layout, block)) for block in blocks)}
    fed = {p.name: sum(_weight(layout, e.identity) * (1 if e.identity else network.by_name[e.target].size)
                       for e in network.edges if e.source == p.name) << (m.error_bits - 1)
           for p in network.populations}
    _sum_fits("a row of", rows, m.row_sum_bits, "row_sum_bits")
    _sum_fits("the feedback to", fed, m.feedback_sum_bits, "feedback_sum_bits")


def _row_bound(layout: "Layout", block: Block) -> list[int]:
    """The largest contribution of every column."""
    return [(_weight(layout, not c.lanes) * max(c.lanes, 1) << layout.machine.activity_bits - 1)
            << layout.shift(c.edge.source) for c in block.columns]


def _weight(layout: "Layout", identity: bool) -> int:
    """The largest weight as a code."""
    return 1 << (layout.machine.weight_frac if identity else layout.machine.weight_bits - 1)


def _fits(what: str, need: int, have: int, key: str) -> None:
    if need > have:
        raise BadInput(f"the network does not fit: {what} take {need} words and machine.{key} is "
                       f"{have}; raise machine.{key} by {need - have} or shrink the network.")


def _sum_fits(what: str, bounds: dict[str, int], bits: int, key: str) -> None:
    name = max(bounds, key=bounds.__getitem__)
    need = bounds[name].bit_length() + 1
    if need > bits:
        raise BadInput(f"the network does not fit: {what} {name!r} can reach {bounds[name]}, which "
                       f"takes {need} bits; machine.{key} is {bits}, raise it to {need}.")
