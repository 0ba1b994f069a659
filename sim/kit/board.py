"""Programs in C around a kit's driver, run against the Verilated machine: ``board.c`` is the board."""

import re
import shutil
from pathlib import Path

from hebbar.contract.errors import build_failed
from hebbar.contract.files import BUILD
from hebbar.contract.processes import run
from hw.verilog import TOP

from ..shell.library import prepare
from ..toolchain import environment, require
from .contents import Kit

__all__ = ["ABUSE", "MAIN", "run_c", "figures"]

HERE = Path(__file__).parent
MAIN = HERE.parent / "templates" / "hebbar_main.c"
"""Trains the kit's samples and compares the weights."""
ABUSE = HERE / "abuse.c"
"""Aborts, faults and resets in mid-stream, then all of the kit's checks."""
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1")


def run_c(kit: Kit, folder: Path, program: Path, build: Path = BUILD) -> tuple[int, str]:
    """Compile a program with the driver and the arrays in the folder of a kit, run it on the Verilated machine.

    Returns its exit status and what it printed. Raises MissingTool without a compiler, HebbarError with the compiler's
    words.
    """
    require("g++")
    library = prepare(kit.program, build, announce=False)
    place = folder / "c"
    place.mkdir(exist_ok=True)
    for path in (HERE / "board.c", HERE / "board.h", program):
        shutil.copy(path, place)
    shutil.copy(library, place / "machine.so")
    sources = [program.name, "board.c", f"../{TOP}_driver.c", f"../{TOP}_kit.c"]
    answer = run(["gcc", *FLAGS, "-I.", "-I..", "-o", program.stem, *sources, "./machine.so"], cwd=place,
                 env=environment())
    if answer.returncode:
        raise build_failed(f"gcc could not compile {program.name} with the driver in {folder}", answer.stderr[-2000:])
    done = run([f"./{program.stem}"], cwd=place, env=environment())
    return done.returncode, done.stdout + done.stderr


def figures(said: str) -> dict[str, int]:
    """The numbers that ``abuse.c`` prints, by name."""
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", said)}
