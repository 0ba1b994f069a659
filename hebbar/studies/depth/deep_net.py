"""The preset ``deep`` on MNIST: its configuration with one of the rules, and its samples in three parts."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.learning.datasets import Dataset, load as load_data
from hebbar.compiler.config import Config, load
from hebbar.contract.errors import BadInput

__all__ = ["HELD", "deep", "divided"]

HELD = 5000
"""The last training images, on which rates are chosen."""


def deep(images: Path | None, rule: str = "pc_alm", halvings: int = 0, seed: int = 1) -> Config:
    """The preset with a rule and every alpha halved so often. Raises BadInput where there are no images."""
    preset = load("deep")
    folder = images or Path(preset.data.path)
    if not folder.is_dir():
        raise BadInput(f"{folder} holds no MNIST, on which deep networks are measured; give the folder of its four idx "
                       "files with --data.")
    shifts = [shift + halvings for shift in preset.rule.alpha_shifts]
    return preset.replace(rule={"name": rule, "alpha_shifts": shifts}, training={"seed": seed},
                          data={"path": str(folder.resolve())})


def divided(config: Config) -> tuple[Dataset, Dataset]:
    """The images to learn from with those to choose on, and with the official test set."""
    data = load_data(config.data, config.network.input_frac, config.machine.activity_bits)
    count = len(data.train) - HELD
    first, last = (data.train.take(rows) for rows in (np.arange(count), np.arange(count, count + HELD)))
    return replace(data, train=first, test=last), replace(data, train=first)
