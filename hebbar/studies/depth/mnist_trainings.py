"""Trainings of ``mnist``: epochs of samples one by one on the compiled golden machine, each kept and found again."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.image import from_image
from golden.learning.datasets import Dataset, Samples, epoch_order
from golden.learning.training import codes, train_float
from golden.reference.theory import distance_to_equilibrium
from golden.reference.training import ends, halvings, sample_clamps
from golden.session import initial_image
from hebbar.compiler.parameters import effective
from hebbar.compiler.program import Program, compile_config

from ..parts import sources
from .deep_net import divided, whole
from .mnist_settings import EPOCHS, WIDE, Setting, configured
from .trainings import key_of, once

__all__ = ["Learnt", "Stage", "floating", "learnt", "staged"]

CHUNK = 5000
"""Samples of one call of the compiled machine: between two of them progress is said and Ctrl-C is heard."""
PROBES, SETTLING = 16, 800
"""Images whose distance to equilibrium is taken, and the steps that they get to reach it."""


@dataclass(frozen=True)
class Stage:
    """Codes (int16) of the images to learn from, (samples, 784), of their targets, (samples, 10), and of the images
    that are ``asked``; ``name``: of validation or of the test set. ``digest`` is of all that."""

    name: str
    data: Dataset
    inputs: NDArray[Any]
    targets: NDArray[Any]
    asked: NDArray[Any]
    digest: str


@dataclass(frozen=True)
class Learnt:
    """Accuracy, 0 to 1, after the last epoch of one training on a stage; ``clipped`` states; the SHA-256 of
    the final ``weights`` (int32, words x P x C); ``distance`` to equilibrium at the last step, 1 at the start of a
    sample, the median of images that were learnt from: of IL on the test stage alone, since it takes many steps."""

    setting: Setting
    seed: int
    accuracy: float
    clipped: int
    weights: str
    distance: float | None


def staged(images: Path | None, final: bool, count: int | None = None, asked: int | None = None) -> Stage:
    """55,000 images to learn from and 5,000 to choose on, or when ``final`` all 60,000 and the official test set; the
    first ``count`` of those that are learnt, the first ``asked`` of the others."""
    config = configured(WIDE[0], images, 0)
    data = whole(config) if final else divided(config)[0]
    data = replace(data, train=_first(data.train, count), test=_first(data.test, asked))
    program = compile_config(config)
    source, target = ends(program.layout.network)
    given, (judged,) = codes(program, data.train, True), codes(program, data.test, False).values()
    inputs, targets, questions = (array.astype(np.int16) for array in (given[source], given[target], judged))
    digest = hashlib.sha256()
    for array in (inputs, targets, questions, data.test.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return Stage("test" if final else "validation", data, inputs, targets, questions, digest.hexdigest())


def _first(samples: Samples, count: int | None) -> Samples:
    return samples.take(np.arange(len(samples))[:count])


def learnt(setting: Setting, seed: int, stage: Stage, images: Path | None, epochs: int = EPOCHS,
           folder: Path | None = None) -> Learnt:
    """One training, from its record in ``folder`` where that is of the same machine, program, weights and samples."""
    program = compile_config(configured(setting, images, seed, epochs))
    image = initial_image(program)
    training = program.config.training
    more = json.dumps([stage.digest, seed, epochs, training.halve_alpha_at])
    key = key_of(program, image, {}, more)
    record = folder / f"{stage.name}_{setting.rule}_{key[:16]}.json" if folder else None
    kept = once(record, key, lambda: {"setting": setting.sentence, "seed": seed, "stage": stage.name, "epochs": epochs,
                                      **_learn(program, image, seed, stage)})
    return Learnt(setting, seed, kept["accuracy"], kept["clipped"], kept["weights"], kept["distance"])


def _learn(program: Program, image: NDArray[np.int64], seed: int, stage: Stage) -> dict[str, Any]:
    config, machine, (source, target) = program.config, CompiledMachine(program), ends(program.layout.network)
    machine.load(image)
    for epoch in range(config.training.epochs):
        machine.set_rates(halvings(config.training, epoch))
        order = epoch_order(len(stage.inputs), seed, epoch)
        for first in range(0, len(order), CHUNK):
            rows = order[first:first + CHUNK]
            machine.run("train", {source: stage.inputs[rows], target: stage.targets[rows]})
    (answers,) = machine.run("predict", {source: stage.asked}).values()
    settles = config.rule.name == "il" and stage.name == "test"
    return {"accuracy": float((answers.argmax(1) == stage.data.test.labels).mean()),
            "clipped": machine.counters["sat_state"],
            "weights": hashlib.sha256(np.ascontiguousarray(machine.weights, "<i4").tobytes()).hexdigest(),
            "distance": _distance(program, machine.weights, stage) if settles else None}


def _distance(program: Program, image: NDArray[np.int64], stage: Stage) -> float:
    """How far from equilibrium the states of the last step are, of what they were at the feed-forward start."""
    network, rule = program.layout.network, effective(program)
    probe = stage.data.train.take(np.arange(min(PROBES, len(stage.data.train))))
    clamps = sample_clamps(network, probe.inputs_float, probe.targets)
    return float(np.median(distance_to_equilibrium(network, from_image(program.layout, image), clamps, rule.gamma,
                                                   rule.steps, SETTLING)))


def floating(setting: Setting, seed: int, stage: Stage, images: Path | None, epochs: int,
             folder: Path | None = None) -> float:
    """Accuracy of the same training in float64, kept likewise."""
    program = compile_config(configured(setting, images, seed, epochs))
    more = json.dumps([stage.digest, seed, epochs, program.config.training.halve_alpha_at, _reference()])
    key = key_of(program, initial_image(program), {}, more)
    record = folder / f"float_{setting.rule}_{key[:16]}.json" if folder else None
    kept = once(record, key, lambda: {"setting": setting.sentence, "seed": seed, "epochs": epochs,
                                      "accuracy": train_float(program, stage.data).accuracy[-1]})
    return float(kept["accuracy"])


@lru_cache
def _reference() -> str:
    """A hash of the float references."""
    return sources("golden/reference")
