"""A predictive-coding network: populations of value nodes and weight blocks between them.

Population g predicts nothing by itself; edge ``h -> g`` carries the block ``W_gh`` (rows: neurons of
g, columns: neurons of h) and ``mu_g = sum_h W_gh f_h(x_h)``. A layered network is the simple case;
any graph, cycles and self edges included, is representable. A bias is an edge from a population of
role CONSTANT, whose single activity is 1.

An identity edge has the unit matrix for a block and stores nothing; a masked edge stores only the parts
of its block that its mask names; an edge that ``shares`` has no block of its own and takes no part in
predictions: rules use it to reach another edge's weights from other neurons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .elements import Edge, Error, Population, Role, check_edge, check_population

__all__ = ["Role", "Error", "Population", "Edge", "Network", "layered", "mupc_scales"]


@dataclass(frozen=True)
class Network:
    """Populations in storage order and the edges between them. Raises BadInput when inconsistent."""

    populations: tuple[Population, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        if len(self.by_name) != len(self.populations):
            raise BadInput("network.populations: two populations have the same name; rename one.")
        for p in self.populations:
            check_population(p)
        for e in self.edges:
            check_edge(e, self.by_name, self.edges)
        for p in self.with_role(Role.INPUT):
            if p.activation != "identity" and not self.incoming(p.name):
                raise BadInput(f"network.populations: input {p.name!r} has activation "
                               f"{p.activation!r}; data enter as activities, use 'identity'.")
        if not any(p.role is Role.INPUT for p in self.populations):
            raise BadInput("network.populations: none has role 'input'; one must take the data.")

    @cached_property
    def by_name(self) -> dict[str, Population]:
        """Populations by name, in storage order."""
        return {p.name: p for p in self.populations}

    def incoming(self, name: str) -> list[Edge]:
        """Edges into a population, in the order their columns are stored."""
        return [e for e in self.edges if e.target == name and not e.shares]

    def outgoing(self, name: str) -> list[Edge]:
        """Edges out of a population."""
        return [e for e in self.edges if e.source == name and not e.shares]

    @property
    def stored(self) -> list[Edge]:
        """Edges with weights of their own."""
        return [e for e in self.edges if e.stored]

    def edge(self, name: str) -> Edge:
        """The edge ``"source:target"``; of an identity and a stored one the stored one."""
        found = [e for e in self.edges if f"{e.source}:{e.target}" == name]
        if not found:
            raise BadInput(f"network.edges: {name!r} is no edge"
                           f"{suggest(name, [f'{e.source}:{e.target}' for e in self.edges])}.")
        return min(found, key=lambda e: e.identity)

    def part_size(self, edge: Edge) -> tuple[int, int]:
        """Rows and columns of one part of a masked block; the whole block without a mask."""
        rows, columns = self.by_name[edge.target].size, self.by_name[edge.source].size
        return (-(-rows // len(edge.mask)), -(-columns // len(edge.mask[0]))) if edge.mask else (rows, columns)

    def fill(self, edge: Edge) -> float:
        """The share of a block's weights that its mask leaves."""
        (high, wide), size = self.part_size(edge), self.by_name
        if not edge.mask:
            return 1.0
        kept = sum(min(high, size[edge.target].size - i * high) * min(wide, size[edge.source].size - j * wide)
                   for i, row in enumerate(edge.mask) for j, part in enumerate(row) if part == "1")
        return kept / (size[edge.target].size * size[edge.source].size)

    @cached_property
    def levels(self) -> dict[str, int] | None:
        """Length of the paths from each population to the targets (role TARGET: 0); None when they
        differ, when a population reaches no target or the graph has a cycle. Inputs and constants
        that nothing predicts have no level."""
        if self.order is None:
            return None
        levels: dict[str, int] = {}
        for name in reversed(self.order):
            p = self.by_name[name]
            lengths = {levels[e.target] + 1 for e in self.outgoing(name) if e.target in levels}
            if p.role is Role.TARGET:
                lengths |= {0}
            if p.role is Role.CONSTANT or (p.role is Role.INPUT and not self.incoming(name)):
                continue
            if len(lengths) != 1:
                return None
            levels[name] = lengths.pop()
        return levels

    def with_role(self, *roles: Role) -> list[Population]:
        """Populations of the given roles, in storage order."""
        return [p for p in self.populations if p.role in roles]

    @property
    def predicted(self) -> list[Population]:
        """Populations that have an error: all but those that only ever hold data."""
        return [p for p in self.populations if p.role in (Role.HIDDEN, Role.TARGET)
                or (p.role is Role.INPUT and self.incoming(p.name))]

    @cached_property
    def order(self) -> tuple[str, ...] | None:
        """All populations, sources before targets; None when the graph has a cycle."""
        done: list[str] = []
        waiting = [p.name for p in self.populations]
        while waiting:
            ready = [n for n in waiting if all(e.source in done for e in self.incoming(n))]
            if not ready:
                return None
            done += ready
            waiting = [n for n in waiting if n not in ready]
        return tuple(done)

    @cached_property
    def chain(self) -> tuple[str, ...] | None:
        """Population names from input to target of a layered network; None for other graphs.

        Edges from constant populations (biases) do not count.
        """
        edges = [e for e in self.edges if self.by_name[e.source].role is not Role.CONSTANT]
        names = [p.name for p in self.populations if p.role is not Role.CONSTANT]
        if self.order is None or len(edges) != len(names) - 1:
            return None
        path = [n for n in self.order if n in names]
        links = {(e.source, e.target) for e in edges}
        roles = [self.by_name[n].role for n in path]
        inner = [Role.HIDDEN] * (len(path) - 2)
        if roles != [Role.INPUT, *inner, Role.TARGET]:
            return None
        return tuple(path) if all(p in links for p in pairwise(path)) else None


