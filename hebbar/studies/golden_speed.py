"""Speed of the golden machine: samples a second, compiled and in NumPy, on one thread."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from golden.learning.training import codes, data_of
from golden.session import Engine, Session, initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Mismatch
from hebbar.contract.results import Figure
from sim.backends import golden

__all__ = ["measure"]

PRESET = "digits"
TARGET = 150_000
TIMES = 30
REPEATS = {False: 15, True: 5}
NUMPY_SAMPLES = {False: 400, True: 100}


def measure(quick: bool, reporter: Reporter) -> list[Figure]:
    """Training samples a second of the ``digits`` preset, batch 1, checks and copies included.

    A repeat of the compiled machine is one epoch, a NumPy one a part of it (``quick``: fewer and
    shorter ones); they alternate, so that both see the same machine load. Raises Mismatch when the two
    end with different weights.
    """
    program = compile_config(load(PRESET))
    seconds = golden.compile_ahead([program], reporter)
    samples = codes(program, data_of(program).train, training=True)
    part = {name: values[:NUMPY_SAMPLES[quick]] for name, values in samples.items()}
    _agree(program, part)
    runs = {"compiled": _runner(program, "compiled", samples), "numpy": _runner(program, "numpy", part)}
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    with reporter.task("golden machine: speed", REPEATS[quick]) as task:
        for i in range(REPEATS[quick]):
            for name, run in runs.items():
                speeds[name].append(run())
            task.advance(i + 1, f"{speeds['compiled'][-1]:,.0f} samples/s")
    return _figures(speeds, seconds)


def _runner(program: Program, engine: Engine, samples: dict[str, Any]) -> Callable[[], float]:
    """A function that trains once over ``samples`` and returns samples a second."""
    session = Session(program, initial_image(program), engine)
    count = len(next(iter(samples.values())))

    def run() -> float:
        start = perf_counter()
        session.run_codes("train", samples)
        return count / (perf_counter() - start)

    return run


def _agree(program: Program, samples: dict[str, Any]) -> None:
    """Raise Mismatch unless both machines learn the same from ``samples``."""
    engines: tuple[Engine, ...] = "numpy", "compiled"
    sessions = [Session(program, initial_image(program), engine) for engine in engines]
    for session in sessions:
        session.run_codes("train", samples)
    if not np.array_equal(sessions[0].image, sessions[1].image):
        raise Mismatch("the compiled golden machine and the NumPy one learn different weights; run "
                       "tests/golden/test_compiled.py.")


def _figures(speeds: dict[str, list[float]], seconds: float) -> list[Figure]:
    compiled, plain = max(speeds["compiled"]), max(speeds["numpy"])
    count, ratio = len(speeds["compiled"]), compiled / plain
    texts = {name: f"best of {count}, median {median(values):,.0f}" for name, values in speeds.items()}
    return [
        Figure(f"golden machine, compiled, {PRESET} training, one thread ({texts['compiled']})", round(compiled),
               f">= {TARGET:,}", "samples/s", compiled >= TARGET),
        Figure(f"golden machine, NumPy, the same ({texts['numpy']})", round(plain), "printed", "samples/s", None),
        Figure("golden machine, compiled against NumPy", round(ratio, 1), f">= {TIMES}", "times", ratio >= TIMES),
        Figure("golden machine, time to compile or to load from disk", round(seconds, 2), "printed", "s", None)]
