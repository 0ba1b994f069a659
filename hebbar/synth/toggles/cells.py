"""What a transition behind a net takes, in joules, from four cells of a Liberty file: a flip-flop, NAND, XOR, a choice.

A cell is priced with two NAND inputs on its output and the slew that a NAND has there. A full adder is two XOR and two
NAND for each transition of its sum; a product of a and b bits is a b of them, each with an AND, shared out over the
a + b bits of the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

from hebbar.contract.errors import BadInput

from ..gates.expression import evaluate, names_in
from ..gates.library import EDGES, Cell, Library, Table

__all__ = ["ARITHMETIC", "READ", "Cells", "cells_of"]

ARITHMETIC = ("$add", "$sub", "$neg", "$mul")
SHIFTS = ("$shl", "$shr", "$sshl", "$sshr", "$shift", "$shiftx")
READ = "$memrd_v2"
"""A word of a memory of flip-flops, found by a choice for each bit of its address."""
NAND, XOR, CHOICE = (1, 1, 1, 0), (0, 1, 1, 0), (0, 0, 0, 1, 1, 0, 1, 1)
"""Truth tables; of the choice over a, b and the pin that chooses b."""
FANOUT = 2


@dataclass(frozen=True)
class Cells:
    """Joules: of a flip-flop in every cycle for its clock, of a transition of its output, and of a transition of the
    output of a NAND, an XOR and a choice, each with the net behind it."""

    clock: float
    stored: float
    nand: float
    xor: float
    choice: float

    @property
    def full_adder(self) -> float:
        return 2 * (self.xor + self.nand)

    def joule(self, kind: str, widths: dict[str, int]) -> float:
        """Joules a transition of an output bit of an operator of Yosys, or of a choice."""
        a, b = widths.get("A_WIDTH", 1), widths.get("B_WIDTH", 1)
        if kind == "$mul":
            return a * b / (a + b) * (self.full_adder + self.nand)
        if kind in ARITHMETIC:
            return self.full_adder
        if kind in SHIFTS:
            return b * self.choice
        if kind == READ:
            return widths["ABITS"] * self.choice
        if kind in ("choice", "$mux"):
            return self.choice
        if kind in ("$xor", "$xnor"):
            return self.xor
        if kind in ("$and", "$or", "$not"):
            return self.nand
        return a * self.nand  # a comparison or a reduction of a bits to one


def cells_of(library: Library) -> Cells:
    """The energies of a library; raises BadInput where it lacks one of the cells."""
    nand = _gate(library, NAND, 2)
    farad = FANOUT * _mean([p.farad for p in nand.pins.values() if not p.output and p.farad])
    load = farad / library.farad
    slew = _slew(nand, load)
    flip_flop = min((c for c in library.cells.values() if c.flip_flop),
                    key=lambda c: (len(c.pins), c.name), default=None)
    if flip_flop is None:
        raise BadInput(f"the library {library.name} has no flip-flop; give a Liberty file of standard cells.")
    clock = next(name for name, pin in flip_flop.pins.items() if pin.clock)
    out = next(name for name, pin in flip_flop.pins.items() if pin.output)
    net = farad * library.volt**2 / 2

    def inside(cell: Cell, pin: str) -> float:
        """Joules inside a cell at a transition of a pin, rise and fall and all states alike."""
        return _mean([_both(i.tables, slew, load) / 2 for i in cell.internals_of(pin)]) * library.joule

    def gate(cell: Cell) -> float:
        return inside(cell, next(name for name, pin in cell.pins.items() if pin.output)) + net

    data = sum(inside(flip_flop, pin) for pin in names_in(flip_flop.flip_flop.next_state)
               if pin in flip_flop.pins) if flip_flop.flip_flop else 0.0
    return Cells(2 * inside(flip_flop, clock) + flip_flop.pins[clock].farad * library.volt**2,
                 inside(flip_flop, out) + data + net, gate(nand), gate(_gate(library, XOR, 2)),
                 gate(_gate(library, CHOICE, 3)))


def _gate(library: Library, truth: Sequence[int], inputs: int) -> Cell:
    """The cell of a truth table whose inputs load least; raises BadInput where there is none."""
    found = []
    for cell in library.cells.values():
        pins = [name for name, pin in cell.pins.items() if not pin.output and pin.farad]
        outputs = [pin.function for pin in cell.pins.values() if pin.output]
        if len(pins) == inputs and len(outputs) == 1 and outputs[0] and not cell.flip_flop and _is(
                outputs[0], pins, truth):
            found.append(cell)
    if not found:
        raise BadInput(f"the library {library.name} has no gate of {inputs} inputs with the truth table "
                       f"{tuple(truth)}; give a Liberty file of standard cells.")
    return min(found, key=lambda c: (sum(p.farad for p in c.pins.values()), c.name))


def _is(function: str, pins: Sequence[str], truth: Sequence[int]) -> bool:
    """Whether a function has the truth table over its pins in some order."""
    if set(names_in(function)) != set(pins):  # it holds a value
        return False
    return any([evaluate(function, order)(*bits) for bits in product((0, 1), repeat=len(pins))] == list(truth)
               for order in permutations(pins))


def _slew(gate: Cell, load: float) -> float:
    """Slew of a gate that drives the load, driven by a gate like it."""
    slew = 0.0
    for _ in range(8):
        slew = _mean([table.at(slew, load) for arc in gate.arcs for table in arc.slews.values()])
    return slew


def _both(tables: dict[str, Table], slew: float, load: float) -> float:
    return sum(tables[edge].at(slew, load) for edge in EDGES if edge in tables)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
