"""The golden machine as a backend: cycles from the cycle model, the rest compiled or from NumPy."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.session import Engine, Session
from golden.trace import Job, Trace
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES

__all__ = ["compile_ahead", "cycles", "prepare", "run"]


def compile_ahead(programs: Iterable[Program], reporter: Reporter) -> float:
    """Compile the golden machine for those programs it supports, before it is timed or waited for.

    Returns the seconds it took.
    """
    from golden.compiled import prepare as compile_for, unsupported  # heavy: Numba

    reporter.say("preparing the compiled golden machine (seconds, the first time) ...")
    return sum(compile_for(program) for program in programs if not unsupported(program))


def prepare(program: Program, folder: Path, announce: bool = True) -> Engine:
    """The engine for ``run``; there is nothing to build."""
    return "auto"


def cycles(job: Job) -> dict[str, int]:
    """Running cycles of a job without EXIT by cause, from the cycle model; the host never stalls."""
    counted = Cycles(job.program).run(job.entry, job.count)
    return {name: counted[name] for name in CYCLES}


def run(job: Job, engine: Engine = "auto", progress: Callable[[int], None] | None = None) -> Trace:
    """Load the job's weights into a new machine and run it. ``progress`` is not called.

    Where the host stalls and INs go on beside sweeps, nobody but the host knows what is waited for, and there are no
    cycles by cause."""
    session = Session(job.program, job.weights, engine)
    trace = replace(session.run(job), final=session.read_weights().astype(np.int32))
    if job.stall and job.program.beside:
        trace.counters = {name: count for name, count in trace.counters.items() if name not in CYCLES}
    return trace
