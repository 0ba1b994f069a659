"""How fast the Verilated RTL runs: the fast shell and cocotb against a bare C++ loop on the same objects.

Cycles a second of one thread. Every ratio is of medians of rounds that alternate in one process, so
that what else the machine does hits both sides.
"""

import json
import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.learning.training import codes, data_of
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Mismatch
from hebbar.contract.files import temporary_folder
from hebbar.contract.registers import REGISTERS, Control
from hebbar.contract.results import Figure
from hw.verilog import TOP
from sim import verilator as build
from sim.backends import fast, golden, verilator
from sim.packets import packets
from sim.pair import Pair
from sim.shell.host import finish
from sim.testbench.files import JOB_FILE, PACE_FILE

__all__ = ["against", "bare", "cocotb", "job_of", "paces", "rebuild", "shell"]

ROUNDS = 5


def shell(config: Config, samples: int, folder: Path, reporter: Reporter) -> list[Figure]:
    """The fast shell, streaming, reading back every barrier and comparing, against the bare loop."""
    program = compile_config(config)
    library = fast.prepare(program, folder)
    loop, compared = paces(job_of(program, samples), library, config.name, reporter)
    return [Figure(f"bare C++ loop, {config.name}", round(loop), "beside it", "cycles/s", None),
            Figure(f"fast shell, streamed, read back and compared, {config.name}", round(compared), "beside it",
                   "cycles/s", None),
            against(f"fast shell against the bare loop, {config.name}", loop, compared)]


def paces(job: Job, library: Path, name: str, reporter: Reporter,
          clock: Callable[[], float] = time.perf_counter) -> tuple[float, float]:
    """Cycles in a second of ``clock`` of the bare loop, and of the fast shell with what the job asks to be recorded or
    hashed, compared piece by piece with the golden machine."""
    reporter.say(f"{name}: bare loop and compared run in turn, {ROUNDS} rounds of {job.count} samples ...")
    _compared(job, library)  # so that what is compiled at the first use is there
    rounds = [(bare(job, library, clock), _compared(job, library, clock)) for _ in range(ROUNDS)]
    loop, compared = (statistics.median(column) for column in zip(*rounds))
    return loop, compared


def against(figure: str, loop: float, compared: float) -> Figure:
    """What is left of the bare loop's pace."""
    return Figure(figure, 100 * compared / loop, ">= 80", "%", compared >= 0.8 * loop)


def cocotb(config: Config, samples: int, folder: Path, reporter: Reporter) -> list[Figure]:
    """cocotb waiting in bulk against the bare loop, on the same objects."""
    program = compile_config(config)
    model, library = verilator.prepare(program, folder), fast.prepare(program, folder)
    job = job_of(program, samples)
    reporter.say(f"{config.name}: bare loop and cocotb in turn, 3 rounds of {samples} samples ...")
    rounds = [(bare(job, library), _cocotb(job, model)) for _ in range(3)]
    loop, waiting = (statistics.median(column) for column in zip(*rounds))
    ratio = 100 * waiting / loop
    return [Figure(f"cocotb, bulk waits, {config.name}", round(waiting), "beside it", "cycles/s", None),
            Figure(f"cocotb against the bare loop, {config.name}", ratio, ">= 30", "%", ratio >= 30)]


def rebuild(config: Config, folder: Path) -> Figure:
    """Seconds to find a model that is already built."""
    program = compile_config(config)
    fast.prepare(program, folder)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        fast.prepare(program, folder)
        times.append(time.perf_counter() - began)
    worst = max(times)
    return Figure(f"rebuild of an unchanged model, {config.name}, slowest of {ROUNDS}", worst, "<= 1", "s", worst <= 1)


def job_of(program: Program, samples: int) -> Job:
    """So many training samples of a program's data, on its seeded weights."""
    data = data_of(program)
    part = data.train.take(np.arange(samples))
    return Job(program, "train", initial_image(program), codes(program, part, training=True))


def bare(job: Job, library: Path, clock: Callable[[], float] = time.perf_counter) -> float:
    """Cycles in a second of ``clock`` of the bare loop over the cycles that the job takes, without what comes after
    HALT. Raises Mismatch where it does not reach HALT in them."""
    session = fast.Session(job.program, library)
    session.load(job.weights)
    session.run(Job(job.program, job.entry, job.weights, {n: s[:1] for n, s in job.samples.items()}, steps=False))
    cycles = sum(golden.cycles(job).values())
    for register, value in (("loop0", job.count), ("entry", job.program.entries[job.entry]),
                            ("control", Control.START)):
        finish(session.host.set(register, int(value)))
    beats = list(packets(job.program, job.entry, job.samples))
    began = clock()
    session.host.bare(beats, cycles)
    seconds = clock() - began
    session.host.bare([], 1000)
    halted, _ = finish(session.host.read(REGISTERS["cause"].address))
    session.close()
    if halted != 1:
        raise Mismatch("the bare loop did not reach HALT in the cycles of the cycle model; they do not measure the "
                       "same work.")
    return cycles / seconds


def _compared(job: Job, library: Path, clock: Callable[[], float] = time.perf_counter) -> float:
    """Cycles in a second of ``clock`` of the same job in pieces, everything recorded or hashed and compared."""
    pair = Pair(job.program, library)
    for side in (pair.rtl, pair.golden):
        side.load(job.weights)
    chunk = max(1, min(64, job.count // 2))
    cycles, began = 0, clock()
    for first in range(0, job.count, chunk):
        start = pair.rtl.host.cycles
        found = pair.run(replace(job, samples={n: s[first:first + chunk] for n, s in job.samples.items()})).comparison
        cycles += pair.rtl.host.cycles - start
        if found.first:
            raise Mismatch(str(found.first))
    seconds = clock() - began
    pair.rtl.close()
    return cycles / seconds


def _cocotb(job: Job, model: verilator.Model) -> float:
    """Cycles a second inside a cocotb test."""
    with temporary_folder("pace-", model.folder) as folder:
        (folder / JOB_FILE).write_bytes(pickle.dumps(job))
        build.run_cocotb(model.folder, TOP, "sim.testbench.throughput", test_dir=folder)
        found = json.loads((folder / PACE_FILE).read_text())
    return found["cycles"] / found["seconds"]
