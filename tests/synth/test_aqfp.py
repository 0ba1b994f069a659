"""Adiabatic superconducting logic: published junction counts, equal outputs, balanced paths, chip and wall apart."""

import random
from itertools import product

import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, InternalError
from hebbar.energy.validation.tables import component
from hebbar.energy.validation.units import in_units
from hebbar.synth.aqfp.balance import FAN_OUT, Cell, Mapped, balanced
from hebbar.synth.aqfp.cost import energy, formula_adder, formula_multiplier, register_junctions
from hebbar.synth.aqfp.netlist import SCRIPT, read
from hebbar.synth.aqfp.network import Edge, Network, adder, array_multiplier, full_adder
from hebbar.synth.aqfp.target import equivalent
from hebbar.synth.design import Design
from hebbar.synth.process import yosys


def numbers(bits, vectors):
    """Inputs of two numbers, as the networks take them: one integer a wire, one bit a vector."""
    return [sum((number >> i & 1) << v for v, number in enumerate(side)) for side in vectors for i in range(bits)]


def results(outputs, count):
    return [sum((o >> v & 1) << i for i, o in enumerate(outputs)) for v in range(count)]


def published(name):
    return in_units(component(name).value, "JJ", name)


def test_a_full_adder_takes_the_published_junctions():
    """74 junctions and 8 phases in published synthesis (EPFL), with an output phase of its own here."""
    n = Network()
    a, b, c = (n.add("in") for _ in range(3))
    n.outputs = list(full_adder(n, a, b, c, majority=False))
    mapped = balanced(n)
    assert mapped.junctions == published("AQFP full adder") == 74
    assert mapped.phases - 1 == 8


@pytest.mark.parametrize("build, bits, name", [(adder, 8, "AQFP 8-bit adder"),
                                               (array_multiplier, 8, "AQFP 8x8 multiplier"),
                                               (array_multiplier, 16, "AQFP 16x16 multiplier c6288")])
def test_junctions_are_those_of_published_synthesis(build, bits, name):
    """The same full adders, mapped by another program: within a quarter, logic equal for 10,000 vectors."""
    network = build(bits)
    mapped = balanced(network)
    equivalent(network, mapped, 10_000)
    assert abs(mapped.junctions / published(name) - 1) <= 0.25
    assert balanced(build(bits, majority=True)).junctions < mapped.junctions


@pytest.mark.parametrize("majority", [False, True])
@pytest.mark.parametrize("build, combine", [(adder, int.__add__), (array_multiplier, int.__mul__)])
@pytest.mark.parametrize("bits", [1, 3, 4])
def test_every_vector_of_a_small_circuit(build, combine, bits, majority):
    """Sums and products of all pairs of numbers, through every buffer and splitter."""
    pairs = list(product(range(1 << bits), repeat=2))
    mapped = balanced(build(bits, majority))
    given = numbers(bits, tuple(zip(*pairs, strict=True)))
    found = results(mapped.evaluate(given, (1 << len(pairs)) - 1), len(pairs))
    assert found == [combine(a, b) for a, b in pairs]


def test_a_planted_error_is_found():
    """Without it two wrong circuits could be equal to nothing and pass."""
    network = adder(4)
    mapped = balanced(network)
    at = next(i for i, cell in enumerate(mapped.cells) if cell.kind == "and")
    mapped.cells[at] = Cell("or", mapped.cells[at].phase, mapped.cells[at].inputs)
    with pytest.raises(InternalError, match="differ"):
        equivalent(network, mapped, 1000)


def test_an_unbalanced_path_is_found():
    """A buffer taken out, or a cell with two sinks, must not pass the check."""
    chain = Mapped([Cell("in", 0, ()), Cell("in", 0, ()), Cell("buffer", 1, (Edge(0),)),
                    Cell("and", 2, (Edge(2), Edge(1)))], [Edge(3)], 3)
    with pytest.raises(InternalError, match="phases"):
        chain.check()
    double = Mapped([Cell("in", 0, ()), Cell("and", 1, (Edge(0), Edge(0)))], [Edge(1)], 2)
    with pytest.raises(InternalError, match="drives 2"):
        double.check()


