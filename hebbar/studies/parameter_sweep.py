"""One training of a configuration with a seed, and many calls at once on several cores, in a fixed order.

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
from threadpoolctl import threadpool_limits

from golden.learning.tasks import LearningTask, as_task, task_of
from golden.learning.training import train_fixed, train_float
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput

__all__ = ["Row", "Stopped", "arriving", "in_parallel", "interrupts_blocked", "row", "task_for"]

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


class Stopped(BadInput):
    """A training that could not go on, as one that diverges; it does so whenever it is tried."""


def row(config: Config, seed: int, validation: float = 0.0) -> Row:
    """Train one configuration with one seed, in float and in fixed point; ``validation``: as in ``task_for``. Raises
    Stopped for a training that cannot be finished."""
    config = config.replace(training={"seed": seed}, data={"seed": seed})
    program = compile_config(config)
    with threadpool_limits(1):  # sums of a matrix product have an order of their own for every number of threads
        task = task_for(program, validation)
        try:
            floating, fixed = train_float(program, task), train_fixed(program, task)
        except BadInput as error:
            raise Stopped(str(error)) from None
    digest = sha256(np.ascontiguousarray(fixed.weights, "<i4").tobytes()).hexdigest()
    return Row(config.name, config.rule.name, seed, floating.accuracy[-1], fixed.accuracy[-1], digest)


def task_for(program: Program, validation: float = 0.0) -> LearningTask:
    """The task of a program, graded on the share ``validation`` of its training data, which it does not learn from;
    0: on the test data. Raises BadInput for a task without samples to hold out."""
    task = task_of(program)
    if not validation:
        return task
    if task.data is None:
        raise BadInput(f"{program.config.name} is graded on {task.about} and has no labelled samples to hold out; "
                       "leave --validation and --search out.")
    return as_task(program, task.data.validation(validation))


def in_parallel(function: Callable[..., Result], work: Sequence[tuple[Any, ...]], jobs: int, reporter: Reporter,
                name: str, note: Callable[[Result], str]) -> list[Result]:
    """``function(*arguments)`` for all of ``work`` in ``jobs`` processes; results in the order of ``work``.

    Progress is shown as results arrive, in whatever order. The first exception ends the rest.
    """
    found: dict[int, Result] = {}
    with reporter.task(name, len(work)) as task:
        for i, result in arriving(function, work, jobs):
            found[i] = result
            task.advance(len(found), note(result))
    return [found[i] for i in range(len(work))]


def arriving(function: Callable[..., Result], work: Sequence[tuple[Any, ...]], jobs: int
             ) -> Iterator[tuple[int, Result]]:
    """``function(*arguments)`` for all of ``work`` in ``jobs`` processes: number and result of each as it ends."""
    from joblib import Parallel, delayed, parallel_config  # heavy, and only needed here

    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        calls = (delayed(_numbered)(i, function, arguments) for i, arguments in enumerate(work))
        try:
            with interrupts_blocked():
                results = Parallel(return_as="generator_unordered")(calls)
            yield from results
        except BrokenExecutor:
            raise BadInput(f"a process of the {jobs} at work was ended from outside, as a system does that runs out of "
                           "memory; use fewer --jobs.") from None


@contextmanager
def interrupts_blocked() -> Iterator[None]:
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
