"""Where everything lives: neurons in one address space, every block's weights, columns in order.

Weights are stored destination-major: row r of a block holds the words of all edges into its
population one after the other, those from fixed sources first, so a row's error is known at its
end and the fixed sources can be left out as one contiguous column range. Neuron i of a population
sits in lane i mod C of its words and belongs to row tile i mod P.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig

from .blocks import Block, Column, Place, View
from .bounds import check_capacity, check_sums, check_tile
from .network import Edge, Network, Role
from .row_partitions import Band, bands

__all__ = ["View", "Place", "Column", "Block", "Layout"]


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class Layout:
    """The placement of a network on a machine. Raises BadInput when it does not fit."""

    network: Network
    machine: MachineConfig

    def __post_init__(self) -> None:
        check_tile(self)
        check_sums(self)
        check_capacity(self)

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
        """Blocks of the predicted populations: by destination name, where masks cut its rows into
        several also by number, ``name.0`` first."""
        blocks, base = {}, 0
        for p in self.network.predicted:
            cut = bands(self.network, p.name, self.machine.lanes)
            for i, band in enumerate(cut):
                columns = self._columns(p.name, band)
                lead = next((k for k, c in enumerate(columns) if c.lanes), 0)
                stored = sum(c.lanes > 0 for c in columns)
                stride = self.machine.array_stride if self.machine.kind.array else stored
                base = max(base, lead)
                block = replace(self.rows(p.name, band), columns=columns, lead=lead, base=base, stride=stride,
                                fixed=sum(self.fixed(c.edge.source) for c in columns))
                blocks[p.name if len(cut) == 1 else f"{p.name}.{i}"] = block
                base += stride * block.groups
        return blocks

    @cached_property
    def shared(self) -> dict[str, tuple[Block, ...]]:
        """The owner's rows and columns as blocks of their own, by the "source:target" of every edge that shares,
        fed by and leading to the populations of this edge."""
        return {f"{e.source}:{e.target}": tuple(self._alias(e, b) for b in self.into(e.shares.split(":")[1]))
                for e in self.network.edges if e.shares}

    def into(self, name: str) -> tuple[Block, ...]:
        """The blocks of a population."""
        return tuple(b for b in self.blocks.values() if b.name == name)

    def rows(self, name: str, band: Band | None = None) -> Block:
        """All rows of a population, or those of a band, as a block without columns: for sweeps that read
        no weights, of any population."""
        place, tiles = self.places[name], self.machine.row_tiles
        first, rows = (band.first, band.rows) if band else (0, place.population.size)
        return Block(place, (), 0, 0, 0, name, first, rows, place.group + first // tiles, ceil_div(rows, tiles))

    def _alias(self, edge: Edge, owner: Block) -> Block:
        first, count = owner.of(edge.shares.split(":")[0])
        source = self.places[edge.source]
        columns = tuple(replace(c, edge=edge, word=source.word + c.offset // self.machine.lanes)
                        for c in owner.columns[first:first + count])
        place = self.places[edge.target]
        return replace(owner, place=place, columns=columns, lead=0, base=owner.base + first - owner.lead,
                       fixed=len(columns) * self.fixed(edge.source),
                       group=place.group + owner.group - owner.place.group)

    def _columns(self, name: str, band: Band) -> tuple[Column, ...]:
        """Fixed identities, fixed weights, free weights, free identities."""
        edges = sorted(self.network.incoming(name), key=lambda e: (
            not self.fixed(e.source), e.identity is not self.fixed(e.source)))
        return tuple(c for e in edges for c in self._words(e, band))

    def _words(self, edge: Edge, band: Band) -> list[Column]:
        source, target, lanes = self.places[edge.source], self.places[edge.target], self.machine.lanes
        if edge.identity:
            return [Column(edge, (source.word - target.word) % 4096, 0, 0)]
        size = source.population.size
        return [Column(edge, source.word + k, min(lanes, size - k * lanes), k * lanes)
                for k in range(source.words) if band.holds(edge, k * lanes)]

    @property
    def weight_words(self) -> int:
        """Weight words in use."""
        return max((b.base + b.stride * b.groups for b in self.blocks.values()), default=0)

    def sources(self, block: Block, column: Column) -> range:
        """The neuron words that feed a column of a block: one, for an identity one for each word of rows."""
        if column.lanes:
            return range(column.word, column.word + 1)
        first = self.words(block).start + self.places[column.edge.source].word - block.place.word
        return range(first, first + len(self.words(block)))

    def words(self, block: Block) -> range:
        """The neuron words of the rows of a block."""
        first = block.place.word + block.first // self.machine.lanes
        return range(first, first + ceil_div(block.rows, self.machine.lanes))

    @cached_property
    def order(self) -> tuple[Block, ...] | None:
        """The blocks, sources first; None when they feed each other in a circle."""
        done: list[Block] = []
        waiting = list(self.blocks.values())
        while waiting:
            unknown = {w for b in waiting for w in self.words(b)}
            ready = [b for b in waiting if not unknown & self.fed_by(b)]
            if not ready:
                return None
            done += ready
            waiting = [b for b in waiting if b not in ready]
        return tuple(done)

    def fed_by(self, block: Block) -> set[int]:
        """The neuron words that feed a block."""
        return {w for c in block.columns for w in self.sources(block, c)}

    def shift(self, source: str) -> int:
        """Left shift that aligns the products of a source with the other columns of a row."""
        have = self.network.by_name[source].activity_frac
        want = self.machine.activity_frac
        if not 0 <= want - have <= 7:
            raise BadInput(f"population {source!r} has activity_frac {have}, which cannot be "
                           f"aligned to machine.activity_frac {want} (0 to 7 bits apart).")
        return want - have