@pytest.mark.parametrize("sinks", [1, 2, 4, 5, 16, 17])
def test_fan_out_takes_splitters(sinks):
    """One driver of many gates: ceil over four at every level, and nothing where there is one sink."""
    n = Network()
    source, others = n.add("in"), [n.add("in") for _ in range(sinks)]
    n.outputs = [n.add("and", source, other) for other in others]
    mapped = balanced(n)
    want, left = 0, sinks
    while left > 1:
        left = -(-left // FAN_OUT)
        want += left
    of_source = {0}
    for number, cell in enumerate(mapped.cells):
        if cell.kind in ("splitter", "buffer") and cell.inputs[0].node in of_source:
            of_source.add(number)
    assert len(of_source) - 1 == want


def test_more_bits_take_more():
    """Junctions and phases rise with every bit."""
    for build in (adder, array_multiplier):
        mapped = [balanced(build(bits)) for bits in (2, 3, 4, 6)]
        for values in ([m.junctions for m in mapped], [m.phases for m in mapped]):
            assert values == sorted(values) and len(set(values)) == 4


def test_random_networks_stay_themselves():
    """Gates of every kind, inversions anywhere, outputs that are inputs or taken twice."""
    draw = random.Random(1)
    for _ in range(20):
        n = Network()
        for _ in range(draw.randint(1, 6)):
            n.add("in")
        for _ in range(draw.randint(1, 60)):
            kind = draw.choice(["and", "or", "maj"])
            inputs = [Edge(draw.randrange(len(n.gates)), draw.random() < 0.5) for _ in range(3 if kind == "maj" else 2)]
            n.add(kind, *inputs)
        n.outputs = [Edge(draw.randrange(len(n.gates)), draw.random() < 0.5) for _ in range(draw.randint(1, 5))]
        equivalent(n, balanced(n), 256)


def test_chip_and_wall_are_two_numbers():
    """The wall is the chip times the cooling, and a cooling below one watt a watt is refused."""
    found = energy(1000, 2, cooling=500)
    assert found.wall_j == tuple(500 * j for j in found.chip_j)
    assert found.chip_j[0] == pytest.approx(1000 * 2 * 0.19e-21)
    spread = energy(1000, 2)
    assert spread.wall_j[1] / spread.chip_j[1] == 1000 and spread.wall_j[0] / spread.chip_j[0] == 493
    with pytest.raises(BadInput, match="cooling"):
        energy(1000, 1, cooling=0.5)


def test_the_formulas_are_the_published_ones():
    """SuperLoop's figures for 4, 8 and 16 bits, and its register of 8 bits."""
    assert [formula_adder(b) for b in (4, 8, 16)] == [366, 1116, 3768]
    assert [formula_multiplier(b) for b in (4, 8, 16)] == [2104, 8416, 33664]
    assert register_junctions(8) == 74 and register_junctions(0) == 0


PRODUCT = """\
module \\m
  wire width 4 input 1 \\a
  wire width 4 input 2 \\b
  wire width 1 input 3 \\clk
  wire width 8 output 4 \\p
  wire width 8 \\now
  cell $mul \\times
    parameter \\A_SIGNED 0
    parameter \\B_SIGNED 0
    parameter \\A_WIDTH 4
    parameter \\B_WIDTH 4
    parameter \\Y_WIDTH 8
    connect \\A \\a
    connect \\B \\b
    connect \\Y \\now
  end
  cell $dff \\kept
    parameter \\CLK_POLARITY 1
    parameter \\WIDTH 8
    connect \\CLK \\clk
    connect \\D \\now
    connect \\Q \\p
  end
end
"""


@pytest.mark.tool
def test_a_netlist_of_yosys_is_mapped_with_its_registers(tmp_path):
    """A product with a register behind it: all 256 products, eight register bits cut open, the clock is no input."""
    place = yosys(Design("m", PRODUCT), SCRIPT.format(top="m"), tmp_path, Reporter(quiet=True), "gates")
    found = read(place / "mapped.json", "m")
    assert found.network.registers == 8 and len(found.inputs) == 16
    pairs = list(product(range(16), repeat=2))
    mask = (1 << len(pairs)) - 1
    given = [*numbers(4, tuple(zip(*pairs, strict=True))), *[0] * 8]
    mapped = balanced(found.network)
    outputs = mapped.evaluate(given, mask)
    assert results(outputs[-8:], len(pairs)) == [a * b for a, b in pairs]
    equivalent(found.network, mapped, 1000)
