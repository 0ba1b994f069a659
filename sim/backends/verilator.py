"""The exported Verilog under Verilator, driven by cocotb through its buses."""

import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from golden.trace import Job, Trace
from hebbar.compiler.program import Program
from hebbar.contract.files import temporary_folder, usable
from hw.verilog import TOP, public

from .. import verilator
from ..builds import keep
from ..defects import Defect
from ..design import source
from ..runner import watched
from ..testbench.files import JOB_FILE, PROGRESS_FILE, TRACE_FILE

__all__ = ["Model", "prepare", "run"]

TEST = "sim.testbench.replay"


@dataclass(frozen=True)
class Model:
    """A built simulator in ``folder``; with ``waves`` it records every signal."""

    folder: Path
    waves: bool


def prepare(program: Program, folder: Path, waves: bool = False, announce: bool = True,
            defect: Defect | None = None, toggles: bool = False) -> Model:
    """Export and build, unless this very machine has been built below ``folder`` before.

    ``defect``: build a machine that is wrong in this one line. ``toggles``: one that counts transitions, for the fast
    shell.
    """
    verilog = source(program.machine, folder, defect)
    kind = "-waves" * waves + "-toggles" * toggles
    place = keep(verilog.parent.with_name(verilog.parent.name + kind)) if kind else verilog.parent
    verilator.build(verilog, TOP, place, public(program.machine), waves=waves, announce=announce, toggles=toggles,
                    shared=folder)
    return Model(place, waves)


def run(job: Job, model: Model, progress: Callable[[int], None] | None = None, timeout_s: float = 3600.0,
        wave: Path | None = None) -> Trace:
    """Run a job; ``progress`` is told how many samples the machine has been sent. ``wave``: where to leave the VCD of a
    model with waves."""
    with temporary_folder("run-", model.folder) as folder:
        with usable(folder):
            (folder / JOB_FILE).write_bytes(pickle.dumps(job))
        with watched(folder / PROGRESS_FILE, progress):
            verilator.run_cocotb(model.folder, TOP, TEST, test_dir=folder, timeout_s=timeout_s,
                                 waves=model.waves, announce=progress is None)
        if wave:
            shutil.move(folder / "dump.vcd", wave)
        return Trace.load(folder / TRACE_FILE)[0]
