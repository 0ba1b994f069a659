"""One task: the samples a system learns from, and what it is asked afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind

from ...image import to_image
from ...reference.state import Weights, initial_weights
from ...streams import to_codes, to_reals
from ..data_health import examine_data
from ..datasets import Dataset

__all__ = ["LearningTask", "Reals"]

Reals = Mapping[str, NDArray[np.float64]]
"""Real numbers (samples, size) by key of their transfer."""
Ints = NDArray[np.int64]

QUERIED = 8
"""How often a training is interrupted to ask, at most, where an answer takes state steps."""


@dataclass(frozen=True)
class LearningTask:
    """What a program learns and how that is measured, in real numbers.

    ``draw`` gives training samples by their numbers, ``order`` the numbers of an epoch (from 0) in their order,
    ``count`` is how many an epoch has. Afterwards ``entry`` is run on ``questions``; ``grade`` turns their outputs, or
    those of the first of them, into a share, 1 being perfect, None of too few; ``measure`` says of what.
    ``classes`` turns outputs into class numbers, ``labels`` are the right ones; None where there are none.
    ``start`` replaces seeded weights. ``data``: the labelled samples where there are any.
    """

    program: Program
    kind: Kind
    measure: str
    about: str
    count: int
    epochs: int
    draw: Callable[[Ints], Reals]
    order: Callable[[int], Ints]
    entry: str
    questions: Reals
    grade: Callable[[Reals], float | None]
    classes: Callable[[Reals], Ints] | None = None
    labels: Ints | None = None
    start: Weights = field(default_factory=dict)
    data: Dataset | None = None

    @property
    def asked(self) -> int:
        """How many questions there are."""
        return len(next(iter(self.questions.values())))

    @property
    def graded_epochs(self) -> tuple[int, ...]:
        """The epochs (from 0) after which the questions are asked, the last among them."""
        if self.entry != "query" or self.epochs <= QUERIED:
            return tuple(range(self.epochs))
        return tuple(sorted({round(e) - 1 for e in np.linspace(self.epochs / QUERIED, self.epochs, QUERIED)}))

    @property
    def doubts(self) -> tuple[str, ...]:
        """What the data cannot teach or test, in sentences."""
        return examine_data(self.data) if self.data else ()

    def note(self, grade: float) -> str:
        """A grade in words, for a line of progress; empty before the first."""
        return f"{self.measure} {grade:.4f}" if grade == grade else ""

    def weights(self) -> Weights:
        """The weights that training starts from, by edge: the seeded ones, and what the task fixes."""
        return initial_weights(self.program.layout.network, self.program.config.training.seed) | self.start

    def image(self) -> Ints:
        """The first weights as a weight image (words, P, C)."""
        return to_image(self.program.layout, self.weights())

    def codes(self, entry: str, count: int | None = None, rows: ArrayLike | None = None) -> dict[str, Ints]:
        """Samples of an entry as codes: of "train" those of ``rows``, else the first ``count`` (None: all).

        Every entry takes from the questions what it knows, from the training samples what it does not.
        """
        if entry == "train" or rows is not None:
            rows = np.arange(min(count or self.count, self.count)) if rows is None else np.asarray(rows)
            return to_codes(self.program, "train", self.draw(rows))
        given = dict(self.questions)
        keys = [t.key for t in self.program.inputs[entry]]
        if not set(keys) <= set(given):
            rows = np.arange(min(self.asked, self.count))
            given = dict(self.draw(rows)) | {key: values[:len(rows)] for key, values in given.items()}
        return to_codes(self.program, entry, {key: given[key][:count] for key in keys})

    def score(self, outputs: Mapping[str, Ints]) -> float | None:
        """The grade of outputs in codes, of the first questions or all."""
        return self.grade(to_reals(self.program, self.entry, outputs))
