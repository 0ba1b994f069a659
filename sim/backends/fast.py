"""The Verilated RTL behind the fast shell: the same model as cocotb's, millions of cycles a second."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.trace import Job, Recorder, Trace, Writes
from hebbar.compiler.program import Program, Transfer
from hebbar.contract.effects import Resource
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem

from ..host import load, read_weights, refresh, run as run_host
from ..shell.host import ShellHost, finish
from ..shell.library import prepare

__all__ = ["Session", "prepare", "run", "writes"]

T = TypeVar("T")


class Session:
    """A machine that stays loaded from one job to the next; close it when done.

    The weights and memories are those the last job left, as on a board. ``load`` starts afresh.
    """

    def __init__(self, program: Program, library: Path) -> None:
        self.program, self.library = program, library
        self.host = ShellHost(library, program)

    def load(self, weights: NDArray[np.int64], rows: Mapping[Mem, NDArray[np.int64]] = {}) -> None:
        """Program, tables, a weight image (words, P, C) and memories through the buses."""
        finish(load(self.host, self.program, weights, rows))

    def memory(self, memory: Mem) -> NDArray[np.int32]:
        """A recorded memory as it is now, by element address."""
        return self.host.dump(memory)

    def run(self, job: Job, progress: Callable[[int], None] | None = None) -> Trace:
        """Run a job on the weights that are there (``job.weights`` is not loaded).

        ``progress`` is told how many samples the machine has taken. ``final`` is read straight from the memory of the
        model; ``read_weights`` asks the bus.
        """
        trace = self._run(job, progress, log=False)
        return replace(trace, hashes=self._ended(self.host.writes.hashes)) if job.hashes else trace

    def writes(self, job: Job) -> Writes:
        """Every write of a job that is run on the weights that are there, and what the memories hold then."""
        self._run(replace(job, steps=False, hashes=True), None, log=True)
        final = {resource: self.host.dump(Mem[resource.name]).astype(np.int64)
                 for resource in (Resource.STATE, Resource.ERROR, Resource.ACTIVITY, Resource.WEIGHT)}
        return self._ended(lambda: self.host.writes.writes(final))

    def _ended(self, read: Callable[[], T]) -> T:
        """What ``read`` says of the writes, which are watched no longer."""
        try:
            return read()
        finally:
            self.host.writes.stop()

    def _run(self, job: Job, progress: Callable[[int], None] | None, log: bool) -> Trace:
        beats = max(1, sum(-(-t.population.size // p) for t, p in self._inputs(job.entry)))
        self.host.stall(job.stall, job.seed)
        if job.hashes:
            self.host.writes.start(log)
        self.host.recorder = Recorder(self.program) if job.steps else None
        self.host.progress = progress and (lambda taken: progress(min(taken // beats, job.count)))
        try:
            outputs, counters = finish(run_host(self.host, job))
            kept = self.host.recorder or Recorder(self.program)
        finally:
            self.host.recorder = self.host.progress = None
            self.host.stall(0)
        return kept.trace(self.host.dump(Mem.WEIGHT), outputs, counters)

    def read_weights(self) -> NDArray[np.int64]:
        """The weight image (words, P, C) over the bus."""
        return finish(read_weights(self.host, self.program))

    def refresh(self) -> None:
        """Read every weight and write it again, over the bus."""
        finish(refresh(self.host, self.program))

    def close(self) -> None:
        """Free the model."""
        self.host.close()

    def _inputs(self, entry: str) -> list[tuple[Transfer, int]]:
        table = ports(self.program.machine)
        return [(t, table[t.memory].lanes_per_beat) for t in self.program.inputs[entry]]


def run(job: Job, library: Path, progress: Callable[[int], None] | None = None) -> Trace:
    """Load and run one job."""
    session = Session(job.program, library)
    try:
        session.load(job.weights)
        trace = session.run(job, progress)
        return replace(trace, final=session.read_weights().astype(np.int32))
    finally:
        session.close()


def writes(job: Job, library: Path, rows: Mapping[Mem, NDArray[np.int64]] = {}) -> Writes:
    """Load a job, and states, errors and activities by element, into a new machine; run it and tell every write."""
    session = Session(job.program, library)
    try:
        session.load(job.weights, rows)
        return session.writes(job)
    finally:
        session.close()
