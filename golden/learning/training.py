"""Training one configuration, in float and in bit-exact fixed point, from the same start.

Both see the same initial weights (rounded to codes for the fixed one), the same samples in the same
order and the same halvings of alpha, so that what differs is arithmetic alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Error
from hebbar.compiler.parameters import effective
from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind

from ..fixed import Ints
from ..reference.interpreter import FloatMachine
from ..reference.rules import RULES
from ..reference.state import Weights
from ..reference.training import ends, epoch_rate, halvings, predict, train_epoch
from ..session import Engine, Session
from ..streams import rounded, to_codes, to_reals
from .datasets import Dataset, Samples
from .health import Health, clipped, examine
from .tasks import LearningTask, as_task, checked, data_of, task_of
from .tasks.task import Reals

__all__ = ["FloatCurve", "FixedCurve", "data_of", "task_of", "checked", "codes", "train_float", "train_fixed"]

Progress = Callable[[int, float], None]
"""Called after every epoch with its number (from 1) and the last grade, an accuracy on the held-out part for instance;
NaN before the first."""


@dataclass(frozen=True)
class FloatCurve:
    """Accuracy, or what else the task measures, after ``epochs`` (from 1) and the final weights by edge."""

    accuracy: tuple[float, ...]
    weights: Weights
    epochs: tuple[int, ...] = ()


@dataclass(frozen=True)
class FixedCurve:
    """Accuracy, or what else the task measures, after ``epochs`` (from 1), the final weight image (words, P, C), and
    what was clipped on the way."""

    accuracy: tuple[float, ...]
    weights: Ints
    health: Health
    epochs: tuple[int, ...] = ()


def codes(program: Program, samples: Samples, training: bool) -> dict[str, NDArray[np.int64]]:
    """Samples as machine inputs: input codes and, while training, target states 1 and 0."""
    return to_codes(program, "train" if training else "predict", _reals(program, samples, training))


def _reals(program: Program, samples: Samples, training: bool) -> dict[str, NDArray[np.float64]]:
    source, target = ends(program.layout.network)
    return {source: samples.inputs_float} | ({target: samples.targets.astype(np.float64)} if training else {})


def train_float(program: Program, data: Dataset | LearningTask, progress: Progress | None = None) -> FloatCurve:
    """Train in float64, one sample at a time: IL, iPC, Z-IL and backprop by their own implementation, any
    other rule, early exit and a softmax of another beta than 1 by their schedule, as are tasks without labels; gamma
    and tolerance are those that the machine holds. Raises BadInput when it diverges."""
    with np.errstate(over="ignore", invalid="ignore"):  # a sentence says it
        return _train_float(program, data, progress)


def _train_float(program: Program, data: Dataset | LearningTask, progress: Progress | None) -> FloatCurve:
    config, network, task = program.config, program.layout.network, as_task(program, data)
    rule = effective(program)
    heated = config.rule.beta != 1 and any(p.error is Error.CATEGORICAL for p in network.populations)
    own = config.rule.name in RULES and not config.rule.source and not config.rule.tolerance and not heated
    if task.kind is not Kind.CLASSIFICATION or not own or (network.order is None) is not (program.layout.order is None):
        return _train_schedule(program, task, progress)
    weights, curve = task.weights(), list[float]()
    assert task.data is not None
    inputs, targets, (source, target) = task.data.train.inputs_float, task.data.train.targets, ends(network)
    for epoch in range(task.epochs):
        weights = train_epoch(network, weights, inputs, targets, rule, task.order(epoch), 1,
                              epoch_rate(config.training, epoch))
        answers = predict(network, weights, task.questions[source], rule)
        _graded(task, {target: answers}, epoch, curve, progress)
    return FloatCurve(tuple(curve), weights, _numbers(task))


def _train_schedule(program: Program, task: LearningTask, progress: Progress | None) -> FloatCurve:
    machine, curve = FloatMachine(program, task.weights()), list[float]()
    asked = rounded(program, task.entry, task.questions)
    for epoch in range(task.epochs):
        machine.halvings = halvings(program.config.training, epoch)
        machine.run("train", rounded(program, "train", task.draw(task.order(epoch))))
        if epoch in task.graded_epochs:
            _graded(task, machine.run(task.entry, asked), epoch, curve, progress)
        elif progress:
            progress(epoch + 1, curve[-1] if curve else nan)
    return FloatCurve(tuple(curve), machine.weights, _numbers(task))


def _graded(task: LearningTask, outputs: Reals, epoch: int, curve: list[float], progress: Progress | None) -> None:
    """Take the grade of an epoch down."""
    grade = task.grade(outputs)
    assert grade is not None, "all questions were asked"
    curve.append(grade)
    if progress:
        progress(epoch + 1, grade)


def _numbers(task: LearningTask) -> tuple[int, ...]:
    return tuple(epoch + 1 for epoch in task.graded_epochs)


def train_fixed(program: Program, data: Dataset | LearningTask, progress: Progress | None = None,
                engine: Engine = "auto") -> FixedCurve:
    """Train on the golden machine, one sample at a time."""
    config, task = program.config, as_task(program, data)
    first, asked, curve, saturations = task.image(), task.codes(task.entry), list[float](), list[dict[str, int]]()
    session = Session(program, first, engine)
    for epoch in range(task.epochs):
        slower, order = halvings(config.training, epoch), task.order(epoch)
        every, before = config.training.refresh or len(order), clipped(session.counters)
        for part in (order[i:i + every] for i in range(0, len(order), every)):
            session.run_codes("train", task.codes("train", rows=part), slower)
            if len(part) == config.training.refresh:
                session.refresh()
        saturations.append({kind: count - before[kind] for kind, count in clipped(session.counters).items()})
        if epoch in task.graded_epochs:
            _graded(task, to_reals(program, task.entry, session.run_codes(task.entry, asked, slower)), epoch, curve,
                    progress)
        elif progress:
            progress(epoch + 1, curve[-1] if curve else nan)
    last = session.image.copy()
    return FixedCurve(tuple(curve), last, examine(
        program, task, curve, saturations, first, last, session.limits), _numbers(task))
