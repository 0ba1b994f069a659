"""The structure checks: silent on the exported Verilog, and not silent on what is planted in it."""

import itertools
import os

import pytest
from helpers import inside

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig
from hebbar.verify.structure import check
from hebbar.verify.structure.checks import netlist_checks, text_checks
from hebbar.verify.structure.dataflow import bind
from hebbar.verify.structure.design import read
from hebbar.verify.structure.ternary import Bits, combine, equal, invert, join, literal, truth
from hw.verilog import export

MACHINE = load("tiny").machine
UNITS = MACHINE.model_copy(update={"separation": 6, "energy": True, "row_tiles": 2, "weight_words": 64})
QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def verilog() -> str:
    return export(MACHINE)


@pytest.fixture(scope="module")
def units() -> str:
    return export(UNITS)


def failed(checks) -> list[str]:
    return [c.name for c in checks if not c.passed]


def test_the_export_passes_and_nothing_is_left_behind(verilog, tmp_path, monkeypatch):
    """Without it the checks could object to good Verilog, or leave a parser's tables in the user's folder."""
    monkeypatch.chdir(tmp_path)
    found = check(MACHINE, QUIET, verilog)
    assert failed(found) == [] and len(found) >= 15
    assert all(c.record()["passed"] and c.verdict().passed for c in found)
    assert os.listdir(tmp_path) == []


TILE, TOP, BUS, WEIGHTS = r"\hebbar.tile ", "hebbar(", r"\hebbar.bus ", r"\hebbar.tile.weights "
TEXT_DEFECTS = {
    "a latch": (BUS, r"  assign ", r"  reg kept;\n  always @* if (locked) kept = rst;\n  assign ",
                "latches in the text"),
    "a latch in one bit": (TOP, r"host__read_beat = 32'd0;", "host__read_beat[30:0] = 31'd0;",
                           "latches in the text"),
    "a removed driver": (TILE, r"\n  assign issue = [^;]*;", "", "undriven signals"),
    "an instance that no longer drives": (TOP, r"\.barrier_pc\(barrier_pc\),?", ".barrier_pc(),", "undriven signals"),
    "a second driver": (TOP, r"(\n  assign idle = [^;]*;)", r"\1\1", "signals driven twice"),
    "a narrow port": (TOP, r"output \[12:0\] barrier_pc;\n  wire \[12:0\] barrier_pc;",
                      "output [11:0] barrier_pc;\n  wire [11:0] barrier_pc;", "ports of the top module"),
    "a port turned round": (TOP, r"input m_axis_tready;", "output m_axis_tready;", "ports of the top module"),
    "a shallow memory": (WEIGHTS, r"memory \[127:0\]", "memory [126:0]", "memories"),
    "a narrow memory": (WEIGHTS, r"reg \[63:0\] memory", "reg [62:0] memory", "memories"),
    "a missing module": (TOP, r"  \\hebbar\.counters  [^;]*;", "", "module tree"),
    "an unused module": (TOP, r"endmodule|\Z", "endmodule\nmodule spare(clk);\n  input clk;\n  wire clk;\n",
                         "instances of one module"),
    "a register at another address": (BUS, r"12'h054:(?=\s+begin\s+if \(_strobe)", "12'h058:",
                                      "addresses written"),
    "a register that shows another": (BUS, r"(12'h0b0:\s+\\\$\d+  = \{ 27'h0000000, )rate12 \};", r"\1rate13 };",
                                      "addresses read"),
    "a reset value": (BUS, r"reg \[31:0\] watchdog = 32'd0", "reg [31:0] watchdog = 32'd1", "registers"),
    "a short register": (BUS, r"reg \[7:0\] gain2 =", "reg [6:0] gain2 =", "registers"),
}


@pytest.mark.parametrize("defect", TEXT_DEFECTS)
def test_a_planted_defect_in_the_text_is_found(verilog, defect):
    """Without it a check could pass whatever the Verilog holds."""
    module, old, new, name = TEXT_DEFECTS[defect]
    design = read(inside(verilog, module, old, new), "hebbar")
    assert name in failed(text_checks(MACHINE, design))


