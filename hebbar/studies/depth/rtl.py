"""The RTL of deep networks against the golden machine: every word at every WAIT, on the fast shell."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.learning.training import codes
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import Mismatch
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hw.verilog import export
from sim.backends import fast
from sim.barrier_match import BarrierMatch

from .deep_net import deep, divided
from .trainings import key_of, once, order

__all__ = ["first", "measure", "replayed"]

RUNS = {False: ((32, 300, 10), (128, 20, 1)), True: ((32, 2, 1),)}
"""Layers, samples, and samples at a time: the golden machine keeps their barriers, 2 GB for one of 128 layers."""


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """A run of the same Verilog, program, golden machine and samples is kept in ``folder`` and not made twice."""
    found: list[Figure] = []
    for layers, samples, at_a_time in RUNS[quick]:
        found += replayed(deep(images, layers=layers), f"depth {layers}", samples, at_a_time, folder, reporter)
    return found


def replayed(config: Config, name: str, samples: int, at_a_time: int, folder: Path, reporter: Reporter
             ) -> Iterator[Figure]:
    """The rows of a net's first samples, run ``at_a_time`` so many."""
    program, given, image = first(config, samples)
    layers = len(config.network.layers) - 1
    record, key = folder / f"{layers}_{samples}.json", key_of(program, image, given, export(program.machine))
    run = once(record, key, lambda: _compared(program, given, image, at_a_time, reporter))
    yield Figure(f"RTL = golden, {name}, {samples} samples: words that differ (fast shell; every state, error and "
                 f"activity at every WAIT, every weight at every WAIT after an update and at the end: "
                 f"{run['words']:,} words)", run["wrong"], "0", "words", run["wrong"] == 0)
    job = Cycles(program).run("train", at_a_time, None)
    model = samples // at_a_time * sum(job[name] for name in CYCLES)  # every part of the run is a job of its own
    yield Figure(f"cycles that RTL and cycle model differ by, {name} ({run['cycles'] / samples:,.0f} cycles a "
                 "sample)", abs(run["cycles"] - model), "0", "cycles", run["cycles"] == model)


def _compared(program: Program, given: dict[str, NDArray[np.int64]], image: NDArray[np.int64], at_a_time: int,
              reporter: Reporter) -> dict[str, int]:
    """The samples on the fast shell: ``words`` compared, ``wrong`` among the last of them, the final weights, and
    ``cycles``. Raises Mismatch, with the word, at the first difference before."""
    library = fast.prepare(program, BUILD, announce=not reporter.console.quiet)
    golden, rtl = CompiledMachine(program), fast.Session(program, library)
    words, cycles, count = 0, 0, len(next(iter(given.values())))
    try:
        golden.load(image)
        rtl.load(image)
        with reporter.task(f"{len(program.config.network.layers) - 1} layers on the RTL, every word compared",
                           count) as task:
            for at in range(0, count, at_a_time):
                part = {key: values[at:at + at_a_time] for key, values in given.items()}
                golden.run("train", part, record=True)
                assert golden.barriers is not None, "they were asked for"
                match = BarrierMatch(program, golden.barriers)
                trace = rtl.run(Job(program, "train", image, part), recorder=match)
                match.finish()
                if match.wrong:
                    raise Mismatch(f"samples from {at}: {match.wrong} of {match.words} words differ; the first: "
                                   f"{match.first}")
                words, cycles = words + match.words, cycles + sum(trace.counters[name] for name in CYCLES)
                task.advance(min(at + at_a_time, count))
    finally:
        rtl.close()
    wrong = int(np.count_nonzero(trace.final != golden.weights))
    return {"words": words + trace.final.size, "wrong": wrong, "cycles": cycles}


def first(config: Config, samples: int) -> tuple[Program, dict[str, NDArray[np.int64]], NDArray[np.int64]]:
    """The program of a net, its first training samples, and its first weights."""
    program, (chosen, _) = compile_config(config), divided(config)
    rows = order(config.training.seed, len(chosen.train))[:samples]
    return program, codes(program, chosen.train.take(rows), True), initial_image(program)
