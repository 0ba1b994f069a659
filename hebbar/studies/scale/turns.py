"""Contenders that take turns, so that all of them see the same load of the computer, on one thread each."""

from collections.abc import Callable, Mapping
from statistics import median
from time import process_time

from threadpoolctl import threadpool_limits

from hebbar.contract.console import Reporter

__all__ = ["ratio", "take_turns"]


def take_turns(runs: Mapping[str, Callable[[], int]], rounds: int, what: str, reporter: Reporter
               ) -> dict[str, list[float]]:
    """Samples a second of processor time, by contender and round; a run returns the number of its samples."""
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    with threadpool_limits(1), reporter.task(what, rounds) as task:
        for i in range(rounds):
            for name, run in runs.items():
                start = process_time()
                count = run()
                speeds[name].append(count / (process_time() - start))
            task.advance(i + 1)
    return speeds


def ratio(one: list[float], other: list[float]) -> tuple[float, str]:
    """The median of the ratios round by round, and their range in words."""
    ratios = [a / b for a, b in zip(one, other, strict=True)]
    return round(median(ratios), 3), f"{len(ratios)} rounds, {min(ratios):.3f} to {max(ratios):.3f}"
