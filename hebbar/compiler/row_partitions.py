"""Masked blocks: which rows of a population have the same sources."""

from dataclasses import dataclass
from itertools import pairwise

from hebbar.contract.errors import BadInput

from .network import Edge, Network

__all__ = ["Band", "bands"]


@dataclass(frozen=True)
class Band:
    """Rows ``first`` to ``first + rows`` of a population; of each masked edge into it the row of its mask
    and the width of a part."""

    first: int
    rows: int
    masks: tuple[tuple[Edge, str, int], ...] = ()

    def holds(self, edge: Edge, column: int) -> bool:
        """True when a weight from source neuron ``column`` exists in these rows."""
        return all(row[column // width] == "1" for masked, row, width in self.masks if masked == edge)


def bands(network: Network, name: str, lanes: int) -> list[Band]:
    """The rows of a population cut wherever the mask of an edge from or to it changes.

    Raises BadInput for parts that do not begin at a whole word.
    """
    size = network.by_name[name].size
    masked = [e for e in network.incoming(name) if e.mask]
    for edge in masked:
        _whole(network, edge, lanes)
    heights = [network.part_size(e)[0] for e in masked] + [
        network.part_size(e)[1] for e in network.outgoing(name) if e.mask]
    cuts = sorted({0, size, *(at for h in heights for at in range(0, size, h))})
    found = []
    for first, end in pairwise(cuts):
        rows = tuple((e, e.mask[first // network.part_size(e)[0]], network.part_size(e)[1]) for e in masked)
        found.append(Band(first, end - first, rows))
    return found


def _whole(network: Network, edge: Edge, lanes: int) -> None:
    sizes = network.by_name[edge.target].size, network.by_name[edge.source].size
    for part, size, what in zip(network.part_size(edge), sizes, ("rows", "columns")):
        if part % lanes and part < size:
            raise BadInput(f"network.edges: {edge.source!r} to {edge.target!r} has a mask with parts of {part} {what}, "
                           f"which do not fill whole words of {lanes} neurons; use a multiple of machine.lanes.")
