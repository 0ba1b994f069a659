"""Many trainings at once: configurations times seeds on several cores, in a fixed order.

Every process computes with one thread, so that a result does not depend on how many run beside it.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from golden.learning.tasks import task_of
from golden.learning.training import train_fixed, train_float
from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from sim.backends import golden

__all__ = ["Row", "in_parallel", "print_sweep", "row", "sweep"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One training: accuracies of the last epoch on the held-out part, and the SHA-256 of the final
    weight image (int32, words x P x C)."""

    name: str
    rule: str
    seed: int
    accuracy_float: float
    accuracy_fixed: float
    weight_hash: str


def sweep(configs: list[Config], seeds: list[int], jobs: int, reporter: Reporter) -> list[Row]:
    """Train every configuration with every seed (of weights, order and split), ``jobs`` at a time.

    Rows in the order of the configurations, then of the seeds.
    """
    programs = [compile_config(config) for config in configs]
    for program in programs:
        task_of(program)  # missing data are said before the first training
    golden.compile_ahead(programs, reporter)  # here, once, so that no process has to
    work = [(config, seed) for config in configs for seed in seeds]
    return in_parallel(row, work, jobs, reporter, "trainings",
                       lambda r: f"{r.name} seed {r.seed} fixed {r.accuracy_fixed:.4f}")


def row(config: Config, seed: int) -> Row:
    """Train one configuration with one seed, in float and in fixed point."""
    config = config.replace(training={"seed": seed}, data={"seed": seed})
    program = compile_config(config)
    task = task_of(program)
    floating, fixed = train_float(program, task), train_fixed(program, task)
    digest = sha256(np.ascontiguousarray(fixed.weights, "<i4").tobytes()).hexdigest()
    return Row(config.name, config.rule.name, seed, floating.accuracy[-1], fixed.accuracy[-1], digest)


def in_parallel(function: Callable[..., Result], work: Sequence[tuple[Any, ...]], jobs: int, reporter: Reporter,
                name: str, note: Callable[[Result], str]) -> list[Result]:
    """``function(*arguments)`` for all of ``work`` in ``jobs`` processes; results in the order of ``work``.

    Progress is shown as results arrive, in whatever order. The first exception ends the rest.
    """
    from joblib import Parallel, delayed, parallel_config  # heavy, and only needed here

    found: dict[int, Result] = {}
    with reporter.task(name, len(work)) as task, parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        calls = (delayed(_numbered)(i, function, arguments) for i, arguments in enumerate(work))
        try:
            with _interrupts_blocked():
                results = Parallel(return_as="generator_unordered")(calls)
            for i, result in results:
                found[i] = result
                task.advance(len(found), note(result))
        except BrokenExecutor:
            raise BadInput(f"a process of the {jobs} that worked on {name} was ended from outside, as a system does "
                           "that runs out of memory; use fewer --jobs.") from None
    return [found[i] for i in range(len(work))]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes started inside leave Ctrl-C, which a terminal sends to all, to this one: it ends them."""
    from joblib.externals.loky.backend import resource_tracker as of_loky

    for tracker in (resource_tracker, of_loky):  # the start of either, inside, would let interrupts through again
        tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _numbered(number: int, function: Callable[..., Result], arguments: tuple[Any, ...]) -> tuple[int, Result]:
    return number, function(*arguments)


def print_sweep(rows: list[Row]) -> None:
    """A line a configuration and seed, then means and spreads."""
    table = Table()
    for column in ("configuration", "rule", "seed", "float %", "fixed %", "final weights"):
        table.add_column(column, justify="right" if "%" in column or column == "seed" else "left")
    for r in rows:
        table.add_row(r.name, r.rule, str(r.seed), f"{100 * r.accuracy_float:.2f}", f"{100 * r.accuracy_fixed:.2f}",
                      r.weight_hash[:12])
    Console().print(table)
