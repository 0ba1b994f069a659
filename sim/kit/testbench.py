"""Runs the plain Verilog test bench of a kit, on Icarus Verilog or on Verilator without any Python in the loop."""

import re
import subprocess
from pathlib import Path

from hebbar.contract.errors import TimedOut, build_failed
from hebbar.contract.processes import run
from hw.verilog import TOP

from ..toolchain import environment, require, verilator_command
from ..verilator import WARNINGS

__all__ = ["SIMULATORS", "run_testbench"]

TIMEOUT_S = 1800.0
COROUTINES = "-std=c++20 -fcoroutines"
"""What waiting takes in C++; the wheel's verilated.mk was never configured and does not ask for it."""


def run_testbench(folder: Path, simulator: str) -> tuple[int, str]:
    """Build and run the test bench in the folder of a kit; the words it found equal (0: it failed) and what it printed.

    Raises MissingTool where the simulator is not there, HebbarError where it refuses the sources, TimedOut after half
    an hour.
    """
    command = SIMULATORS[simulator](folder, f"{TOP}_tb", [f"{TOP}_tb.v", f"{TOP}.v"])
    answer = _run(command, folder)
    passed = re.search(r"^PASS: (\d+) words equal", answer.stdout, re.MULTILINE)
    return int(passed[1]) if passed and answer.returncode == 0 else 0, answer.stdout


def _icarus(folder: Path, top: str, sources: list[str]) -> list[str]:
    require("iverilog")
    _build(["iverilog", "-g2005", "-o", f"{top}.vvp", "-s", top, *sources], folder, "Icarus Verilog")
    return ["vvp", "-n", f"{top}.vvp"]


def _verilator(folder: Path, top: str, sources: list[str]) -> list[str]:
    require("verilator", "perl", "g++", "make")
    # A test bench waits and assigns as the language allows and lint dislikes: its warnings are not the design's.
    _build([verilator_command(), "--binary", "--timing", *WARNINGS, "-Wno-BLKSEQ", "-Wno-INITIALDLY", "-Wno-STMTDLY",
            "-Wno-PINCONNECTEMPTY", "-CFLAGS", COROUTINES, "-Mdir", f"{top}.verilated", "--top-module", top, *sources],
           folder, "Verilator")
    return [f"./{top}.verilated/V{top}"]


SIMULATORS = {"icarus": _icarus, "verilator": _verilator}
"""What builds a test bench and gives the command that runs it, by the name of the simulator."""


def _build(command: list[str], folder: Path, name: str) -> None:
    answer = _run(command, folder)
    if answer.returncode:
        raise build_failed(f"{name} could not build the test bench of {folder}", answer.stderr[-2000:])


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    try:
        return run(command, TIMEOUT_S, cwd=folder, env=environment("-O1"))
    except subprocess.TimeoutExpired:
        raise TimedOut(f"{command[0]} did not end within {TIMEOUT_S:g} s in {folder}.") from None
