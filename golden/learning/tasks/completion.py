"""Memories that complete what they have stored from a part of it."""

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Role
from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ..datasets import epoch_order
from .labelled import inputs_of
from .task import LearningTask, Reals

__all__ = ["completion", "upper_half", "relative_error"]

STORED = 32
QUICK = 4, 1
"""Samples that are stored and completed with ``quick``."""


def completion(program: Program, quick: bool = False) -> LearningTask:
    """Store samples, complete each from its first half (of an image the upper one); random bits, 0 and 1, where the
    default data do not fit."""
    name = _only(program)
    stored = inputs_of(program, STORED, name)
    if stored is None:
        bits = np.random.default_rng(program.config.data.seed).integers(0, 2, (STORED, _size(program, name)))
        stored = bits.astype(np.float64)
    count, asked = QUICK if quick else (STORED, STORED)
    stored = stored[:count]
    whole = ((stored.mean(axis=0) - stored)[:, stored.shape[1] // 2:] ** 2).sum() / len(stored)

    def grade(out: Reals) -> float:
        answers = out[name]
        return 1 - float(_errors(answers, stored[:len(answers)]).mean() / whole)

    return LearningTask(
        program, Kind.COMPLETION, "variance explained", f"the other half of {asked} stored samples", count,
        1 if quick else program.config.training.epochs, lambda rows: {name: stored[rows]},
        lambda epoch: epoch_order(count, program.config.training.seed, epoch),
        "query", {key: values[:asked] for key, values in upper_half(stored, name).items()}, grade)


def upper_half(stored: NDArray[np.float64], name: str = "v") -> dict[str, NDArray[np.float64]]:
    """A query that holds the first half of every sample and nothing of the second."""
    known = np.zeros_like(stored)
    known[:, :stored.shape[1] // 2] = 1
    return {name: stored * known, f"{name}.clamp": known}


def relative_error(answers: NDArray[np.float64], stored: NDArray[np.float64],
                   mean: NDArray[np.float64] | None = None) -> float:
    """Squared error of the second halves over that of the mean of the stored samples, or of another ``mean``."""
    guess = stored.mean(axis=0) if mean is None else mean
    return float(_errors(answers, stored).sum() / _errors(guess, stored).sum())


def _errors(answers: NDArray[np.float64], stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared error of the second half of each sample."""
    return ((answers - stored)[:, stored.shape[1] // 2:] ** 2).sum(axis=1)


def _size(program: Program, name: str) -> int:
    return program.layout.network.by_name[name].size


def _only(program: Program) -> str:
    """The predicted input; raises BadInput unless there is one and no other input."""
    inputs = program.layout.network.with_role(Role.INPUT)
    if len(inputs) != 1:
        raise BadInput(f"network.populations has {len(inputs)} of role 'input' and the default data are for one; give "
                       "samples of your own to Experiment.run.")
    return inputs[0].name
