"""Ten thousand samples of the preset ``deep``, pipelined on the RTL, drained on the golden machine: their weights."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.trace import Job
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hw.verilog import export
from sim.backends import fast

from .deep_net import deep
from .rtl import first
from .trainings import key_of, once

__all__ = ["measure", "pieces"]

SAMPLES, PIECE = {False: 10_000, True: 2}, {False: 250, True: 1}


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The row of the weights, and that of the cycles. Every piece is kept in ``folder``, so that a run that was stopped
    goes on with the next one."""
    plain, given, image = first(deep(images), SAMPLES[quick])
    program = compile_config(plain.config.replace(rule={"schedule": "pipelined"}))
    runs = list(pieces(plain, program, image, given, PIECE[quick], folder, reporter))
    wrong, cycles = (sum(run[name] for run in runs) for name in ("wrong", "cycles"))
    name = f"depth 32, {SAMPLES[quick]:,} samples"
    return [Figure(f"RTL mismatches, {name}: weights that differ from golden's at the ends of {len(runs)} pieces "
                   f"({image.size:,} weights)", wrong, "0", "weights", wrong == 0),
            Figure(f"cycles on the RTL, {name}", cycles, "printed", "cycles", None)]


def pieces(plain: Program, program: Program, image: NDArray[np.int64], given: dict[str, NDArray[np.int64]],
           piece: int, folder: Path, reporter: Reporter) -> Iterator[dict[str, int]]:
    """Run the samples by the ``piece``, the program that drains, ``plain``, on the golden machine and ``program`` on
    the RTL: the weights that are ``wrong`` at each end, and the RTL's ``cycles``.

    RTL and golden machine begin a piece with the same weights, which are the golden machine's: that of the RTL's are no
    others is what the piece before has shown, or its ``wrong`` is not 0."""
    library, verilog = fast.prepare(program, BUILD, announce=not reporter.console.quiet), export(program.machine)
    golden, weights, count = CompiledMachine(plain), image, len(next(iter(given.values())))
    with reporter.task("samples on the RTL", count) as task:
        for at in range(0, count, piece):
            part = {key: values[at:at + piece] for key, values in given.items()}
            golden.load(weights)
            golden.run("train", part)
            job, ends = Job(program, "train", weights, part, steps=False), golden.weights

            def run(job: Job = job, ends: NDArray[np.int64] = ends, before: int = at) -> dict[str, int]:
                trace = fast.run(job, library, lambda done: task.advance(before + done))
                return {"wrong": int(np.count_nonzero(trace.final != ends)),
                        "cycles": sum(trace.counters[name] for name in CYCLES)}

            key = key_of(plain, weights, part, f"{program.words} {verilog}")
            yield once(folder / f"{at}.json", key, run)
            weights = ends.copy()
            task.advance(min(at + piece, count))
