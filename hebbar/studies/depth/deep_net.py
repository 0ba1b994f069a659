"""The preset ``deep`` on MNIST, of any depth: its configuration with a rule, and its samples in three parts."""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from golden.learning.datasets import Dataset, load as load_data
from hebbar.compiler.config import Config, DataConfig, load
from hebbar.contract.errors import BadInput

__all__ = ["HELD", "deep", "deepened", "divided", "images_in", "parted", "precision", "whole"]

HELD = 5000
"""The last training images, on which rates are chosen."""
DEEPER = {"weight_words": 8192, "neuron_words": 160, "map_entries": 1024, "blocks": 512, "program_words": 2048}
"""The memories of a machine that holds 128 layers."""


def images_in(images: Path | None) -> Path:
    """The folder of MNIST's files, by default the preset's. Raises BadInput where there is none."""
    folder = images or Path(load("deep").data.path)
    if not folder.is_dir():
        raise BadInput(f"{folder} holds no MNIST, on which deep networks are measured; give the folder of its four idx "
                       "files with --data.")
    return folder.resolve()


def deep(images: Path | None, rule: str = "pc_alm", halvings: int = 0, seed: int = 1, layers: int = 32) -> Config:
    """The preset with a rule, every alpha halved so often, and ``layers`` layers of weights."""
    config = load("deep")
    shifts = [shift + halvings for shift in config.rule.alpha_shifts]
    config = config.replace(rule={"name": rule, "alpha_shifts": shifts}, training={"seed": seed},
                            data={"path": str(images_in(images))})
    return config if layers == len(shifts) else config.replace(**deepened(config, layers))


def deepened(config: Config, layers: int) -> dict[str, dict[str, Any]]:
    """What changes with the number L of layers: 2 L steps, hidden weights that begin as 1 / sqrt(L), and their alpha as
    1 / L, in powers of two; more layers take more memory. Raises BadInput where L is no power of two times, or a part
    of, the preset's, or no layer is hidden."""
    first, hidden, last = (config.rule.alpha_shifts[i] for i in (0, 1, -1))
    spread = config.rule.init_scales
    times = Fraction(layers, len(spread))
    doubled = times.numerator.bit_length() - times.denominator.bit_length()
    if layers < 2 or times != Fraction(2) ** doubled:
        raise BadInput(f"{layers} layers are no power of two times the {len(spread)} of the preset 'deep', whose rates "
                       "are powers of two, or too few.")
    sizes, inside = config.network.layers, layers - 2
    return {"network": {"layers": [sizes[0], *[sizes[1]] * (layers - 1), sizes[-1]]},
            "rule": {"steps": 2 * layers, "alpha_shifts": [first, *[hidden + doubled] * inside, last],
                     "init_scales": [spread[0], *[spread[1] / float(times)**0.5] * inside, spread[-1]]},
            "machine": DEEPER if doubled > 0 else {}}


def precision(frac: int) -> dict[str, dict[str, Any]]:
    """What changes with the fraction bits of states, errors and integrals, which keep their range of -8 to 8 up to the
    12 that 16 bits leave for it; activities have as many up to 11, the same range, inputs at least 7; weights are as
    ever."""
    finest = min(frac, 11)
    return {"machine": {"state_frac": frac, "state_bits": min(frac + 4, 16), "error_bits": min(frac + 4, 16),
                        "activity_bits": finest + 4, "activity_frac": max(finest, 7), "row_sum_bits": 44,
                        "feedback_sum_bits": 48},
            "network": {"hidden_frac": finest, "input_frac": max(finest, 7)}}


def divided(config: Config) -> tuple[Dataset, Dataset]:
    """The images to learn from with those to choose on, and with the official test set."""
    return parted(whole(config), HELD)


def parted(data: Dataset, held: int) -> tuple[Dataset, Dataset]:
    """The samples to learn from but for the last ``held``, with those, to choose on, and with the test set."""
    count = len(data.train) - held
    first, last = (data.train.take(rows) for rows in (np.arange(count), np.arange(count, count + held)))
    return replace(data, train=first, test=last), replace(data, train=first)


def whole(config: Config) -> Dataset:
    """All images to learn from, with the official test set."""
    return _loaded(config.data, config.network.input_frac, config.machine.activity_bits)


@lru_cache(maxsize=1)
def _loaded(data: DataConfig, frac: int, bits: int) -> Dataset:
    return load_data(data, frac, bits)
