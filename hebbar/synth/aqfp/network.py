"""A network of AND, OR and majority gates as AQFP builds them: three branches each, an inverted input is free."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hebbar.contract.errors import InternalError

__all__ = ["Edge", "Gate", "Network", "adder", "array_multiplier"]


@dataclass(frozen=True)
class Edge:
    """The output of a node, inverted or not."""

    node: int
    inverted: bool = False

    def __invert__(self) -> "Edge":
        return Edge(self.node, not self.inverted)


@dataclass(frozen=True)
class Gate:
    """``kind``: "in" has no inputs, "not" has one, "and" and "or" two, "maj" three."""

    kind: str
    inputs: tuple[Edge, ...] = ()


@dataclass
class Network:
    """Gates in an order in which every input stands before its gate; ``outputs`` are edges of them.

    ``registers``: bits that hold a state between two steps; their outputs are inputs here, what they load is an output.
    """

    gates: list[Gate] = field(default_factory=list)
    outputs: list[Edge] = field(default_factory=list)
    registers: int = 0

    @property
    def inputs(self) -> list[int]:
        """Nodes that are inputs, in their order."""
        return [i for i, gate in enumerate(self.gates) if gate.kind == "in"]

    def add(self, kind: str, *inputs: Edge) -> Edge:
        """A new gate; its output."""
        self.gates.append(Gate(kind, inputs))
        return Edge(len(self.gates) - 1)

    def xor(self, a: Edge, b: Edge) -> tuple[Edge, Edge]:
        """Exclusive or from three gates, and the AND that is one of them."""
        both = self.add("and", a, b)
        return self.add("and", self.add("or", a, b), ~both), both

    def evaluate(self, values: Sequence[int], mask: int) -> list[int]:
        """Outputs for many vectors at once: bit i of every integer belongs to vector i, ``mask`` has all bits."""
        node: list[int] = []
        given = iter(values)

        def value(edge: Edge) -> int:
            return node[edge.node] ^ (mask if edge.inverted else 0)

        for gate in self.gates:
            made = next(given) if gate.kind == "in" else combine(gate.kind, [value(e) for e in gate.inputs])
            node.append(made)
        return [value(edge) for edge in self.outputs]


def combine(kind: str, values: Sequence[int]) -> int:
    """What a gate makes of its inputs, bit by bit."""
    if kind in ("not", "buffer", "splitter"):
        return values[0]  # a "not" has its inversion on its input
    a, b = values[:2]
    if kind == "and":
        return a & b
    return a | b if kind == "or" else (a & b) | (a & values[2]) | (b & values[2])


def full_adder(n: Network, a: Edge, b: Edge, c: Edge, majority: bool) -> tuple[Edge, Edge]:
    """Sum and carry: three majority gates, or seven AND and OR gates as in published AQFP netlists."""
    if majority:
        carry = n.add("maj", a, b, c)
        return n.add("maj", ~carry, c, n.add("maj", a, b, ~c)), carry
    half, both = n.xor(a, b)
    total, through = n.xor(half, c)
    return total, n.add("or", both, through)


def adder(bits: int, majority: bool = False) -> Network:
    """A ripple-carry adder of two numbers: inputs a, then b, least bit first; ``bits`` + 1 outputs."""
    n = Network()
    a, b = ([n.add("in") for _ in range(bits)] for _ in range(2))
    carry: Edge | None = None
    for x, y in zip(a, b, strict=True):
        total, carry = n.xor(x, y) if carry is None else full_adder(n, x, y, carry, majority)
        n.outputs.append(total)
    assert carry, "an adder has at least one bit"
    n.outputs.append(carry)
    return n


def array_multiplier(bits: int, majority: bool = False) -> Network:
    """A product of two numbers by rows of carry-save adders and a ripple row, as ISCAS's c6288; 2 ``bits`` outputs,
    for one bit one."""
    n = Network()
    a, b = ([n.add("in") for _ in range(bits)] for _ in range(2))
    sums: list[Edge] = [n.add("and", x, b[0]) for x in a]
    carries: list[Edge | None] = [None] * bits
    above: list[Edge | None]
    for y in b[1:]:
        n.outputs.append(sums[0])
        above = [*sums[1:], None]
        rows = [_add(n, [n.add("and", x, y), s, c], majority) for x, s, c in zip(a, above, carries, strict=True)]
        sums, carries = [r[0] for r in rows], [r[1] for r in rows]
    n.outputs.append(sums[0])
    carry: Edge | None = None
    above = [*sums[1:], None]
    for s, c in zip(above, carries, strict=True) if bits > 1 else ():
        total, carry = _add(n, [s, c, carry], majority)
        n.outputs.append(total)
    return n


def _add(n: Network, terms: Sequence[Edge | None], majority: bool) -> tuple[Edge, Edge | None]:
    """Sum and carry of those of three terms that are there."""
    match [t for t in terms if t]:
        case [a, b, c]:
            return full_adder(n, a, b, c, majority)
        case [a, b]:
            return n.xor(a, b)
        case [a]:
            return a, None
    raise InternalError("a column of a multiplier has no term.")
