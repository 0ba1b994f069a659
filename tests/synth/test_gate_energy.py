"""Energy of gates: every figure by hand first, then by Yosys, a simulation and OpenSTA on a library of four cells."""

import random
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.synth.design import of_component
from hebbar.synth.gates import Netlist, fixed, map_flat, power, read_library, simulate
from hebbar.synth.gates.activity import Waves
from hebbar.synth.gates.expression import evaluate
from hebbar.synth.gates.library import Library, Table
from hebbar.synth.gates.netlist import Instance
from hebbar.synth.gates.opensta import as_opensta, opensta_power
from hebbar.synth.gates.syntax import parse
from hebbar.synth.gates.tile import equal

QUIET = Reporter(quiet=True)
SG13G2 = Path(__file__).parents[2] / "../shared/data/liberty/ihp-sg13g2_lib_sg13g2_stdcell_typ_1p20V_25C.lib"
GRID = 'index_1("0, 1"); index_2("0, 0.1");'
"""Slews in ns, loads in pF."""


def _table(kind: str, low: float, high: float) -> str:
    """From ``low`` without load to ``high`` at 0.1 pF, at every slew."""
    return f'{kind}(t) {{ {GRID} values("{low}, {high}", "{low}, {high}"); }}'


def _gate(name: str, function: str, inputs: str, rise: float, fall: float) -> str:
    tables = " ".join(_table(k, 0.1, 0.2) for k in ("cell_rise", "cell_fall", "rise_transition", "fall_transition"))
    arcs = "".join(f"timing() {{ related_pin : {i}; timing_sense : negative_unate; {tables} }} "
                   f"internal_power() {{ related_pin : {i}; {_table('rise_power', rise, 2 * rise)} "
                   f"{_table('fall_power', fall, fall)} }}" for i in inputs)
    pins = "".join(f"pin({i}) {{ direction : input; capacitance : 0.002; }}" for i in inputs)
    return (f"cell({name}) {{ area : 2; cell_leakage_power : 7; leakage_power() {{ when : \"{' & '.join(inputs)}\"; "
            f"value : 3; }} {pins} pin(Y) {{ direction : output; function : \"{function}\"; {arcs} }} }}")


CLOCKED = " ".join(_table(k, 0.1, 0.2) for k in ("cell_rise", "cell_fall", "rise_transition", "fall_transition"))
LIBRARY = f"""\
library(four) {{ /* a comment */
  time_unit : "1ns"; voltage_unit : "1V"; current_unit : "1uA"; pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW"; capacitive_load_unit(1, pf);
  input_threshold_pct_rise : 50; output_threshold_pct_rise : 50; slew_lower_threshold_pct_rise : 20;
  input_threshold_pct_fall : 50; output_threshold_pct_fall : 50; slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80; slew_upper_threshold_pct_fall : 80; delay_model : table_lookup;
  nom_voltage : 2; nom_process : 1; nom_temperature : 25; default_max_transition : 9;
  operating_conditions(typ) {{ process : 1; temperature : 25; voltage : 2; }} default_operating_conditions : typ;
  lu_table_template(t) {{ variable_1 : input_net_transition; variable_2 : total_output_net_capacitance; {GRID} }}
  power_lut_template(t) {{ variable_1 : input_transition_time; variable_2 : total_output_net_capacitance; {GRID} }}
  power_lut_template(p) {{ variable_1 : input_transition_time; index_1("0, 1"); }}
  {_gate("INV", "A'", "A", 0.01, 0.03)}
  {_gate("NAND", "!(A B)", "AB", 0.02, 0.04)}
  {_gate("BUF", "A", "A", 0.01, 0.01)}
  cell(DFF) {{ area : 20; cell_leakage_power : 5; ff(IQ, IQN) {{ next_state : "D"; clocked_on : "C"; }}
    pin(C) {{ direction : input; clock : true; capacitance : 0.004;
      internal_power() {{ when : "D"; rise_power(p) {{ index_1("0, 1"); values("0.1, 0.1"); }}
        fall_power(p) {{ index_1("0, 1"); values("0.3, 0.3"); }} }}
      internal_power() {{ rise_power(p) {{ index_1("0, 1"); values("0.5, 0.5"); }}
        fall_power(p) {{ index_1("0, 1"); values("0.5, 0.5"); }} }} }}
    pin(D) {{ direction : input; capacitance : 0.001; }}
    pin(Q) {{ direction : output; function : "IQ";
      timing() {{ related_pin : C; timing_type : rising_edge; timing_sense : non_unate; {CLOCKED} }} }} }}
}}
"""