WRITES, LATCHES = "weight writes without UPD and without the host", "latches in the netlist (Yosys)"
LATCH = (BUS, r"  assign ", r"  reg kept;\n  always @* if (locked) kept = rst;\n  assign ")
MORE = (TILE, r"(\* \$signed\(activity0_1\));", r"\1 * $signed(back_address_1);")
FEWER = (TILE, r"\* (\$signed\(activity\d_1\));", r"+ \1;")
FWD = (TILE, r"(\.\\port\$\d+\$0 )\(upd_2\)", r"\1(upd_2 | slot_tag_2[0])")
LOST = (TILE, r"(\.\\port\$\d+\$0 )\(upd_2\)", r"\1(1'b0)")
HOST = (WEIGHTS, r"host__write & ", "host__select & ")
PORT = (WEIGHTS, r"  always @\(posedge clk\) begin\n",
        "  always @(posedge clk) if (rst) memory[0] <= 64'd0;\n  always @(posedge clk) begin\n")
NOWHERE = (TOP, r"\\hebbar\.counters  ", "nowhere ")
NETLIST_DEFECTS = {
    "a latch, an extra multiplier, FWD writes": ((LATCH, MORE, FWD), {LATCHES, "multipliers", WRITES}),
    "UPD lost, a multiplier gone": ((LOST, FEWER), {"weight writes by UPD alone", "multipliers"}),
    "the host's address writes": ((HOST,), {WRITES}),
    "a second write port": ((PORT,), {WRITES}),
    "a module Yosys lacks": ((NOWHERE,), {"Yosys reads it"})}


@pytest.mark.parametrize("defect", NETLIST_DEFECTS)
def test_planted_defects_in_the_netlist_are_found(verilog, defect):
    """Without it a weight could be written by FWD, or a lane hold a fourth multiplier, unseen."""
    changes, names = NETLIST_DEFECTS[defect]
    for module, old, new in changes:
        verilog = inside(verilog, module, old, new)
    assert set(failed(netlist_checks(MACHINE, verilog, QUIET))) == names


SEPARATION, ENERGY = r"\hebbar.separation ", r"\hebbar.energy_sum "
UNIT_DEFECTS = {
    "another power of two": (SEPARATION, r"exponentials\[3\] = 17'h0fdee", "exponentials[3] = 17'h0fdef",
                             {"constant memories"}),
    "powers that nothing keeps": (SEPARATION, r"powers\[at_5[^;]*;", ";", {"constant memories"}),
    "a power too short": (SEPARATION, r"reg \[16:0\] powers", "reg [15:0] powers", {"memories"})}


@pytest.mark.parametrize("defect", UNIT_DEFECTS)
def test_a_planted_defect_in_the_text_of_a_unit_is_found(units, defect):
    """Without it the optional units could hold other memories and tables than the contract's."""
    module, old, new, names = UNIT_DEFECTS[defect]
    assert set(failed(text_checks(UNITS, read(inside(units, module, old, new), "hebbar")))) == names


def test_the_optional_units_pass_with_the_multipliers_they_need(units):
    """Without it the checks could object to a machine with SEPARATE and EXIT, or not look into its units."""
    assert failed(check(UNITS, QUIET, units)) == []
    fewer = inside(units, ENERGY, r" \* ", " + ")
    assert failed(netlist_checks(UNITS, fewer, QUIET)) == ["multipliers"]


def test_tables_that_many_rows_read_are_in_copies():
    """Sixteen rows a cycle read two memories of eight read ports each; a copy of fewer words is told."""
    wide = MACHINE.model_copy(update={"lanes": 16, "neuron_rows": 16})
    text = export(wide)
    assert failed(text_checks(wide, read(text, "hebbar"))) == []
    words = wide.functions << wide.formats.table_bits
    short = text.replace(f" copy_1 [{words - 1}:0]", f" copy_1 [{words - 2}:0]", 1)
    assert failed(text_checks(wide, read(short, "hebbar"))) == ["memories"]


@pytest.mark.parametrize("update", ["deterministic", "stochastic"])
def test_the_control_of_an_analog_macro_passes(update):
    """Its pins are ports, its weights are elsewhere, and nothing in it multiplies two variables but the sequencer, the
    neurons and the counting. Without it a multiplier could come with the drivers."""
    machine = MachineConfig(tile="analog", lanes=4, row_tiles=2, weight_words=8, neuron_words=4, max_columns=2,
                            analog={"control": {"update": update, "pulses": 4, "row_gain": [15000, 17000],
                                                "row_bits": 10, "row_step": 12, "verify": 1}})
    text = export(machine)
    assert failed(check(machine, QUIET, text)) == []
    other = machine.model_copy(update={"weight_words": 16})
    assert "ports of the top module" in failed(text_checks(other, read(text, "hebbar")))


