"""The elements of a network: populations of value nodes, and edges, the blocks of weights between them."""

from dataclasses import dataclass
from enum import StrEnum

from hebbar.contract.activations import ACTIVATIONS
from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

__all__ = ["Role", "Error", "Population", "Edge", "check_population", "check_edge"]


class Role(StrEnum):
    """When a population is clamped: always to data, while training to the target, never, or to 1."""

    INPUT = "input"
    TARGET = "target"
    HIDDEN = "hidden"
    CONSTANT = "constant"


class Error(StrEnum):
    """How a population's error comes about: e = pi (x - mu), or e = x - softmax(mu)."""

    GAUSSIAN = "gaussian"
    CATEGORICAL = "categorical"


@dataclass(frozen=True)
class Population:
    """``size`` value nodes with activation ``f``; ``activity_frac`` is the binary point of f(x).

    ``precision``: log2 of the weight pi of its errors, e = pi (x - mu).
    """

    name: str
    size: int
    activation: str = "identity"
    role: Role = Role.HIDDEN
    activity_frac: int = 5
    precision: int = 0
    error: Error = Error.GAUSSIAN


@dataclass(frozen=True)
class Edge:
    """The weight block from ``source`` to ``target``.

    ``alpha_shift``: learning rate alpha = 2**-alpha_shift. ``scale``: the initial weights are
    uniform with standard deviation scale / sqrt(columns of this block); in a masked row the columns that
    its mask leaves count. Where ``scale`` is 0 all of them are ``value``. ``positive``: learning clips at zero,
    and weights start as the absolute values of that draw. ``identity``: the unit matrix, not stored.
    ``mask``: rows of 0 and 1 that divide the block evenly into parts, 1 where a part exists; empty: all of
    it. ``shares``: "source:target" of the edge whose weights this one reaches.
    """

    source: str
    target: str
    alpha_shift: int = 4
    scale: float = 0.5
    plastic: bool = True
    zero_diagonal: bool = False
    positive: bool = False
    identity: bool = False
    mask: tuple[str, ...] = ()
    shares: str = ""
    value: float = 0.0

    @classmethod
    def unit(cls, source: str, target: str) -> "Edge":
        """An edge that passes activities on as they are."""
        return cls(source, target, plastic=False, identity=True)

    @property
    def stored(self) -> bool:
        """True when the edge has weights of its own."""
        return not (self.identity or self.shares)


def check_population(p: Population) -> None:
    """Raise BadInput for a population that no network can have."""
    if p.size < 1:
        raise BadInput(f"network.populations: {p.name!r} has size {p.size}; it must be at least 1.")
    if p.activation not in ACTIVATIONS:
        raise BadInput(f"network.populations: {p.name!r} has activation {p.activation!r}"
                       f"{suggest(p.activation, ACTIVATIONS)}.")
    if not -8 <= p.precision <= 7:
        raise BadInput(f"network.populations: {p.name!r} has precision {p.precision}; its log2 must be from "
                       "-8 to 7.")
    if p.error is Error.CATEGORICAL and (p.role is not Role.TARGET or p.precision):
        raise BadInput(f"network.populations: {p.name!r} has categorical errors; they are for a population of "
                       "role 'target' with precision 0.")
    if p.role is Role.CONSTANT and p.size != 1:
        raise BadInput(f"network.populations: {p.name!r} is constant and has size {p.size}; "
                       "a constant has size 1.")


def check_edge(edge: Edge, populations: dict[str, Population], edges: tuple[Edge, ...]) -> None:
    """Raise BadInput for an edge that does not fit the ``populations`` or the other ``edges``."""
    for end, name in (("source", edge.source), ("target", edge.target)):
        if name not in populations:
            raise BadInput(f"network.edges: {end} {name!r} is no population{suggest(name, populations)}.")
    source, target = populations[edge.source], populations[edge.target]
    where = f"network.edges: {edge.source!r} to {edge.target!r}"
    kind = edge.source, edge.target, edge.identity, bool(edge.shares)
    same = [e for e in edges if (e.source, e.target, e.identity, bool(e.shares)) == kind]
    if len(same) > 1:
        raise BadInput(f"network.edges: two edges go from {edge.source!r} to {edge.target!r}; keep one.")
    if target.role is Role.CONSTANT:
        raise BadInput(f"network.edges: {edge.target!r} is constant and takes no edge.")
    if edge.zero_diagonal and edge.source != edge.target:
        raise BadInput(f"{where} has zero_diagonal, which is for an edge from a population to itself; remove it.")
    if edge.identity and (edge.mask or edge.shares or edge.zero_diagonal or source.size != target.size):
        raise BadInput(f"{where} is an identity; it takes no mask, shares or zero_diagonal and joins populations "
                       f"of equal size (here {source.size} and {target.size}).")
    if edge.value and (edge.scale or not edge.stored or (edge.positive and edge.value < 0)):
        raise BadInput(f"{where} has value {edge.value:g}, which all weights of an edge begin as that has weights, "
                       "scale 0 and, where they are positive, no value below 0; set scale to 0 or leave value out.")
    if edge.mask:
        _check_mask(edge, where, target.size, source.size)
    if edge.shares:
        _check_shares(edge, where, populations, edges)


def _check_mask(edge: Edge, where: str, rows: int, columns: int) -> None:
    if {len(row) for row in edge.mask} != {len(edge.mask[0])} or set("".join(edge.mask)) - set("01") \
            or not edge.mask[0]:
        raise BadInput(f"{where} has mask {list(edge.mask)}; give rows of equal length of 0 and 1.")
    if len(edge.mask) > rows or len(edge.mask[0]) > columns:
        raise BadInput(f"{where} has a mask of {len(edge.mask)} x {len(edge.mask[0])} parts for a block of {rows} x "
                       f"{columns} weights; give fewer parts.")


def _check_shares(edge: Edge, where: str, populations: dict[str, Population], edges: tuple[Edge, ...]) -> None:
    owner = next((e for e in edges if f"{e.source}:{e.target}" == edge.shares and e.stored), None)
    if owner is None or owner.mask:
        names = [f"{e.source}:{e.target}" for e in edges if e.stored and not e.mask]
        raise BadInput(f"{where} shares the weights of {edge.shares!r}, which is no edge with weights of its own and "
                       f"without a mask{suggest(edge.shares, names)}.")
    mine = [populations[n].size for n in (edge.source, edge.target)]
    owned = [populations[n].size for n in (owner.source, owner.target)]
    if mine != owned:
        raise BadInput(f"{where} has populations of size {mine} and shares the weights between {owned}; they must "
                       "be equal.")
