"""Populations, blocks and columns as they lie in the memories of a machine."""

from dataclasses import dataclass

from hebbar.contract.errors import BadInput

from .network import Edge, Population

__all__ = ["View", "Place", "Column", "Block"]

View = tuple[int, int]
"""A column range of a block: first column and number of columns (0: the block is not read)."""


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
    """One word column of a block: which neuron word feeds it, through which edge.

    An identity column has no ``lanes``; its ``word`` is the source word less the row's own word,
    modulo 4096. ``offset``: index of the column's first source neuron inside its population.
    """

    edge: Edge
    word: int
    lanes: int
    offset: int


@dataclass(frozen=True)
class Block:
    """The weights into ``rows`` neurons of a population from its neuron ``first`` on: ``columns`` in
    storage order, the first ``fixed`` of them from sources that never move, the first ``lead`` of those
    identities. The weights belong to the population ``owner``."""

    place: Place
    columns: tuple[Column, ...]
    fixed: int
    base: int
    stride: int
    owner: str
    first: int
    rows: int
    group: int
    groups: int
    lead: int = 0

    @property
    def name(self) -> str:
        """The population of the rows."""
        return self.place.population.name

    @property
    def full(self) -> View:
        return 0, len(self.columns)

    @property
    def clamped(self) -> View:
        return 0, self.fixed

    @property
    def free(self) -> View:
        return self.fixed, len(self.columns) - self.fixed

    def word(self, group: int, column: int) -> int:
        """The weight word of a row group, from 0, and a column; an identity column has none."""
        return self.base + group * self.stride + column - self.lead

    def of(self, *sources: str) -> View:
        """The columns that come from ``sources``; raises BadInput when others lie between them."""
        found = [k for k, c in enumerate(self.columns) if c.edge.source in sources]
        if found and found != list(range(found[0], found[-1] + 1)):
            raise BadInput(f"the columns of {self.name!r} from {', '.join(sources)} do not lie side by side; list "
                           "their edges one after the other, inputs and constants apart from populations that move.")
        return (found[0], len(found)) if found else (0, 0)
