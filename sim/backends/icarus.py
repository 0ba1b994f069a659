"""The exported Verilog under Icarus Verilog: the second opinion of another simulator.

The same Verilog, the same test bench and the same trace as ``sim.backends.verilator``.
"""

import pickle
from collections.abc import Callable
from pathlib import Path

from golden.trace import Job, Trace
from hebbar.compiler.program import Program
from hebbar.contract.errors import build_failed
from hebbar.contract.files import output_folder, temporary_folder, usable, write_text
from hebbar.contract.places import plain
from hw.verilog import TOP

from ..builds import keep, room_for_build
from ..design import source
from ..runner import call_runner, locked, run_bench, tail, watched
from ..testbench.files import JOB_FILE, PROGRESS_FILE, TRACE_FILE
from ..toolchain import ICARUS_ARGS, environment, require, tools
from .registry import BACKENDS

__all__ = ["prepare", "run"]

TEST = "sim.testbench.replay"
NEEDS = BACKENDS["icarus"].programs


def prepare(program: Program, folder: Path, announce: bool = True) -> Path:
    """Export and compile, unless this very machine has been compiled below ``folder`` before; returns
    the folder of the model. Raises MissingTool when Icarus Verilog is not installed."""
    require(*NEEDS)
    verilog, version = source(program.machine, folder).resolve(), _version()
    place = keep(output_folder(verilog.parent.with_name(f"{verilog.parent.name}-icarus")))
    built, log = place / "built", place / "build.log"
    arguments = {"sources": [str(plain(verilog))], "hdl_toplevel": TOP, "build_dir": str(plain(place)), "always": True,
                 "timescale": ["1ns", "1ns"], "build_args": list(ICARUS_ARGS)}
    with locked(place):
        room_for_build(place)
        if not built.exists() or built.read_text() != version:
            if call_runner("icarus", "build", arguments, environment(), log,
                           f"building {TOP} with Icarus Verilog", 600.0, announce):
                raise build_failed(f"Icarus Verilog could not compile {verilog}; the end of {log}", tail(log))
            write_text(built, version)
    return place


def _version() -> str:
    """What decides, besides the Verilog, what the compiler makes."""
    version = next(tool.version for tool in tools() if tool.name == "iverilog")
    return f"{version} {' '.join(ICARUS_ARGS)}"


def run(job: Job, model: Path, progress: Callable[[int], None] | None = None, timeout_s: float = 3600.0) -> Trace:
    """Run a job on the ``model`` of ``prepare``; ``progress`` is told how many samples have been sent."""
    require(*NEEDS)
    with temporary_folder("run-", model) as folder:
        with usable(folder):
            (folder / JOB_FILE).write_bytes(pickle.dumps(job))
        with watched(folder / PROGRESS_FILE, progress):
            run_bench("icarus", model, TOP, TEST, folder, timeout_s=timeout_s, announce=progress is None)
        return Trace.load(folder / TRACE_FILE)[0]
