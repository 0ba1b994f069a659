"""The exported Verilog under Verilator, driven by cocotb through its buses."""

import hashlib
import pickle
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hebbar.compiler import Program
from hebbar.files import output_folder, write_text
from hw.verilog import TOP, export, public

from .. import verilator
from ..testbench.files import JOB_FILE, PROGRESS_FILE, TRACE_FILE
from ..trace import Job, Trace

__all__ = ["Model", "prepare", "run"]

POLL_SECONDS = 0.5
TEST = "sim.testbench.replay"


@dataclass(frozen=True)
class Model:
    """A built simulator in ``folder``; with ``waves`` every run leaves a dump.vcd there."""

    folder: Path
    waves: bool


def prepare(program: Program, folder: Path, waves: bool = False, announce: bool = True) -> Model:
    """Export and build, unless this very Verilog has been built below ``folder`` before."""
    text = export(program.machine)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    place = output_folder(folder / f"{digest}{'-waves' if waves else ''}")
    source = place / f"{TOP}.v"
    if not source.exists():
        write_text(source, text)
    verilator.build(source, TOP, place, public(program.machine), waves=waves,
                    announce=announce)
    return Model(place, waves)


def run(job: Job, model: Model, progress: Callable[[int], None] | None = None,
        timeout_s: float = 3600.0) -> Trace:
    """Run a job; ``progress`` is told how many samples the machine has been sent."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=model.folder) as name:
        folder = Path(name)
        (folder / JOB_FILE).write_bytes(pickle.dumps(job))
        with _watched(folder / PROGRESS_FILE, progress):
            verilator.run_cocotb(model.folder, TOP, TEST, test_dir=folder, timeout_s=timeout_s,
                                 waves=model.waves, announce=progress is None)
        if model.waves:
            shutil.move(folder / "dump.vcd", model.folder / "dump.vcd")
        return Trace.load(folder / TRACE_FILE)[0]


@contextmanager
def _watched(path: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Pass the number in a file on while the simulator writes it."""
    done = threading.Event()

    def poll() -> None:
        while not done.wait(POLL_SECONDS):
            text = path.read_text() if path.exists() else ""
            if text.isdigit() and progress:
                progress(int(text))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
