"""Where everything lives: neurons in one address space, every block's weights, columns in order.

Weights are stored destination-major: row r of a block holds the words of all edges into its
population one after the other, those from fixed sources first, so a row's error is known at its
end and the fixed sources can be left out as one contiguous column range. Neuron i of a population
sits in lane i mod C of its words and belongs to row tile i mod P.
"""

from dataclasses import dataclass
from functools import cached_property

from .config import MachineConfig
from .errors import BadInput
from .network import Edge, Network, Population, Role

__all__ = ["View", "Place", "Column", "Block", "Layout"]

View = tuple[int, int]
"""A column range of a block: first column and number of columns (0: the block is not read)."""


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class Place:
    """A population in the neuron address space: words of C neurons, row groups of P neurons."""

    population: Population
    word: int
    words: int
    group: int
    groups: int


@dataclass(frozen=True)
class Column:
    """One word column of a block: which neuron word feeds it, through which edge."""

    edge: Edge
    word: int
    lanes: int
    offset: int
    """Index of the column's first source neuron inside its population."""


@dataclass(frozen=True)
class Block:
    """All weights into one population: ``columns`` in storage order, the first ``fixed`` of them
    from sources that never move."""

    place: Place
    columns: tuple[Column, ...]
    fixed: int
    base: int
    stride: int

    @property
    def full(self) -> View:
        return 0, len(self.columns)

    @property
    def clamped(self) -> View:
        return 0, self.fixed

    @property
    def free(self) -> View:
        return self.fixed, len(self.columns) - self.fixed


@dataclass(frozen=True)
class Layout:
    """The placement of a network on a machine. Raises BadInput when it does not fit."""

    network: Network
    machine: MachineConfig

    def __post_init__(self) -> None:
        m, last = self.machine, list(self.places.values())[-1]
        _fits("neurons", last.word + last.words, m.neuron_words, "neuron_words")
        for name, block in self.blocks.items():
            _fits(f"a row of population {name!r}", len(block.columns), m.max_columns, "max_columns")
        self._check_sums()
        _fits("weights", self.weight_words, m.weight_words, "weight_words")

    @cached_property
    def places(self) -> dict[str, Place]:
        """Populations by name, each aligned to a word."""
        lanes, tiles = self.machine.lanes, self.machine.row_tiles
        places, word = {}, 0
        for p in self.network.populations:
            words = ceil_div(p.size, lanes)
            places[p.name] = Place(p, word, words, word * lanes // tiles, ceil_div(p.size, tiles))
            word += words
        return places

    def fixed(self, name: str) -> bool:
        """True for a population that never moves: data without a prediction, or a constant."""
        role = self.network.by_name[name].role
        return role is Role.CONSTANT or (role is Role.INPUT and not self.network.incoming(name))

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """Blocks of the predicted populations by destination name."""
        blocks, base = {}, 0
        for p in self.network.predicted:
            edges = sorted(self.network.incoming(p.name), key=lambda e: not self.fixed(e.source))
            columns = tuple(c for e in edges for c in self._columns(e))
            fixed = sum(self.fixed(c.edge.source) for c in columns)
            stride = self.machine.array_stride if self.machine.tile == "array" else len(columns)
            blocks[p.name] = Block(self.places[p.name], columns, fixed, base, stride)
            base += stride * self.places[p.name].groups
        return blocks

    def _columns(self, edge: Edge) -> list[Column]:
        source, lanes = self.places[edge.source], self.machine.lanes
        size = source.population.size
        return [Column(edge, source.word + k, min(lanes, size - k * lanes), k * lanes)
                for k in range(source.words)]

    @property
    def weight_words(self) -> int:
        """Weight words in use."""
        return max((b.base + b.stride * b.place.groups for b in self.blocks.values()), default=0)

    def shift(self, source: str) -> int:
        """Left shift that aligns the products of a source with the other columns of a row."""
        have = self.network.by_name[source].activity_frac
        want = self.machine.activity_frac
        if not 0 <= want - have <= 7:
            raise BadInput(f"population {source!r} has activity_frac {have}, which cannot be "
                           f"aligned to machine.activity_frac {want} (0 to 7 bits apart).")
        return want - have

    def _check_sums(self) -> None:
        """Prove that no accumulator can overflow for this network."""
        m = self.machine
        weight = 1 << (m.weight_bits - 1)
        product = weight << (m.activity_bits - 1)
        rows = {name: sum(product * c.lanes << self.shift(c.edge.source) for c in block.columns)
                for name, block in self.blocks.items()}
        fed = {p.name: sum(self.network.by_name[e.target].size
                           for e in self.network.outgoing(p.name)) * weight << (m.error_bits - 1)
               for p in self.network.populations}
        _sum_fits("a row of", rows, m.row_sum_bits, "row_sum_bits")
        _sum_fits("the feedback to", fed, m.back_sum_bits, "back_sum_bits")


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
