"""Phases of a network: splitters for every fan-out, buffers on every path that is too short, as few as a linear
program finds.

A cell takes one phase of the clock, and all that meets in a gate must have taken equally many, from the inputs on; all
outputs come in one phase. A splitter has up to four outputs. The net of a driver is one chain of buffers and splitters
that its sinks tap, so what it costs is the distance to its farthest sink; the sum of these distances is linear in the
phases of the gates.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from hebbar.contract.errors import InternalError

from .network import Edge, Gate, Network, combine

__all__ = ["FAN_OUT", "JUNCTIONS", "Cell", "Mapped", "balanced"]

FAN_OUT = 4
JUNCTIONS = {"in": 0, "not": 2, "buffer": 2, "splitter": 2, "and": 6, "or": 6, "maj": 6}
"""Josephson junctions of a cell (EPFL SCE-benchmarks, cell library; an inversion at an input takes none)."""


@dataclass(frozen=True)
class Cell:
    """A cell and the phase that it takes; ``inputs`` are indices of cells."""

    kind: str
    phase: int
    inputs: tuple[Edge, ...]


@dataclass
class Mapped:
    """Cells in an order in which every input stands before its cell; outputs are taken in phase ``phases``."""

    cells: list[Cell] = field(default_factory=list)
    outputs: list[Edge] = field(default_factory=list)
    phases: int = 0
    registers: int = 0

    @property
    def count(self) -> Counter[str]:
        """Cells by kind."""
        return Counter(cell.kind for cell in self.cells)

    @property
    def junctions(self) -> int:
        """Junctions of all cells, registers left out."""
        return sum(JUNCTIONS[kind] * number for kind, number in self.count.items())

    def evaluate(self, values: Sequence[int], mask: int) -> list[int]:
        """Outputs for many vectors at once, cell by cell; see ``Network.evaluate``."""
        made: list[int] = []
        given = iter(values)
        for cell in self.cells:
            taken = [made[e.node] ^ (mask if e.inverted else 0) for e in cell.inputs]
            made.append(next(given) if cell.kind == "in" else combine(cell.kind, taken))
        return [made[e.node] ^ (mask if e.inverted else 0) for e in self.outputs]

    def check(self) -> None:
        """Raise InternalError unless every path is balanced and no cell drives more than it can."""
        sinks = Counter(e.node for cell in self.cells for e in cell.inputs) + Counter(e.node for e in self.outputs)
        for number, cell in enumerate(self.cells):
            wrong = [e for e in cell.inputs if self.cells[e.node].phase != cell.phase - 1]
            room = FAN_OUT if cell.kind == "splitter" else 1
            if wrong or sinks[number] > room:
                raise InternalError(f"AQFP cell {number}, {cell.kind} in phase {cell.phase}: its inputs come in other "
                                    f"phases or it drives {sinks[number]} cells of {room}.")
        if any(self.cells[e.node].phase != self.phases - 1 for e in self.outputs):
            raise InternalError("an AQFP output does not come in the last phase.")


def balanced(network: Network) -> Mapped:
    """The network with splitters and buffers, every path balanced."""
    gates, ends = _with_inverters(_used(network))
    sinks: list[list[int]] = [[] for _ in gates]
    for number, gate in enumerate(gates):
        for edge in gate.inputs:
            sinks[edge.node].append(number)
    for edge in ends:
        sinks[edge.node].append(-1)
    steps = [1 + _levels(len(s)) for s in sinks]
    last = _depth(gates, ends, steps)
    phase = _phases(gates, sinks, steps, last)
    made = _Builder(gates, ends, phase, last).build()
    made.registers = network.registers
    made.check()
    return made


def _used(network: Network) -> Network:
    """Without gates that no output needs; inputs stay."""
    needed = {edge.node for edge in network.outputs}
    for number in range(len(network.gates) - 1, -1, -1):
        if number in needed:
            needed |= {edge.node for edge in network.gates[number].inputs}
    places: dict[int, int] = {}
    kept: list[Gate] = []
    for number, gate in enumerate(network.gates):
        if number in needed or gate.kind == "in":
            places[number] = len(kept)
            kept.append(Gate(gate.kind, tuple(Edge(places[e.node], e.inverted) for e in gate.inputs)))
    return Network(kept, [Edge(places[e.node], e.inverted) for e in network.outputs], network.registers)


def _with_inverters(network: Network) -> tuple[list[Gate], list[Edge]]:
    """Gates and outputs, an inverted output through a cell of its own."""
    gates, ends = list(network.gates), []
    for edge in network.outputs:
        if edge.inverted:
            gates.append(Gate("not", (edge,)))
            edge = Edge(len(gates) - 1)
        ends.append(edge)
    return gates, ends


def _levels(sinks: int) -> int:
    """Levels of splitters that so many sinks need."""
    levels, reach = 0, 1
    while reach < sinks:
        levels, reach = levels + 1, reach * FAN_OUT
    return levels


def _depth(gates: Sequence[Gate], ends: Sequence[Edge], steps: Sequence[int]) -> int:
    """The least phase in which all outputs can be taken."""
    early: list[int] = []
    for gate in gates:
        early.append(max((early[e.node] + steps[e.node] for e in gate.inputs), default=0))
    return max(early[e.node] + steps[e.node] for e in ends)


def _phases(gates: Sequence[Gate], sinks: Sequence[list[int]], steps: Sequence[int], last: int) -> list[int]:
    """The phase of every gate: inputs in 0, outputs in ``last``, the sum of distances to farthest sinks least.

    Variables: the phase of every node, then the phase of its farthest sink. The matrix is that of a flow, so an optimum
    is whole numbers.
    """
    size = len(gates)
    entries: list[tuple[int, int, float]] = []
    bounds: list[float] = []

    def at_least(high: int, low: int, by: int) -> None:
        """Variable ``high`` is at least variable ``low`` and ``by``."""
        entries.extend(((len(bounds), low, 1.0), (len(bounds), high, -1.0)))
        bounds.append(-by)

    floor = [0 if gate.kind == "in" else 1 for gate in gates]
    ceiling = [0 if gate.kind == "in" else last for gate in gates]
    far = [0] * size
    for node, found in enumerate(sinks):
        for sink in found:
            if sink < 0:
                ceiling[node], far[node] = min(ceiling[node], last - steps[node]), last
            else:
                at_least(sink, node, steps[node])
                at_least(size + node, sink, 0)
    used = np.array([1.0 if found else 0.0 for found in sinks])
    limits = [*zip(floor, ceiling, strict=True), *((low, last) for low in far)]
    if not entries:
        return floor
    rows, columns, values = (np.array(part) for part in zip(*entries, strict=True))
    matrix = coo_matrix((values, (rows, columns)), shape=(len(bounds), 2 * size))
    solved = linprog(  # type: ignore[call-overload]  # the stubs know no sparse matrix
        np.concatenate([-used, used]), A_ub=matrix, b_ub=np.array(bounds), bounds=limits, method="highs")
    if solved.x is None:
        raise InternalError(f"the phases of an AQFP network have no solution: {solved.message}")
    return [round(float(value)) for value in solved.x[:size]]


class _Builder:
    """Cells from gates with phases: the gates first by phase, then between them the chains."""

    def __init__(self, gates: Sequence[Gate], ends: Sequence[Edge], phase: Sequence[int], last: int) -> None:
        self._gates, self._ends, self._phase, self._last = gates, ends, phase, last
        self._cells: list[Cell] = []
        self._taps: dict[tuple[int, int], Edge] = {}
        """What drives input i of gate g; outputs are inputs of gate -1."""

    def build(self) -> Mapped:
        wanted: list[list[tuple[int, tuple[int, int]]]] = [[] for _ in self._gates]
        for number, gate in enumerate(self._gates):
            for place, edge in enumerate(gate.inputs):
                wanted[edge.node].append((self._phase[number], (number, place)))
        for place, edge in enumerate(self._ends):
            wanted[edge.node].append((self._last, (-1, place)))
        for number, gate in enumerate(self._gates):
            inputs = tuple(Edge(self._taps[number, i].node, e.inverted) for i, e in enumerate(gate.inputs))
            self._cells.append(Cell(gate.kind, self._phase[number], inputs))
            self._chain(len(self._cells) - 1, self._phase[number], wanted[number])
        outputs = [self._taps[-1, place] for place in range(len(self._ends))]
        return Mapped(self._cells, outputs, self._last)

    def _chain(self, driver: int, phase: int, wanted: list[tuple[int, tuple[int, int]]]) -> None:
        """Buffers and splitters from a driver to all its sinks: a tree, planned from the farthest phase back."""
        if not wanted:
            return
        plan: dict[int, list[object]] = {}
        for at, tap in wanted:
            plan.setdefault(at, []).append(tap)
        for at in range(max(plan), phase + 1, -1):
            below = plan.get(at, [])
            plan.setdefault(at - 1, []).extend(below[i:i + FAN_OUT] for i in range(0, len(below), FAN_OUT))
        assert len(plan[phase + 1]) == 1, "the driver has one sink"
        self._grow(driver, phase + 1, plan[phase + 1][0])

    def _grow(self, driver: int, phase: int, what: object) -> None:
        """Place a sink, or the cell that a group of them hangs on."""
        stack = [(driver, phase, what)]
        while stack:
            source, at, item = stack.pop()
            if isinstance(item, tuple):
                self._taps[item] = Edge(source)
                continue
            assert isinstance(item, list)
            self._cells.append(Cell("splitter" if len(item) > 1 else "buffer", at, (Edge(source),)))
            stack.extend((len(self._cells) - 1, at + 1, part) for part in item)
