"""A program with its weights on a golden machine: what an experiment, a backend and every study of learning run.

A session keeps the memories of its machine from one run to the next, as a board does, so that a training can go on
where it stopped; a new session begins as a machine does after a reset.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.memories import Mem

from .fixed import Ints
from .image import from_image, to_image
from .machine import Machine
from .reference.state import initial_weights
from .streams import to_codes, to_reals
from .trace import Hashes, Job, Recorder, Trace
from .written import HashedWrites

if TYPE_CHECKING:
    from .compiled import CompiledMachine
    from .compiled.machine import Barriers

__all__ = ["Engine", "Session", "initial_image", "machine_of"]

Engine = Literal["auto", "numpy", "compiled"]
"""Which golden machine runs: the compiled one where it supports the program, NumPy, or the compiled one."""


def machine_of(program: Program, engine: Engine = "auto") -> "Machine | CompiledMachine":
    """The golden machine that ``engine`` asks for; both have the same memories and compute the same.

    Raises BadInput when ``engine`` is "compiled" and the program is not supported.
    """
    if engine not in ("auto", "numpy", "compiled"):
        raise BadInput(f"engine is {engine!r}; give 'auto', 'numpy' or 'compiled'.")
    if engine == "numpy":
        return Machine(program)
    from .compiled import CompiledMachine, unsupported  # heavy: Numba

    return Machine(program) if engine == "auto" and unsupported(program) else CompiledMachine(program)


def initial_image(program: Program) -> Ints:
    """The seeded initial weights as a weight image (words, P, C)."""
    return to_image(program.layout, initial_weights(program.layout.network, program.config.training.seed))


class Session:
    """A golden machine that keeps its memories from one run to the next, as the RTL does.

    ``image``: the weight image (words, P, C) that is loaded at once; without one ``load`` has to come first.
    ``engine``: compiled, or NumPy where it says so or the program asks for it.
    """

    def __init__(self, program: Program, image: Ints | None = None, engine: Engine = "auto") -> None:
        self.program, self._machine = program, machine_of(program, engine)
        self._cycles = lru_cache(Cycles(program).run)
        if image is not None:
            self.load(image)

    @property
    def image(self) -> Ints:
        """The weight image (words, P, C) as it is in the machine."""
        return self._machine.weights

    @property
    def weights(self) -> dict[tuple[str, str], NDArray[np.float64]]:
        """A copy of the weights: float64 by (source, target), (target size, source size)."""
        return from_image(self.program.layout, self.image)

    @property
    def counters(self) -> dict[str, int]:
        """Work since the session began, by the names of ``golden.counters``; cycles are in the trace of a job."""
        machine = self._machine
        return dict(machine.counters.read() if isinstance(machine, Machine) else machine.counters)

    @property
    def count(self) -> int:
        """Samples of the last run."""
        return self._machine.loops[0]

    @property
    def limits(self) -> dict[str, float]:
        """Shares of the values at a limit of an analog macro."""
        return self._machine.limited

    def load(self, image: Ints, rows: Mapping[Mem, NDArray[np.int64]] = {}) -> None:
        """Set the weights, and memories by element."""
        self._machine.load(image)
        for mem, values in rows.items():
            self.rows()[mem][...] = values

    def read_weights(self) -> Ints:
        """The weight image (words, P, C) as the host reads it."""
        return self._machine.read_back()

    def refresh(self) -> None:
        """Read every weight and write it again."""
        self._machine.load(self.read_weights())

    def rows(self) -> dict[Mem, NDArray[np.int64]]:
        """State, error and activity by neuron address."""
        m = self._machine
        return {Mem.STATE: m.state, Mem.ERROR: m.error, Mem.ACTIVITY: m.activity}

    def run_entry(self, entry: str, samples: Mapping[str, ArrayLike], halvings: int = 0
                  ) -> dict[str, NDArray[np.float64]]:
        """Run an entry on real numbers (samples, size) by population and return its outputs in the same form; every
        alpha is the configured one times 2**-``halvings``. Raises BadInput for samples that do not fit."""
        outputs = self.run_codes(entry, to_codes(self.program, entry, samples), halvings)
        return to_reals(self.program, entry, outputs)

    def run_codes(self, entry: str, codes: Mapping[str, Ints], halvings: int = 0) -> dict[str, Ints]:
        """Run an entry on samples in codes, (samples, size) by key of their transfer, and return its outputs so."""
        self._machine.set_rates(halvings)
        return self._machine.run(entry, dict(codes))

    def run(self, job: Job) -> Trace:
        """Run a job on the weights that are there and record it; ``counters`` are of this job alone."""
        before = self.counters
        self._machine.set_rates(job.halvings)
        machine = self._machine
        outputs, recorded, hashes = _numpy(machine, job) if isinstance(machine, Machine) else _compiled(machine, job)
        work = {name: value - before[name] for name, value in self.counters.items()}
        exits = tuple(machine.decisions)
        counters = work | self._cycles(job.entry, job.count, exits, tuple(machine.loops[1:]))
        final = self.image.astype(np.int32)
        if isinstance(recorded, Recorder):
            return recorded.trace(final, outputs, counters, exits, hashes)
        f = recorded
        return Trace(f.pc, f.state, f.error, f.activity, f.weight_barrier, f.weights, final, outputs, counters,
                     np.array(exits, np.bool_), hashes=hashes)


def _numpy(machine: Machine, job: Job) -> "tuple[dict[str, Ints], Recorder, Hashes | None]":
    recorder, watcher = Recorder(machine.program), HashedWrites(machine.config) if job.hashes else None

    def observe(pc: int, m: Machine) -> None:
        recorder.barrier(pc, lambda: (m.state, m.error, m.activity), lambda: m.weights)

    machine.watcher = watcher
    outputs = machine.run(job.entry, job.samples, observe if job.steps else None)
    machine.watcher = None
    return outputs, recorder, watcher.hashes(machine.decisions) if watcher else None


def _compiled(machine: "CompiledMachine", job: Job) -> "tuple[dict[str, Ints], Recorder | Barriers, Hashes | None]":
    outputs = machine.run(job.entry, job.samples, job.steps, job.hashes)
    recorded = machine.barriers if machine.barriers is not None and job.steps else Recorder(machine.program)
    return outputs, recorded, machine.hashes if job.hashes else None
