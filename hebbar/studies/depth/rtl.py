"""The RTL of deep networks against the golden machine: every word at every WAIT, on the fast shell."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from golden.compiled import CompiledMachine
from golden.learning.training import codes
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import Mismatch
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast
from sim.barrier_match import BarrierMatch

from .deep_net import deep, divided
from .trainings import order

__all__ = ["first", "measure"]

RUNS = {False: ((32, 300, 10), (128, 20, 1)), True: ((32, 2, 1),)}
"""Layers, samples, and samples at a time: the golden machine keeps their barriers, 2 GB for one of 128 layers."""


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """``folder`` is unused."""
    return [figure for run in RUNS[quick] for figure in _at_barriers(*run, images, reporter)]


def _at_barriers(layers: int, samples: int, at_a_time: int, images: Path | None, reporter: Reporter
                 ) -> Iterator[Figure]:
    """The first samples of a training on the fast shell. Raises Mismatch, with the word, at the first difference."""
    program, given, image = first(layers, samples, images)
    library = fast.prepare(program, BUILD, announce=not reporter.console.quiet)
    golden, rtl = CompiledMachine(program), fast.Session(program, library)
    words = cycles = 0
    try:
        golden.load(image)
        rtl.load(image)
        with reporter.task(f"{layers} layers on the RTL, every word compared", samples) as task:
            for at in range(0, samples, at_a_time):
                part = {key: values[at:at + at_a_time] for key, values in given.items()}
                golden.run("train", part, record=True)
                assert golden.barriers is not None, "they were asked for"
                match = BarrierMatch(program, golden.barriers)
                trace = rtl.run(Job(program, "train", image, part), recorder=match)
                match.finish()
                if match.wrong:
                    raise Mismatch(f"depth {layers}, samples from {at}: {match.wrong} of {match.words} words differ; "
                                   f"the first: {match.first}")
                words, cycles = words + match.words, cycles + sum(trace.counters[name] for name in CYCLES)
                task.advance(min(at + at_a_time, samples))
    finally:
        rtl.close()
    final = trace.final
    wrong = int(np.count_nonzero(final != golden.weights))
    yield Figure(f"RTL = golden, depth {layers}, {samples} samples: words that differ (fast shell; every state, error "
                 f"and activity at every WAIT, every weight at every WAIT after an update and at the end: "
                 f"{words + final.size:,} words)", wrong, "0", "words", wrong == 0)
    model = sum(Cycles(program).run("train", samples, None)[name] for name in CYCLES)
    yield Figure(f"cycles that RTL and cycle model differ by, depth {layers} ({cycles / samples:,.0f} cycles a sample)",
                 abs(cycles - model), "0", "cycles", cycles == model)


def first(layers: int, samples: int, images: Path | None) -> tuple[Program, dict[str, np.ndarray], np.ndarray]:
    """A net, its first training samples, and its first weights."""
    config = deep(images, layers=layers)
    program, (chosen, _) = compile_config(config), divided(config)
    rows = order(config.training.seed, len(chosen.train))[:samples]
    return program, codes(program, chosen.train.take(rows), True), initial_image(program)
