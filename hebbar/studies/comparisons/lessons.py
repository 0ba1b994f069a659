"""What is taught, part by part, and the test sets that are scored after each part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.learning.datasets import Dataset, Samples

__all__ = ["FEW", "FEW_EPOCHS", "LESSONS", "ONLINE", "Part"]

ONLINE = (25, 50, 100, 200, 400, 800)
TURNS, TURN = 12, 100
DRIFTS, DRIFT = 12, 400
FEW, FEW_EPOCHS = (1, 2, 4, 8, 16), 20


@dataclass(frozen=True)
class Part:
    """What is learnt without a pause, and the test sets that are scored after it."""

    train: Samples
    tests: tuple[Samples, ...]


def online(data: Dataset, rng: np.random.Generator) -> list[Part]:
    """Every sample once: accuracy after the first so many."""
    order = rng.permutation(len(data.train))
    return [Part(data.train.take(order[a:b]), (data.test,)) for a, b in zip((0, *ONLINE), ONLINE)]


def interference(data: Dataset, rng: np.random.Generator) -> list[Part]:
    """Classes 0-4 and 5-9 in turns on the same five outputs; both are tested after every turn."""
    tasks = [[_relabelled(s, s.labels % 5, np.flatnonzero(s.labels // 5 == task)) for s in (data.train, data.test)]
             for task in (0, 1)]
    tests = tuple(test for _, test in tasks)
    train = [tasks[n % 2][0] for n in range(TURNS)]
    return [Part(t.take(rng.permutation(len(t))[:TURN]), tests) for t in train]


def drift(data: Dataset, rng: np.random.Generator) -> list[Part]:
    """Before every part five of the ten classes exchange their labels."""
    labels, parts = np.arange(10), []
    for _ in range(DRIFTS):
        some = rng.permutation(10)[:5]
        labels[some] = labels[np.roll(some, 1)]
        train, test = (_relabelled(s, labels[s.labels], np.arange(len(s))) for s in (data.train, data.test))
        parts.append(Part(train.take(rng.permutation(len(train))[:DRIFT]), (test,)))
    return parts


def few(count: int) -> Callable[[Dataset, np.random.Generator], list[Part]]:
    """``count`` samples of every class, over and over."""
    def parts(data: Dataset, rng: np.random.Generator) -> list[Part]:
        rows = np.concatenate([rng.permutation(np.flatnonzero(data.train.labels == c))[:count] for c in range(10)])
        order = np.concatenate([rng.permutation(rows) for _ in range(FEW_EPOCHS)])
        return [Part(data.train.take(order), (data.test,))]
    return parts


def _relabelled(samples: Samples, labels: NDArray[np.int64], rows: NDArray[np.int64]) -> Samples:
    return Samples(samples.codes[rows], labels[rows], samples.activity_frac, samples.classes)


LESSONS: dict[str, Callable[[Dataset, np.random.Generator], list[Part]]] = {
    f"online, first {ONLINE[-1]} samples": online, "two tasks in turns": interference, "labels that drift": drift,
    **{f"{n} samples a class": few(n) for n in FEW}}
