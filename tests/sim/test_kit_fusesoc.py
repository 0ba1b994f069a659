"""The FuseSoC core of an export: lint and simulation run from the folder alone, synthesis is set up."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.kit.yosys_tcl import commands
from sim.package import write
from sim.toolchain import environment

pytest.importorskip("fusesoc", reason="fusesoc is not installed (extra `test`)")
FUSESOC = Path(sys.executable).parent / "fusesoc"


@pytest.fixture(scope="module")
def library(tmp_path_factory, models):
    """A folder with the core."""
    folder = tmp_path_factory.mktemp("cores")
    write(load("tiny"), folder / "core", Reporter(quiet=True), models, "pc_core")
    return folder


def fusesoc(library, target: str, *options: str) -> "subprocess.CompletedProcess[str]":
    env = environment() | {"HOME": str(library), "XDG_CONFIG_HOME": str(library), "XDG_CACHE_HOME": str(library)}
    command = [FUSESOC, "--cores-root", library / "core", "run", f"--target={target}", *options,
               "hebbar:accelerator:pc_core"]
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


def test_synthesis_is_set_up_for_the_core(library):
    """Without it the target could name a flow or a tool that edalize does not have; `hebbar bench kit` also runs it."""
    pytest.importorskip("tkinter", reason="Python has no Tcl, in which edalize writes for Yosys")
    done = fusesoc(library, "synth", "--setup")
    assert done.returncode == 0, done.stdout + done.stderr
    (script,) = library.glob("build/*/synth*/edalize_yosys_template.tcl")
    asked = commands(str(script))
    assert any(c.startswith("read_verilog") and "pc_core.v" in c for c in asked), asked
    assert any(c.split() == ["synth_ecp5", "-top", "pc_core"] for c in asked), asked
    assert asked[-1].startswith("write_json")


def test_a_tcl_script_is_the_commands_it_amounts_to(tmp_path):
    """Without it a wrong translation would synthesise something else and say that it ran."""
    pytest.importorskip("tkinter", reason="Python has no Tcl")
    (tmp_path / "other.tcl").write_text("set top unit\nproc finish {name} {\nsynth_ecp5 -top $name\n}\n")
    script = tmp_path / "script.tcl"
    script.write_text(f"yosys -import\nsource {{{tmp_path}/other.tcl}}\nread_verilog {{a b.v}}\nfinish $top\n"
                      "yosys write_json out.json\n")
    assert commands(str(script)) == ["read_verilog a b.v", "synth_ecp5 -top unit", "write_json out.json"]
