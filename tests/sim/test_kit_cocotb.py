"""The folder of ``hebbar testbench`` runs as it is, without Hebbar, and can be edited."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from systemrdl.compiler import RDLCompiler

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from sim import register_map
from sim.kit.cocotb_bench import write

RESETS = '''

@cocotb.test()
async def resets(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    registers = Machine(dut).registers
    await ClockCycles(dut.clk, 5)
    dut.rst.value = 0
    found = {}
    for name in json.loads((FOLDER.parent / "resets.json").read_text()):
        found[name] = await getattr(registers, name).aread()
    (FOLDER.parent / "found.json").write_text(json.dumps(found))
'''
"""A test that an integrator might add: what every register reads after a reset."""

icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                            reason="iverilog is not installed (Debian: apt-get install -y iverilog)")


@pytest.fixture(scope="module")
def bench(tmp_path_factory, models):
    if register_map.missing():
        pytest.skip(f"not installed, of the extra rdl: {', '.join(register_map.missing())}")
    folder = tmp_path_factory.mktemp("bench")
    write(load("tiny"), folder, Reporter(quiet=True), models)
    return folder


def run(folder):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COCOTB_", "PYTEST_"))}
    return subprocess.run([sys.executable, "run.py"], cwd=folder, env=env, capture_output=True, text=True)


@icarus
def test_the_bench_passes_and_finds_a_wrong_weight(bench):
    """Without it the recipe that users copy could fail at once, or never."""
    done = run(bench)
    assert done.returncode == 0 and "PASS=1 FAIL=0" in done.stdout, (done.stdout + done.stderr)[-3000:]
    path = bench / "kit" / "data" / "learned.hex"
    right = path.read_text()
    first, rest = right.split("\n", 1)
    path.write_text(f"{int(first, 16) ^ 1:08x}\n{rest}")
    assert run(bench).returncode != 0
    path.write_text(right)


@icarus
def test_the_hardware_resets_to_what_the_map_says(bench):
    """Without it the manual would show resets that no machine has."""
    compiler = RDLCompiler()
    compiler.compile_file(str(bench / "kit" / "hebbar.rdl"))
    said = {node.inst_name: sum(f.get_property("reset") << f.low for f in node.fields())
            for node in compiler.elaborate().top.registers() if node.has_sw_readable}
    (bench / "resets.json").write_text(json.dumps(said))
    test = bench / "test_hebbar.py"
    test.write_text(test.read_text() + RESETS)
    done = run(bench)
    assert done.returncode == 0 and "PASS=2 FAIL=0" in done.stdout, (done.stdout + done.stderr)[-3000:]
    assert json.loads((bench / "found.json").read_text()) == said


def test_a_macro_has_no_bench(tmp_path, models):
    with pytest.raises(BadInput, match="use hebbar macro"):
        write(load("digits_analog"), tmp_path, Reporter(quiet=True), models)
