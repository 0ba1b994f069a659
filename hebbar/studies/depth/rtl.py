"""The RTL of deep networks against the golden machine: every write, on the fast shell, by hashes of their sequence."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.learning.training import codes
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hw.verilog import export
from sim.backends import fast, golden
from sim.write_hashes import compared

from .deep_net import deep, divided
from .trainings import key_of, once, order

__all__ = ["first", "measure", "replayed"]

RUNS = {False: ((32, 300), (128, 20)), True: ((32, 2),)}
"""Layers and samples."""


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """A run of the same Verilog, program, golden machine and samples is kept in ``folder`` and not made twice."""
    return [figure for layers, samples in RUNS[quick] for figure in
            replayed(deep(images, layers=layers), f"depth {layers}", samples, folder, reporter)]


def replayed(config: Config, name: str, samples: int, folder: Path, reporter: Reporter) -> Iterator[Figure]:
    """The rows of a net's first samples."""
    program, given, image = first(config, samples)
    job = Job(program, "train", image, given, steps=False, hashes=True)
    record = folder / f"{len(config.network.layers) - 1}_{samples}.json"
    run = once(record, key_of(program, image, given, export(program.machine)), lambda: _compared(job, name, reporter))
    yield Figure(f"RTL = golden, {name}, {samples} samples: words that differ (fast shell; {run['writes']:,} writes of "
                 "states, errors, activities, integrals, bases and weights in the order of their writes, and the "
                 f"weights at the end{run['first']})", run["wrong"], "0", "words", run["wrong"] == 0)
    counted = Cycles(program).run("train", samples, None)
    model = sum(counted[cause] for cause in CYCLES)
    yield Figure(f"cycles that RTL and cycle model differ by, {name} ({run['cycles'] / samples:,.0f} cycles a "
                 "sample)", abs(run["cycles"] - model), "0", "cycles", run["cycles"] == model)


def _compared(job: Job, name: str, reporter: Reporter) -> dict[str, int | str]:
    """The job on the fast shell: ``writes`` compared, how many words are ``wrong``, the ``first`` of them in words,
    and ``cycles``."""
    library = fast.prepare(job.program, BUILD, announce=not reporter.console.quiet)
    with reporter.task(f"{name} on the RTL, every write compared", job.count) as task:
        rtl = fast.run(job, library, task.advance)
    found = compared(job, golden.run(job), rtl, lambda: fast.writes(job, library))
    return {"writes": sum(count for word, count in found.words.items() if word.startswith("writes")),
            "wrong": found.total_mismatches, "first": f"; {found.first}" if found.first else "",
            "cycles": sum(rtl.counters[cause] for cause in CYCLES)}


def first(config: Config, samples: int) -> tuple[Program, dict[str, NDArray[np.int64]], NDArray[np.int64]]:
    """The program of a net, its first training samples, and its first weights."""
    program, (chosen, _) = compile_config(config), divided(config)
    rows = order(config.training.seed, len(chosen.train))[:samples]
    return program, codes(program, chosen.train.take(rows), True), initial_image(program)