def layered(sizes: list[int], activation: str, alpha_shifts: list[int], scales: list[float],
            input_frac: int = 7, hidden_frac: int = 5, bias: bool = False, residual: bool = False) -> Network:
    """The layered network x0 -> x1 .. -> xL: identity input, ``activation`` inside, linear target; ``residual``: an
    identity edge beside every edge between hidden layers of one size."""
    last = len(sizes) - 1
    if last < 1:
        raise BadInput(f"network.layers has {len(sizes)} entries; give input, hidden and output sizes.")
    for key, given in (("rule.alpha_shifts", alpha_shifts), ("rule.init_scales", scales)):
        if len(given) != last:
            raise BadInput(f"{key} has {len(given)} entries for {last} weight layers; "
                           f"give {last}, input side first.")
    roles = [Role.INPUT] + [Role.HIDDEN] * (last - 1) + [Role.TARGET]
    pops = [Population(f"x{i}", n, "identity" if i in (0, last) else activation, roles[i],
                       input_frac if i == 0 else hidden_frac) for i, n in enumerate(sizes)]
    edges = [Edge(f"x{i}", f"x{i + 1}", alpha_shifts[i], scales[i]) for i in range(last)]
    if residual:
        edges += [Edge.unit(f"x{i}", f"x{i + 1}") for i in range(1, last - 1)
                  if sizes[i] == sizes[i + 1]]
    if bias:
        pops.append(Population("one", 1, "identity", Role.CONSTANT, hidden_frac))
        edges += [Edge("one", f"x{i + 1}", alpha_shifts[i], 0.0) for i in range(last)]
    return Network(tuple(pops), tuple(edges))


def mupc_scales(sizes: Sequence[int]) -> list[float]:
    """Spreads of first weights, in units of 1 / sqrt(columns), that keep a deep residual network trainable as its depth
    and width grow: those of muPC (Innocenti et al., arXiv 2505.13124), whose forward scales are here in the weights.

    With L layers of weights the standard deviation is 1 / sqrt(N0) at the input, 1 / sqrt(N L) inside and 1 / N at the
    output. Rates that go with it are alpha times the square of what a layer is scaled by: halved where L doubles.
    """
    last = len(sizes) - 2
    return [1.0 if i == 0 else sizes[i]**-0.5 if i == last else (last + 1)**-0.5 for i in range(last + 1)]
