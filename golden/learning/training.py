"""Training one configuration, in float and in bit-exact fixed point, from the same start.

Both see the same initial weights (rounded to codes for the fixed one), the same samples in the same
order and the same halvings of alpha, so that what differs is arithmetic alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Error
from hebbar.compiler.parameters import effective
from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ..fixed import Ints
from ..image import to_image
from ..machine import Machine
from ..reference.interpreter import FloatMachine
from ..reference.rules import RULES
from ..reference.state import Weights, initial_weights
from ..reference.training import ends, epoch_rate, halvings, predict, train_epoch
from ..streams import rounded, to_codes, to_reals
from .datasets import Dataset, Samples
from .health import Health, clipped, examine
from .tasks import LearningTask, as_task, checked, data_of, task_of
from .tasks.task import Reals

if TYPE_CHECKING:
    from ..compiled import CompiledMachine

__all__ = ["Engine", "FloatCurve", "FixedCurve", "data_of", "task_of", "checked", "codes",
           "machine_of", "train_float", "train_fixed", "initial_image"]

Engine = Literal["auto", "numpy", "compiled"]
"""Which golden machine runs: the compiled one where it supports the program, NumPy, or the compiled one."""

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


def initial_image(program: Program) -> Ints:
    """The seeded initial weights as a weight image."""
    weights = initial_weights(program.layout.network, program.config.training.seed)
    return to_image(program.layout, weights)


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


def machine_of(program: Program, engine: Engine = "auto") -> "Machine | CompiledMachine":
    """The golden machine that ``engine`` asks for; both have the same memories and compute the same.

    Raises BadInput when ``engine`` is "compiled" and the program is not supported.
    """
    if engine not in ("auto", "numpy", "compiled"):
        raise BadInput(f"engine is {engine!r}; give 'auto', 'numpy' or 'compiled'.")
    if engine == "numpy":
        return Machine(program)
    from ..compiled import CompiledMachine, unsupported  # heavy: Numba

    return Machine(program) if engine == "auto" and unsupported(program) else CompiledMachine(program)


def train_fixed(program: Program, data: Dataset | LearningTask, progress: Progress | None = None,
                engine: Engine = "auto") -> FixedCurve:
    """Train on the golden machine, one sample at a time."""
    config, machine, task = program.config, machine_of(program, engine), as_task(program, data)
    first, asked, curve, saturations = task.image(), task.codes(task.entry), list[float](), list[dict[str, int]]()
    machine.load(first)
    for epoch in range(task.epochs):
        machine.set_rates(halvings(config.training, epoch))
        order = task.order(epoch)
        every, before = config.training.refresh or len(order), clips(machine)
        for part in (order[i:i + every] for i in range(0, len(order), every)):
            machine.run("train", task.codes("train", rows=part))
            if len(part) == config.training.refresh:
                machine.load(machine.read_back() if isinstance(machine, Machine) else machine.weights)
        saturations.append({kind: count - before[kind] for kind, count in clips(machine).items()})
        if epoch in task.graded_epochs:
            outputs = machine.run(task.entry, asked)
            _graded(task, to_reals(program, task.entry, outputs), epoch, curve, progress)
        elif progress:
            progress(epoch + 1, curve[-1] if curve else nan)
    last = machine.weights.copy()
    return FixedCurve(tuple(curve), last, examine(
        program, task, curve, saturations, first, last, machine.limited), _numbers(task))


def clips(machine: "Machine | CompiledMachine") -> dict[str, int]:
    """Values clipped since the machine was made, by ``golden.learning.health.KINDS``."""
    return clipped(machine.counters.read() if isinstance(machine, Machine) else machine.counters)
