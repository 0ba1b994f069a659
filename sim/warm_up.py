"""Doing once what is slow the first time."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Mismatch, MissingTool
from hebbar.contract.files import temporary_folder

__all__ = ["Timing", "warm_up"]


@dataclass(frozen=True)
class Timing:
    """What a step of ``warm_up`` took, in seconds of wall time; None: it was left out, ``note`` says why."""

    name: str
    seconds: float | None
    note: str = ""


def warm_up(reporter: Reporter) -> list[Timing]:
    """Do once what is slow the first time: compile the WebAssembly Yosys, build and run the tiny model on
    Verilator, compile the Numba kernels. Raises Mismatch when the model does not agree with golden."""
    steps: dict[str, Callable[[], str]] = {
        "Verilog of tiny (Yosys)": _yosys, "tiny on Verilator, built and run": _verilator,
        "compiled golden machine (Numba)": _numba, "the Yosys that proves (a minute, the first time)": _prover}
    timings = []
    for name, step in steps.items():
        reporter.say(f"{name} ...")
        start = time.monotonic()
        try:
            note = step()
            timings.append(Timing(name, time.monotonic() - start, note))
        except (MissingTool, ImportError) as error:
            timings.append(Timing(name, None, str(error)))
        last = timings[-1]
        reporter.say(f"  {'left out' if last.seconds is None else f'{last.seconds:.1f} s'} {last.note}".rstrip())
    return timings


def _yosys() -> str:
    from hw.verilog import export

    return f"{len(export(load('tiny').machine).splitlines()):,} lines"


def _verilator() -> str:
    from golden.learning.training import data_of
    from golden.session import initial_image

    from .compare import compare
    from .simulate import job_of, run_backend

    program = _tiny()
    job = job_of(program, data_of(program), "train", 2, initial_image(program))
    with temporary_folder() as folder:
        result = compare(program, run_backend(job, "golden"), run_backend(job, "verilator", folder))
    if result.first:
        raise Mismatch(f"tiny on Verilator: {result.first}")
    return f"{result.total_words:,} words compared, 0 mismatches"


def _numba() -> str:
    from golden.compiled import CompiledMachine
    from golden.learning.training import codes, data_of

    program = _tiny()
    machine, data = CompiledMachine(program), data_of(program)
    for entry in ("train", "predict"):
        machine.run(entry, codes(program, data.train.take([0]), training=entry == "train"))
    return ""


def _prover() -> str:
    from . import yosys

    with temporary_folder() as folder:
        yosys.run("help proc\n", folder, Reporter(quiet=True))
    return ""


def _tiny() -> Program:
    return compile_config(load("tiny"))
