"""What memories store, and how: images of digits, one pattern a slot, or over and over.

Constants of the presets were chosen on other draws of images and on a validation part of the training set.
"""

import numpy as np
from numpy.typing import ArrayLike

from golden.learning.datasets import Dataset, load as load_data
from golden.learning.tasks.completion import relative_error as relative, upper_half
from hebbar.api import Experiment
from hebbar.compiler.config import DataConfig

from ..questions import Reals

__all__ = ["digits", "images", "learn", "relative", "store", "upper_half"]


def digits() -> Dataset:
    """The digits with 5 fraction bits, which hold their 17 grey levels exactly."""
    return load_data(DataConfig(), activity_frac=5)


def images(count: int, seed: int = 0) -> Reals:
    """``count`` images of the training set, (count, 64), pixels 0 to 1."""
    train = digits().train
    return train.inputs_float[np.random.default_rng(seed).permutation(len(train))[:count]]


def store(e: Experiment, strength: float = 1.0, **keys: ArrayLike) -> None:
    """Store one pattern a slot by one update each, the one-hot error being ``strength``."""
    slots = e.program.layout.network.by_name["slots"].size
    e.run("train", {**keys, "slots": strength * np.eye(slots)})


def learn(e: Experiment, epochs: int | None = None, **samples: Reals) -> None:
    """Train on samples by population for ``training.epochs``, reshuffled every epoch, at a constant rate."""
    rng, count = np.random.default_rng(e.config.training.seed), len(next(iter(samples.values())))
    order = np.concatenate([rng.permutation(count) for _ in range(epochs or e.config.training.epochs)])
    e.run("train", {name: values[order] for name, values in samples.items()})
