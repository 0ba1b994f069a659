"""Training one configuration, in float and in bit-exact fixed point, from the same start.

Both see the same initial weights (rounded to codes for the fixed one), the same samples in the same
order and the same halvings of alpha, so that what differs is arithmetic alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler import Program
from hebbar.errors import BadInput
from hebbar.network import Error
from hebbar.parameters import effective

from .datasets import Dataset, Samples, epoch_order, load
from .fixed import Ints
from .health import Health, clipped, examine
from .image import to_image
from .machine import Machine
from .reference.interpreter import FloatMachine
from .reference.rules import RULES
from .reference.state import Weights, initial_weights
from .reference.training import accuracy, ends, epoch_rate, halvings, predict, train_epoch
from .sample_checks import check_samples
from .streams import to_codes

if TYPE_CHECKING:
    from .compiled import CompiledMachine

__all__ = ["Engine", "FloatCurve", "FixedCurve", "data_of", "checked", "codes", "machine_of", "train_float", "train_fixed",
           "initial_image"]

Engine = Literal["auto", "numpy", "compiled"]
"""Which golden machine runs: the compiled one where it supports the program, NumPy, or the compiled one."""

Progress = Callable[[int, float], None]
"""Called after every epoch with its number (from 1) and the accuracy on the held-out part."""


@dataclass(frozen=True)
class FloatCurve:
    """Accuracy after every epoch and the final weights by edge."""

    accuracy: tuple[float, ...]
    weights: Weights


@dataclass(frozen=True)
class FixedCurve:
    """Accuracy after every epoch, the final weight image (words, P, C), and what was clipped on the way."""

    accuracy: tuple[float, ...]
    weights: Ints
    health: Health


def data_of(program: Program) -> Dataset:
    """The configured data in the program's formats, checked against its network."""
    config, network = program.config, program.layout.network
    source, target = (network.by_name[name] for name in ends(network))
    return checked(program, load(config.data, source.activity_frac, config.machine.activity_bits, target.size))


def checked(program: Program, data: Dataset) -> Dataset:
    """``data``, whose codes and labels fit the program's network; raises BadInput when they do not."""
    network = program.layout.network
    limits = program.machine.formats.activity
    for part in (data.train, data.test):
        check_samples(part.codes, part.labels, network, limits.lo, limits.hi)
    return data


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


def train_float(program: Program, data: Dataset, progress: Progress | None = None) -> FloatCurve:
    """Train in float64, one sample at a time: IL, iPC, Z-IL and backprop by their own implementation, any
    other rule, early exit and a softmax of another beta than 1 by their schedule; gamma and tolerance are those that
    the machine holds. Raises BadInput when it diverges."""
    with np.errstate(over="ignore", invalid="ignore"):  # a sentence says it
        return _train_float(program, data, progress)


def _train_float(program: Program, data: Dataset, progress: Progress | None) -> FloatCurve:
    config, network, rule = program.config, program.layout.network, effective(program)
    heated = config.rule.beta != 1 and any(p.error is Error.CATEGORICAL for p in network.populations)
    own = config.rule.name in RULES and not config.rule.source and not config.rule.tolerance and not heated
    if not own or (network.order is None) is not (program.layout.order is None):
        return _train_schedule(program, data, progress)
    weights, curve = initial_weights(network, config.training.seed), []
    inputs, targets = data.train.inputs_float, data.train.targets
    for epoch in range(config.training.epochs):
        order = epoch_order(len(data.train), config.training.seed, epoch)
        weights = train_epoch(network, weights, inputs, targets, rule, order, 1,
                              epoch_rate(config.training, epoch))
        answers = predict(network, weights, data.test.inputs_float, rule)
        curve.append(accuracy(answers, data.test.labels))
        if progress:
            progress(epoch + 1, curve[-1])
    return FloatCurve(tuple(curve), weights)


def _train_schedule(program: Program, data: Dataset, progress: Progress | None) -> FloatCurve:
    config, network = program.config, program.layout.network
    machine, curve = FloatMachine(program, initial_weights(network, config.training.seed)), []
    for epoch in range(config.training.epochs):
        machine.halvings = halvings(config.training, epoch)
        order = epoch_order(len(data.train), config.training.seed, epoch)
        machine.run("train", _reals(program, data.train.take(order), training=True))
        answers = machine.run("predict", _reals(program, data.test, training=False))[ends(network)[1]]
        curve.append(accuracy(answers, data.test.labels))
        if progress:
            progress(epoch + 1, curve[-1])
    return FloatCurve(tuple(curve), machine.weights)


def machine_of(program: Program, engine: Engine = "auto") -> "Machine | CompiledMachine":
    """The golden machine that ``engine`` asks for; both have the same memories and compute the same.

    Raises BadInput when ``engine`` is "compiled" and the program is not supported.
    """
    if engine not in ("auto", "numpy", "compiled"):
        raise BadInput(f"engine is {engine!r}; give 'auto', 'numpy' or 'compiled'.")
    if engine == "numpy":
        return Machine(program)
    from .compiled import CompiledMachine, unsupported  # heavy: Numba

    return Machine(program) if engine == "auto" and unsupported(program) else CompiledMachine(program)


def train_fixed(program: Program, data: Dataset, progress: Progress | None = None,
                engine: Engine = "auto") -> FixedCurve:
    """Train on the golden machine, one sample at a time."""
    config, machine, curve, saturations = program.config, machine_of(program, engine), [], []
    _, target = ends(program.layout.network)
    first = initial_image(program)
    machine.load(first)
    for epoch in range(config.training.epochs):
        machine.set_rates(halvings(config.training, epoch))
        order = epoch_order(len(data.train), config.training.seed, epoch)
        every, before = config.training.refresh or len(order), _clipped(machine)
        for part in (order[i:i + every] for i in range(0, len(order), every)):
            machine.run("train", codes(program, data.train.take(part), training=True))
            if len(part) == config.training.refresh:
                machine.load(machine.read_back())
        saturations.append({kind: count - before[kind] for kind, count in _clipped(machine).items()})
        answers = machine.run("predict", codes(program, data.test, training=False))[target]
        curve.append(accuracy(answers, data.test.labels))
        if progress:
            progress(epoch + 1, curve[-1])
    last = machine.weights.copy()
    return FixedCurve(tuple(curve), last, examine(program, data, curve, saturations, first, last))


def _clipped(machine: "Machine | CompiledMachine") -> dict[str, int]:
    """Values clipped since the machine was made."""
    counters = machine.counters
    return clipped(counters.read() if isinstance(machine, Machine) else counters)
