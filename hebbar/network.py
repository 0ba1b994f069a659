"""A predictive-coding network: populations of value nodes and weight blocks between them.

Population g predicts nothing by itself; edge ``h -> g`` carries the block ``W_gh`` (rows: neurons of
g, columns: neurons of h) and ``mu_g = sum_h W_gh f_h(x_h)``. A layered network is the simple case;
any graph, cycles and self edges included, is representable. A bias is an edge from a population of
role CONSTANT, whose single activity is 1.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .activations import ACTIVATIONS
from .errors import BadInput
from .suggest import suggest

__all__ = ["Role", "Population", "Edge", "Network", "layered"]


class Role(StrEnum):
    """When a population is clamped: always to data, while training to the target, never, or to 1."""

    INPUT = "input"
    TARGET = "target"
    HIDDEN = "hidden"
    CONSTANT = "constant"


@dataclass(frozen=True)
class Population:
    """``size`` value nodes with activation ``f``; ``activity_frac`` is the binary point of f(x)."""

    name: str
    size: int
    activation: str = "identity"
    role: Role = Role.HIDDEN
    activity_frac: int = 5


@dataclass(frozen=True)
class Edge:
    """The weight block from ``source`` to ``target``.

    ``alpha_shift``: learning rate alpha = 2**-alpha_shift. ``scale``: the initial weights are
    uniform with standard deviation scale / sqrt(columns of this block).
    """

    source: str
    target: str
    alpha_shift: int = 4
    scale: float = 0.5
    plastic: bool = True
    zero_diagonal: bool = False


@dataclass(frozen=True)
class Network:
    """Populations in storage order and the edges between them. Raises BadInput when inconsistent."""

    populations: tuple[Population, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        if len(self.by_name) != len(self.populations):
            raise BadInput("network.populations: two populations have the same name; rename one.")
        for p in self.populations:
            _check_population(p)
        pairs = [(e.source, e.target) for e in self.edges]
        for e in self.edges:
            for end, name in (("source", e.source), ("target", e.target)):
                if name not in self.by_name:
                    raise BadInput(f"network.edges: {end} {name!r} is no population"
                                   f"{suggest(name, self.by_name)}.")
            if pairs.count((e.source, e.target)) > 1:
                raise BadInput(f"network.edges: two edges go from {e.source!r} to {e.target!r}; "
                               "keep one.")
            if self.by_name[e.target].role is Role.CONSTANT:
                raise BadInput(f"network.edges: {e.target!r} is constant and takes no edge.")
            if e.zero_diagonal and e.source != e.target:
                raise BadInput(f"network.edges: {e.source!r} to {e.target!r} has zero_diagonal, "
                               "which is for an edge from a population to itself; remove it.")
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
        return [e for e in self.edges if e.target == name]

    def outgoing(self, name: str) -> list[Edge]:
        """Edges out of a population."""
        return [e for e in self.edges if e.source == name]

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
        return tuple(path) if all(p in links for p in zip(path, path[1:])) else None


def _check_population(p: Population) -> None:
    if p.size < 1:
        raise BadInput(f"network.populations: {p.name!r} has size {p.size}; it must be at least 1.")
    if p.activation not in ACTIVATIONS:
        raise BadInput(f"network.populations: {p.name!r} has activation {p.activation!r}"
                       f"{suggest(p.activation, ACTIVATIONS)}.")
    if p.role is Role.CONSTANT and p.size != 1:
        raise BadInput(f"network.populations: {p.name!r} is constant and has size {p.size}; "
                       "a constant has size 1.")


def layered(sizes: list[int], activation: str, alpha_shifts: list[int], scales: list[float],
            input_frac: int = 7, hidden_frac: int = 5, bias: bool = False) -> Network:
    """The layered network x0 -> x1 .. -> xL: identity input, ``activation`` inside, linear target."""
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
    if bias:
        pops.append(Population("one", 1, "identity", Role.CONSTANT, hidden_frac))
        edges += [Edge("one", f"x{i + 1}", alpha_shifts[i], 0.0) for i in range(last)]
    return Network(tuple(pops), tuple(edges))
