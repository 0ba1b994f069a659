"""Labelled samples: classification, and one generative network that is asked for the label of its input."""

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.config import DataConfig
from hebbar.compiler.program import Program
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ...reference.training import accuracy, ends
from ..datasets import Dataset, Samples, epoch_order, load
from ..sample_checks import check_samples
from .task import LearningTask, Reals

__all__ = ["classification", "generation", "data_of", "checked", "inputs_of"]

QUICK = 20, 10
"""Samples to learn from and to be asked for with ``quick``."""
QUICK_QUERIES = 2
ASKED = 100
"""Queries, each of hundreds of state steps."""


def data_of(program: Program) -> Dataset:
    """The configured data in the program's formats, checked against its network."""
    config, network = program.config, program.layout.network
    source, target = (network.by_name[name] for name in ends(network))
    data = load(config.data, source.activity_frac, config.machine.activity_bits, target.size)
    if config.data == DataConfig() and data.train.codes.shape[1] != source.size:
        raise BadInput(f"no data are configured, and the default, digits of {data.train.codes.shape[1]} pixels, do not "
                       f"fit population {source.name!r} of {source.size} neurons; set data.name to 'npz', 'csv' or "
                       "'images' and data.path to samples of your own, or give samples to Experiment.fit or "
                       "Experiment.run.")
    return checked(program, data)


def checked(program: Program, data: Dataset) -> Dataset:
    """``data``, whose codes and labels fit the program's network; raises BadInput when they do not."""
    network, limits = program.layout.network, program.machine.formats.activity
    for part in (data.train, data.test):
        check_samples(part.codes, part.labels, network, limits.lo, limits.hi)
    return data


def classification(program: Program, data: Dataset | None = None, quick: bool = False) -> LearningTask:
    """The configured data, or ``data``; the target's largest state is the answer."""
    data = data or data_of(program)
    source, target = ends(program.layout.network)
    count, asked = (min(n, len(part)) if quick else len(part)
                    for n, part in zip(QUICK, (data.train, data.test)))
    test = data.test.take(np.arange(asked)) if quick else data.test
    return LearningTask(
        program, Kind.CLASSIFICATION, "accuracy", f"{asked:,} held-out samples", count, _epochs(program, quick),
        lambda rows: _pair(data.train.take(rows), source, target),
        lambda epoch: epoch_order(count, program.config.training.seed, epoch),
        "predict", {source: test.inputs_float}, lambda out: accuracy(out[target], test.labels[:len(out[target])]),
        lambda out: out[target].argmax(axis=1), test.labels, data=data)


def generation(program: Program, data: Dataset | None = None, quick: bool = False) -> LearningTask:
    """Labelled samples for a network that predicts its input: a query holds the input and leaves the target free."""
    data, (source, target) = data or data_of(program), ends(program.layout.network)
    size = program.layout.network.by_name[target].size
    asked = min(QUICK_QUERIES if quick else ASKED, len(data.test))
    count = min(QUICK[0], len(data.train)) if quick else len(data.train)
    test = data.test.take(np.arange(asked))
    nothing: NDArray[np.float64] = np.zeros((asked, size))
    held = {source: test.inputs_float, f"{source}.clamp": np.ones_like(test.inputs_float), target: nothing,
            f"{target}.clamp": nothing}
    return LearningTask(
        program, Kind.GENERATION, "accuracy", f"{asked:,} held-out samples, labels by query", count,
        _epochs(program, quick), lambda rows: _pair(data.train.take(rows), source, target),
        lambda epoch: epoch_order(count, program.config.training.seed, epoch),
        "query", held, lambda out: accuracy(out[target], test.labels[:len(out[target])]),
        lambda out: out[target].argmax(axis=1), test.labels, data=data)


def _pair(samples: Samples, source: str, target: str) -> Reals:
    return {source: samples.inputs_float, target: samples.targets}


def _epochs(program: Program, quick: bool) -> int:
    return 1 if quick else program.config.training.epochs


def inputs_of(program: Program, count: int, name: str) -> NDArray[np.float64] | None:
    """``count`` different inputs (count, size) of the configured data for population ``name``; None where no data
    are configured and the default ones have another size. Raises BadInput for configured data that do not fit."""
    config, p = program.config, program.layout.network.by_name[name]
    train = load(config.data, p.activity_frac, config.machine.activity_bits).train
    if train.codes.shape[1] != p.size:
        if config.data == DataConfig():
            return None
        raise BadInput(f"the configured data ({config.data.path or config.data.name}) have inputs of "
                       f"{train.codes.shape[1]} numbers, population {name!r} has {p.size} neurons; make them equal.")
    if len(train) < count:
        raise BadInput(f"the configured data hold {len(train)} samples to learn from and {count} are stored; give "
                       "more, or a smaller population for them.")
    return train.inputs_float[np.random.default_rng(config.data.seed).permutation(len(train))[:count]]