class Words(wiring.Component):
    """A memory that is read with a clock."""

    def __init__(self, words: int) -> None:
        self.words, address = words, (words - 1).bit_length()
        super().__init__({"read": In(address), "write": In(address), "data": In(3), "enable": In(1), "out": Out(3)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=3, depth=self.words, init=[])
        writer, reader = memory.write_port(), memory.read_port()
        m.d.comb += [writer.addr.eq(self.write), writer.data.eq(self.data), writer.en.eq(self.enable),
                     reader.addr.eq(self.read), self.out.eq(reader.data)]
        return m


class Sum(wiring.Component):
    """A register that adds what comes in, where it is told to."""

    def __init__(self) -> None:
        super().__init__({"term": In(3), "add": In(1), "total": Out(4)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.add):
            m.d.sync += self.total.eq(self.total + self.term)
        return m


@pytest.fixture(scope="module")
def liberty(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("gates") / "four.lib"
    path.write_text(LIBRARY)
    return path


@pytest.fixture(scope="module")
def library(liberty) -> Library:
    return read_library(liberty)


@pytest.fixture(scope="module")
def mapped(liberty, library) -> Netlist:
    return map_flat(of_component(Sum(), "sum"), liberty, library, liberty.parent, QUIET)


def _two(library: Library) -> Netlist:
    """A register whose inverted value is its next one: it moves in every cycle."""
    cells = library.cells
    return Netlist("two", (Instance("f", cells["DFF"], {"C": "clk", "D": "d", "Q": "q"}),
                           Instance("g", cells["INV"], {"A": "q", "Y": "d"})),
                   {"clk": ("clk",), "none": ("n",)}, {}, "clk", Path(), {})


@pytest.mark.parametrize("text, function", [
    ("!(A*B)", lambda a, b, c: not (a and b)), ("A B' + C", lambda a, b, c: (a and not b) or c),
    ("!A & B | C ^ A", lambda a, b, c: (not a and b) or (c != a)), ("(A+B) C", lambda a, b, c: (a or b) and c),
    ("(A^B)'", lambda a, b, c: a == b), ("A*1+0", lambda a, b, c: a)])
def test_expressions_are_what_liberty_means(text, function):
    """Of numbers and of arrays alike."""
    states = list(product((0, 1), repeat=3))
    want = [int(bool(function(*state))) for state in states]
    assert [evaluate(text, ("A", "B", "C"))(*state) for state in states] == want
    assert np.array_equal(evaluate(text, ("A", "B", "C"))(*np.array(states).T), want)


@pytest.mark.parametrize("text", ["A ~ B", "(A", "A)", "A +", ""])
def test_what_is_no_expression_is_refused(text):
    """Without it a cell could be simulated as something that it is not."""
    with pytest.raises(BadInput, match="cannot be evaluated"):
        evaluate(text, ("A", "B"))


def test_a_table_is_linear_between_its_points_and_beyond():
    """values = 1 + 10 slew + 100 load is such a table, so every point must come out."""
    slews, loads = (0.0, 0.2, 1.0), (0.1, 0.4)
    table = Table(slews, loads, tuple(1 + 10 * s + 100 * c for s in slews for c in loads))
    for slew, load in ((0, 0.1), (0.1, 0.2), (0.9, 0.4), (2, 1), (0, 0)):
        assert table.at(slew, load) == pytest.approx(1 + 10 * slew + 100 * load)


def test_files_that_end_early_or_lack_a_unit_are_refused(tmp_path):
    """Without it half a library would give half an energy."""
    with pytest.raises(BadInput, match=r"half .*whole"):
        parse(LIBRARY[:-5], "half")
    (tmp_path / "a.lib").write_text(LIBRARY.replace('leakage_power_unit : "1nW";', ""))
    with pytest.raises(BadInput, match="leakage_power_unit is None"):
        read_library(tmp_path / "a.lib")


def test_energy_of_two_cells_is_that_of_a_hand(library):
    """A register that moves in each cycle, by what its tables say; nothing else has an energy.

    Inverter, one transition a cycle, load 1 fF: rise 0.01 (1 + 0.001 / 0.1), fall 0.03, in the mean. Clock of the
    register: D is high in half of the cycles, 0.1 + 0.3 pJ, else 0.5 + 0.5. Nets: q 2 fF, d 1 fF, once a cycle;
    clk 4 fF, twice; each C V^2 / 2 at 2 V. Leakage: 5 nW and, half of the time each, 3 and 7 nW.
    """
    netlist = _two(library)
    found = power(netlist, library, simulate(netlist, {"none": [0] * 1001}))
    assert found.internal * 1e12 == pytest.approx((0.01 * 1.01 + 0.03) / 2 + (0.4 + 1.0) / 2, rel=1e-9)
    assert found.switching * 1e15 == pytest.approx((2 + 1 + 2 * 4) * 2)
    assert found.leakage * 1e9 == pytest.approx(5 + (3 + 7) / 2)
    assert found.clock * 1e12 == pytest.approx(0.7 + 0.016) and found.registers * 1e12 == pytest.approx(0.7)
    assert found.cycle(1e6) == pytest.approx(found.internal + found.switching + 10e-9 / 1e6)


def test_a_mapped_sum_adds(mapped):
    """The gates that Yosys chose do what the register does, over a thousand random cycles."""
    draw = random.Random(7)
    stimulus = {"term": [draw.randrange(8) for _ in range(1000)], "add": [draw.randrange(2) for _ in range(1000)],
                "rst": [int(i == 500) for i in range(1000)]}
    waves = simulate(mapped, stimulus)
    total, want = 0, []
    for term, add, reset in zip(*stimulus.values(), strict=True):
        want.append(total)
        total = 0 if reset else (total + term * add) % 16
    bits = [waves.values[net] for net in mapped.outputs["total"]]
    assert sum(bit.astype(int) << i for i, bit in enumerate(bits)).tolist() == want
    assert {"DFF"} < {i.cell.name for i in mapped.instances}


def test_what_does_not_move_takes_the_clock_and_the_leakage_alone(mapped, library):
    """And every transition more takes more: energy rises with activity."""
    still = power(mapped, library, fixed(mapped, 0.0))
    assert still.internal + still.switching == pytest.approx(still.clock) and still.leakage > 0
    steps = [power(mapped, library, fixed(mapped, rate)).dynamic for rate in (0.0, 0.1, 0.2, 0.4)]
    assert np.allclose(np.diff(steps) / (0.1, 0.1, 0.2), (steps[1] - steps[0]) / 0.1)


def test_a_stimulus_that_does_not_fit_is_refused(mapped):
    """Without it an input that nobody thought of would stay zero."""
    with pytest.raises(BadInput, match="no port rst"):
        simulate(mapped, {"term": [0, 1], "add": [0, 1]})
    with pytest.raises(BadInput, match=r"ports of \[1, 2\] cycles"):
        simulate(mapped, {"term": [0, 1], "add": [0], "rst": [0, 0]})


def test_states_are_looked_at_when_the_pin_moves():
    """A state that holds half of the time may hold at no transition of the pin."""
    values = {"a": np.array([0, 1, 1, 0, 0, 1, 1, 0], np.uint8), "b": np.array([1, 1, 0, 0, 1, 1, 0, 0], np.uint8)}
    waves = Waves(values, 8, "clk")
    assert waves.share("A", {"A": "a"}) == 4 / 7 and waves.rate("clk") == 2
    assert waves.share("A ^ B", {"A": "a", "B": "b"}, moving="a") == 0
    assert waves.share("A ^ B", {"A": "a", "B": "b"}, moving="b") == 1


def test_a_macro_is_an_input_and_its_word_comes_out(liberty, library):
    """A memory of 64 words is none of the gates; what it reads goes through them to the port."""
    netlist = map_flat(of_component(Words(64), "words"), liberty, library, liberty.parent, QUIET)
    ports = {"read", "write", "data", "enable", "clk", "rst"}
    macro = next(name for name in netlist.inputs if name not in ports)
    words = [5, 2, 7, 0, 1]
    zeros = dict.fromkeys(set(netlist.inputs) - {macro}, [0] * len(words))
    waves = simulate(netlist, zeros | {macro: words})
    read = [sum(int(waves.values[net][cycle]) << i for i, net in enumerate(netlist.outputs["out"]))
            for cycle in range(len(words))]
    assert read == words
    equal(netlist, waves, {"out": words})
    with pytest.raises(Mismatch, match="in cycle 3 the gates have out = 0, the RTL has 4"):
        equal(netlist, waves, {"out": [5, 2, 7, 4, 1]})


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not installed")
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_opensta_finds_the_same_power(rate, mapped, liberty, library, tmp_path):
    """At the weights that its version gives to tables; each part by itself, nets of ports left out."""
    theirs = opensta_power(mapped, liberty, rate, 100, tmp_path, QUIET)
    ours = power(mapped, library, fixed(mapped, rate), as_opensta)
    assert theirs.internal == pytest.approx(ours.internal, rel=0.02)
    assert theirs.switching == pytest.approx(ours.switching - ours.ports, rel=0.001)


@pytest.mark.skipif(not SG13G2.exists(), reason="no part of Hebbar: no Liberty files in ../shared/data/liberty")
@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not installed")
def test_opensta_finds_the_same_power_in_a_real_library(tmp_path):
    """Cells of IHP's SG13G2: internal energy, nets and leakage within a tenth each."""
    library = read_library(SG13G2)
    netlist = map_flat(of_component(Sum(), "sum"), SG13G2, library, tmp_path, QUIET)
    ours, theirs = power(netlist, library, fixed(netlist, 0.2), as_opensta), \
        opensta_power(netlist, SG13G2, 0.2, 100, tmp_path, QUIET)
    assert theirs.internal == pytest.approx(ours.internal, rel=0.1)
    assert theirs.switching == pytest.approx(ours.switching - ours.ports, rel=0.1)
    assert theirs.leakage == pytest.approx(ours.leakage, rel=0.1)
