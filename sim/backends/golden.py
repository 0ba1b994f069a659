"""The golden machine as a backend: cycles from the cycle model, the rest compiled or from NumPy."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from golden.learning.training import Engine, machine_of
from golden.machine import Machine
from golden.trace import Job, Recorder, Trace
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.memories import Mem

if TYPE_CHECKING:
    from golden.compiled.machine import Barriers, CompiledMachine

__all__ = ["Session", "compile_ahead", "cycles", "prepare", "run"]


class Session:
    """A golden machine that keeps its memories from one job to the next, as the RTL does.

    ``engine``: compiled, or NumPy where it says so or the program asks for it.
    """

    def __init__(self, program: Program, engine: Engine = "auto") -> None:
        self.program, self._machine = program, machine_of(program, engine)
        self._cycles = lru_cache(Cycles(program).run)

    @property
    def weights(self) -> NDArray[np.int64]:
        """The weight image (words, P, C)."""
        return self._machine.weights

    def read_weights(self) -> NDArray[np.int64]:
        """The weight image (words, P, C) as the host reads it."""
        machine = self._machine
        return machine.read_back() if isinstance(machine, Machine) else machine.weights

    @property
    def limits(self) -> dict[str, float]:
        """Shares of the values at a limit of an analog macro."""
        return self._machine.limited

    def refresh(self) -> None:
        """Read every weight and write it again."""
        self._machine.load(self.read_weights())

    def rows(self) -> dict[Mem, NDArray[np.int64]]:
        """State, error and activity by neuron address."""
        m = self._machine
        return {Mem.STATE: m.state, Mem.ERROR: m.error, Mem.ACTIVITY: m.activity}

    def load(self, weights: NDArray[np.int64], rows: Mapping[Mem, NDArray[np.int64]] = {}) -> None:
        """Set the weights, and memories by element."""
        self._machine.load(weights)
        for mem, values in rows.items():
            self.rows()[mem][...] = values

    def run(self, job: Job) -> Trace:
        """Run a job on the weights that are there; ``counters`` are of this job alone."""
        before = self._work()
        self._machine.set_rates(job.halvings)
        machine = self._machine
        outputs, recorded = _numpy(machine, job) if isinstance(machine, Machine) else _compiled(machine, job)
        work = {name: value - before[name] for name, value in self._work().items()}
        exits = tuple(self._machine.decisions)
        counters = work | self._cycles(job.entry, job.count, exits, tuple(self._machine.loops[1:]))
        final = self.weights.astype(np.int32)
        if isinstance(recorded, Recorder):
            return recorded.trace(final, outputs, counters, exits)
        f = recorded
        return Trace(f.pc, f.state, f.error, f.activity, f.weight_barrier, f.weights, final, outputs, counters,
                     np.array(exits, np.bool_))

    def _work(self) -> dict[str, int]:
        machine = self._machine
        return dict(machine.counters.read() if isinstance(machine, Machine) else machine.counters)


def _numpy(machine: Machine, job: Job) -> "tuple[dict[str, NDArray[np.int64]], Recorder]":
    recorder = Recorder(machine.program)

    def observe(pc: int, m: Machine) -> None:
        recorder.barrier(pc, lambda: (m.state, m.error, m.activity), lambda: m.weights)

    return machine.run(job.entry, job.samples, observe if job.steps else None), recorder


def _compiled(machine: "CompiledMachine", job: Job) -> "tuple[dict[str, NDArray[np.int64]], Recorder | Barriers]":
    outputs = machine.run(job.entry, job.samples, record=job.steps)
    return outputs, machine.barriers if machine.barriers is not None and job.steps else Recorder(machine.program)


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
    """Load the job's weights into a new machine and run it. ``progress`` is not called."""
    session = Session(job.program, engine)
    session.load(job.weights)
    return replace(session.run(job), final=session.read_weights().astype(np.int32))
