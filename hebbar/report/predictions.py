"""What a trained network answers to samples in a file, as a table and as CSV."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from golden.given import numbers
from golden.learning.answers import answers
from golden.learning.described import class_names_in
from golden.learning.sample_checks import check_labels
from golden.learning.sample_files import samples_to_answer
from golden.learning.weights import load_image
from golden.reference.training import ends
from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.compiler.rules import find
from hebbar.compiler.tasks import Kind, kind_of
from hebbar.contract.console import terminal
from hebbar.contract.errors import BadInput
from hebbar.contract.files import whole

__all__ = ["Predictions", "predictions"]

SHOWN = 20
"""Answers in the table on the terminal; the file has all."""


@dataclass(frozen=True)
class Predictions:
    """Answers to the samples ``called`` so: ``scores`` (samples, classes), the target's states in real units;
    ``labels`` (samples,) are the right class numbers, None where the file has none; ``names`` of the classes by number;
    ``warnings`` about values that were clipped and files that were left out."""

    called: tuple[str, ...]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def answers(self) -> NDArray[np.int64]:
        """Class numbers (samples,): the largest score, the first of equal ones."""
        return self.scores.argmax(axis=1)

    @property
    def accuracy(self) -> float | None:
        """The share of right answers, 0 to 1; None where it is not known which are right."""
        return None if self.labels is None else float(np.mean(self.answers == self.labels))

    def record(self) -> dict[str, Any]:
        """What ``result.json`` holds of it."""
        return {"samples": len(self.called), "accuracy": self.accuracy, "warnings": list(self.warnings),
                "labels": {name: self.names[answer] for name, answer in zip(self.called, self.answers)}}

    def write(self, path: Path) -> None:
        """Write a line for every sample: what it is called, the answer, the right one where it is known, the score of
        every class."""
        known = [] if self.labels is None else ["right"]
        with whole(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(["sample", "label", *known, *(f"score {name}" for name in self.names)])
            for i, (name, answer) in enumerate(zip(self.called, self.answers)):
                right = [] if self.labels is None else [self.names[self.labels[i]]]
                out.writerow([name, self.names[answer], *right, *(repr(float(score)) for score in self.scores[i])])

    def show(self) -> None:
        """Print the first answers and how many are right."""
        table = Table("sample", "label", "score", *([] if self.labels is None else ["right"]))
        for i, (name, answer) in enumerate(zip(self.called[:SHOWN], self.answers)):
            right = [] if self.labels is None else [self.names[self.labels[i]]]
            table.add_row(name, self.names[answer], f"{self.scores[i, answer]:.4f}", *right)
        terminal().print(table)
        if self.accuracy is not None:
            print(f"accuracy: {100 * self.accuracy:.2f} % of {len(self.called):,} samples")


def predictions(config: Config, weights: Path, file: Path) -> Predictions:
    """Answers of the golden machine with the ``weights`` in a file to the samples in ``file``.

    Raises BadInput for a network that does not classify, weights that do not fit it, and samples that cannot be read.
    """
    program = compile_config(config)
    network = program.layout.network
    kind = kind_of(network, find(config.rule).task)
    if kind is not Kind.CLASSIFICATION:
        raise BadInput(f"the network of {weights} does not classify (its task is {kind.value}); use hebbar simulate "
                       "--entry predict or query, or Experiment.run.")
    source, target = (network.by_name[name] for name in ends(network))
    image, known = load_image(program.layout, weights), class_names_in(weights)
    samples = samples_to_answer(file, source.size, config.data, known, target.size)
    names = tuple(str(i) for i in range(target.size)) if not known else (
        *known, *(str(i) for i in range(len(known), target.size)))
    labels = None if samples.labels is None else _checked(file, samples.labels, len(samples.inputs), target.size)
    if not len(samples.inputs):
        raise BadInput(f"{file} holds no samples; give at least one.")
    scores, said = answers(program, image, samples.inputs)
    return Predictions(samples.called, scores, labels, names, (*samples.remarks, *said))


def _checked(file: Path, labels: NDArray[Any], count: int, classes: int) -> NDArray[np.int64]:
    given = numbers(f"{file}: labels", labels)
    if given.shape != (count,):
        raise BadInput(f"{file}: labels has shape {given.shape} for {count} samples; give one label for each.")
    check_labels(f"{file}: labels", given, classes)
    return given.astype(np.int64)