def test_another_configuration_does_not_fit(verilog, units):
    """Without it the checks could look at the Verilog alone."""
    other = MACHINE.model_copy(update={"lanes": 8, "weight_words": 256})
    assert "memories" in failed(text_checks(other, read(verilog, "hebbar")))
    without = UNITS.model_copy(update={"separation": 0, "energy": False})
    for machine, text in ((without, units), (UNITS, verilog)):
        assert {"module tree", "constant memories"} <= set(failed(text_checks(machine, read(text, "hebbar"))))


def test_text_that_is_no_verilog_is_refused():
    """Without it a wrong file would end in a parser's traceback."""
    with pytest.raises(BadInput, match="cannot be read by Pyverilog"):
        read("module hebbar(; endmodule", "hebbar")
    with pytest.raises(BadInput, match="no module hebbar"):
        read("module other(a); input a; wire a; endmodule", "hebbar")


TERNARY = [Bits(ones, zeros) for ones, zeros in itertools.product(range(4), repeat=2) if not ones & zeros]


def concrete(bits: Bits) -> list[int]:
    """Every two-bit number that the known bits allow."""
    return [v for v in range(4) if v & bits.ones == bits.ones and not v & bits.zeros]


def best(values) -> Bits:
    """All that can be known of a set of two-bit numbers."""
    ones = zeros = 3
    for v in values:
        ones, zeros = ones & v, zeros & ~v
    return Bits(ones, zeros)


@pytest.mark.parametrize("name, function", [("And", lambda a, b: a & b), ("Or", lambda a, b: a | b),
                                                ("Xor", lambda a, b: a ^ b), ("Xnor", lambda a, b: ~(a ^ b) & 3)])
def test_known_bits_of_the_operators_are_the_best_there_are(name, function):
    """Without it the proof about the weights could rest on a bit that is called known and is not."""
    for a, b in itertools.product(TERNARY, repeat=2):
        assert combine(name, a, b) == best(function(x, y) for x in concrete(a) for y in concrete(b))


def test_known_bits_of_conditions_and_joins_are_the_best_there_are():
    """Without it a branch could be taken for impossible that is not."""
    for a, b in itertools.product(TERNARY, repeat=2):
        assert join(a, b) == best([*concrete(a), *concrete(b)])
        same = {x == y for x in concrete(a) for y in concrete(b)}
        assert equal(a, b, 2) == {frozenset({True}): Bits(1, 0), frozenset({False}): Bits(0, 1)}.get(
            frozenset(same), Bits(0, 0))
        some = {x != 0 for x in concrete(a)}
        assert truth(a, 2) == (Bits(1, 0) if some == {True} else Bits(0, 1) if some == {False} else Bits(0, 0))
        assert invert(a) == best(~x & 3 for x in concrete(a))


@pytest.mark.parametrize("text, bits, width", [("4'hx", (0, 0), 4), ("6'h2?", (0x20, 0x10), 6),
                                                     ("3'b1x0", (4, 1), 3), ("5'd9", (9, 22), 5), ("8'h3", (3, 0xfc),
                                                                                                   8)])
def test_numbers_keep_their_unknown_digits(text, bits, width):
    """Without it an x could count as a zero."""
    assert literal(text) == (Bits(*bits), width)


PIPELINE = """
module hebbar(clk, flag, other, q, r);
  input clk; wire clk; input flag; wire flag; input other; wire other;
  output q; wire q; output r; wire r;
  reg [1:0] first = 2'h0;
  reg second = 1'h0;
  reg start = 1'h1;
  reg [1:0] store [1:0];
  initial begin
    store[0] = 2'h0;
    store[1] = 2'h0;
  end
  always @(posedge clk) first <= { other, flag };
  always @(posedge clk) begin
    if (other) store[first[1]] <= first;
  end
  always @(posedge clk) second <= store[other][0];
  always @(posedge clk) start <= 1'h0;
  assign q = second & first[1];
  assign r = start;
endmodule
"""


def test_a_flag_held_at_zero_is_followed_through_registers_and_memory():
    """Without it the checks could call a path dead that is alive, or the other way round."""
    flow = bind(read(PIPELINE, "hebbar"))
    zero, unknown = Bits(0, 1), Bits(0, 0)
    assert flow.settle(["hebbar.q"], {"hebbar.flag": 1})["hebbar.q"] == zero
    assert flow.settle(["hebbar.q"], {})["hebbar.q"] == unknown
    assert flow.settle(["hebbar.q"], {"hebbar.other": 1})["hebbar.q"] == zero
    assert flow.settle(["hebbar.r"], {})["hebbar.r"] == unknown  # 1 once, then 0
    assert {"hebbar.flag", "hebbar.store"} <= set(flow.cone(["hebbar.q"]))
