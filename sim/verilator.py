"""Build Verilog with Verilator and run a cocotb test bench on it."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hebbar.contract.errors import BadInput, build_failed
from hebbar.contract.files import output_folder, temporary_folder, usable, write_text
from hebbar.contract.places import plain, plain_home

from . import verilated
from .backends.registry import VERILATOR as NEEDS
from .builds import room_for_build
from .compilers import compiler
from .runner import call_runner, locked, run_bench, tail
from .toolchain import environment, optimisation, require, tools

__all__ = ["NEEDS", "WARNINGS", "build", "run_cocotb"]

# All warnings are errors; those taken out are how Yosys writes Verilog (a value assigned before a
# case and kept in the branches that do not name it reads as an incomplete case).
WARNINGS = ("-Wall", "-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-UNUSEDSIGNAL", "-Wno-PROCASSINIT",
            "-Wno-DECLFILENAME", "-Wno-CASEINCOMPLETE")
TOGGLES = ("--trace-saif", "--trace-underscore", "--trace-max-array", "64", "--trace-max-width", "1048576")
"""Every net, however wide, and every memory that is made of flip-flops."""
PRODUCTS = ("V*.*", "verilat*.*", "*.so")
"""What Verilator, its makefile and sim.shell write, as patterns."""


def build(verilog: Path, top: str, build_dir: Path, public: Sequence[str] = (),
          parameters: Mapping[str, object] = {}, waves: bool = False, timeout_s: float = 1800.0,
          announce: bool = True, toggles: bool = False, shared: Path | None = None) -> None:
    """Compile ``verilog`` into ``build_dir``, unless exactly this model is there already.

    A test bench reads and writes the ports of ``top`` and reads the signals and memories in
    ``public``: ``"name"`` in ``top``, ``"module.name"`` in another module (its name, not its path).
    Nothing else is visible, which makes the simulation 3 to 5 times faster. With ``waves`` a model for one
    look, built quickly and slow to run; with ``toggles`` one that counts the transitions of every net as SAIF, for the
    fast shell. ``announce``: say on stderr what is going on when it takes more than two seconds. ``shared``: the build
    folder that keeps the objects of Verilator's library, which models of one kind have in common, plain, with waves or
    with toggles.
    """
    require(*NEEDS)
    output_folder(build_dir)
    build_dir = build_dir.resolve()
    log = build_dir / "build.log"
    visible = _visible(top, public)
    arguments: dict[str, Any] = {
        "sources": ["public.vlt", str(plain(verilog.resolve()))], "hdl_toplevel": top, "build_dir": str(build_dir),
        "parameters": dict(parameters), "waves": waves,
        # The runner makes everything public; the first argument takes that back. The linker's exports all
        # of VPI, so that a bench can call vpi_get_value_array, which cocotb does not, through ctypes. With
        # -fPIC the same objects also make the shared library of sim.shell.
        "build_args": ["--no-public-flat-rw", "-O3", "--x-assign", "fast", "-LDFLAGS", "-rdynamic",
                       "-CFLAGS", "-fPIC", *(TOGGLES if toggles else ()), *WARNINGS],
    }
    level = optimisation("-O1" if waves else "-O3")
    key = _key(verilog, visible, arguments | {"level": level})
    with locked(build_dir):
        if _is_built(build_dir, top, key):
            return
        room_for_build(build_dir)
        _remove_products(build_dir, top)
        with _workplace(build_dir) as work:
            write_text(work / "public.vlt", visible)
            arguments |= {"build_dir": str(work), "sources": [str(work / "public.vlt"), arguments["sources"][1]]}
            env, kept = environment(), None
            env["MAKEFLAGS"] += compiler().makeflags(level)
            if shared:
                kept = verilated.place(shared, repr((_tools(), waves, toggles)))
                env["MAKEFLAGS"] += verilated.flags(verilated.take(kept, work))
            status = call_runner("verilator", "build", arguments, env, log, f"building {top} with Verilator",
                                 timeout_s, announce)
            if status != 0:
                raise build_failed(f"Verilator could not build {top} from {verilog}; the end of {log}", tail(log))
            if kept:
                verilated.store(work, kept)
            _all_visible(work, public, verilog)
            for header in work.glob("*.gch"):  # nine tenths of the folder, and needed only while it compiles
                header.unlink()
        write_text(build_dir / "key", key)


def run_cocotb(build_dir: Path, top: str, test_module: str, test_dir: Path | None = None,
               pythonpath: Sequence[Path] = (), env: Mapping[str, str] = {}, timeout_s: float = 600.0,
               waves: bool = False, announce: bool = True) -> None:
    """Run every cocotb test of ``test_module`` on the model in ``build_dir``; returns when all pass.

    ``test_dir`` (``build_dir`` when None) is the working folder and takes results.xml, run.log and
    dump.vcd; ``env`` is added to the test bench's environment. Raises Mismatch when a test fails,
    TimedOut when the run takes longer than ``timeout_s`` seconds of wall time.
    """
    require(*NEEDS)
    build_dir = build_dir.resolve()
    if not (build_dir / top).is_file():
        raise BadInput(f"{build_dir} holds no model of {top}: build it first.")
    run_bench("verilator", build_dir, top, test_module, test_dir, pythonpath, env, timeout_s, waves, announce)


def _remove_products(build_dir: Path, top: str) -> None:
    """Nothing of another build may stay: its rules for make name the files of tools that have moved since."""
    for pattern in ("key", top, *PRODUCTS):
        for path in build_dir.glob(pattern):
            path.unlink()


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """``folder``, or one without blanks or special letters in its path, which make cannot take, moved there at the
    end."""
    if plain(folder) == folder:
        yield folder
        return
    with temporary_folder("build-", plain_home()) as work:
        yield work
        with usable(folder):
            shutil.copytree(work, folder, dirs_exist_ok=True)


def _visible(top: str, public: Sequence[str]) -> str:
    """Verilator's control file: ports read-write, the named signals read-only."""
    lines = ["`verilator_config", f'public_flat_rw -module "{top}" -port "*"']
    lines += [f'public_flat_rd -module "{_module(name) or top}" -var "{_local(name)}"' for name in public]
    return "\n".join(lines) + "\n"


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _local(name: str) -> str:
    return name.rpartition(".")[2]


def _all_visible(build_dir: Path, public: Sequence[str], verilog: Path) -> None:
    """Verilator ignores a name it does not find; the test bench would miss it much later."""
    lines = [line for path in build_dir.glob("Vtop__Syms*.cpp") for line in path.read_text().splitlines()]
    table = "\n".join(line for line in lines if "VLVT_" in line)  # one line for each visible variable
    missing = [name for name in public if f'"{_local(name)}", ' not in table]
    if missing:
        raise BadInput(f"{verilog} has no signal or memory {', '.join(missing)}: take it out of the public names, or "
                       "write it as module.name with the name of the Verilog module.")


def _key(verilog: Path, visible: str, arguments: Mapping[str, object]) -> str:
    """A hash over all that decides what the build makes."""
    parts = [verilog.read_text(), visible, json.dumps(arguments, sort_keys=True, default=str), repr(_tools())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _tools() -> list[object]:
    """The programs that build, where they are, their versions, and the compiler with its flags and its processor."""
    return [*((tool.name, str(tool.found), tool.version) for tool in tools() if tool.name in NEEDS), compiler()]


def _is_built(build_dir: Path, top: str, key: str) -> bool:
    stored = build_dir / "key"
    return (build_dir / top).is_file() and stored.is_file() and stored.read_text() == key
