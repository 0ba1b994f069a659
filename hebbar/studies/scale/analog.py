"""The compiled golden machine beside the NumPy blocks on analog programs, with all noise of a published device."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from golden.fixed import Ints
from golden.learning.training import codes, data_of
from golden.session import Engine, Session, initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..devices import with_device
from .turns import ratio, take_turns

__all__ = ["measure"]

ROUNDS = {False: 9, True: 2}
SAMPLES = {False: 200, True: 3}
"""Samples of a turn, of both alike: cells that have changed decide what an update costs."""
LEAST = 20
CASES = (("pcm", "il", True), ("pcm", "ipc", False), ("pcm", "backprop", False), ("rram_soft", "il", False),
         ("sram_charge", "il", False), ("ideal", "il", False))
"""Device, rule, and whether it is the case of the target."""
CHECKED = 20
ENGINES: tuple[Engine, ...] = ("compiled", "numpy")


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """How many times as fast ``digits_analog`` trains, by device and rule, and bits that differ. ``folder`` and
    ``images`` are unused."""
    figures, wrong = [], 0
    for device, rule, counts in CASES:
        program = compile_config(with_device(load("digits_analog").replace(rule={"name": rule}), device))
        given = codes(program, data_of(program).train, training=True)
        wrong += differing(program, given)
        name = f"analog programs compiled against the NumPy blocks, digits_analog, {device}, {rule}"
        runs: dict[str, Callable[[], int]] = {
            engine: _trainer(program, given, engine, SAMPLES[quick]) for engine in ENGINES}
        speeds = take_turns(runs, ROUNDS[quick], name, reporter)
        times, text = ratio(speeds["compiled"], speeds["numpy"])
        figures += [Figure(f"{name} ({text})", times, f">= {LEAST} times" if counts else "beside it", "times",
                           times >= LEAST if counts else None),
                    Figure(f"compiled golden machine, digits_analog, {device}, {rule}",
                           round(median(speeds["compiled"])), "beside it", "samples/s", None)]
    return [*figures, Figure(f"weights, outputs and counters that differ after {CHECKED} samples of each", wrong, "0",
                             "", wrong == 0)]


def differing(program: Program, given: dict[str, Ints]) -> int:
    """How many weights, outputs and counters of a training differ between the two engines."""
    ends = []
    for engine in ENGINES:
        session = Session(program, initial_image(program), engine)
        outputs = session.run_codes("train", {key: rows[:CHECKED] for key, rows in given.items()})
        ends.append([session.image, *outputs.values(), np.array(list(session.counters.values())),
                     np.array(list(session.limits.values()))])
    return sum(int(np.count_nonzero(a != b)) for a, b in zip(*ends, strict=True))


def _trainer(program: Program, given: dict[str, Ints], engine: Engine, count: int) -> Callable[[], int]:
    session = Session(program, initial_image(program), engine)
    part = {key: rows[:count] for key, rows in given.items()}

    def train() -> int:
        session.run_codes("train", part)
        return session.count

    return train
