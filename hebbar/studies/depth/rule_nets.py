"""Every supervised rule on nets of several depths, on digits and on one machine: configurations and trainings."""

from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from golden.learning.datasets import Dataset
from golden.learning.training import codes, data_of
from golden.session import initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config

from .deep_net import parted
from .trainings import key_of, once, taught

__all__ = ["NAMES", "RESIDUAL", "SHARE", "Lesson", "Learnt", "learnt", "parts"]

NAMES = {"backprop": "backprop", "zil": "Z-IL", "il": "IL", "ipc": "iPC", "pc_alm": "PC-ALM",
         "eqprop": "centred EP", "chl": "CHL", "dfa": "DFA", "forward_forward": "forward-forward"}
"""Rules by name; equilibrium propagation compares two states nudged by +-lambda."""
RESIDUAL = ("backprop", "zil", "il", "ipc", "pc_alm")
"""Rules that learn in a residual net of rectifiers, whose first weights are those of muPC. The others have a plain net:
two identities at a neuron make the states of a Hopfield energy grow without end, direct feedback needs an activation
with bounds, and forward-forward passes on what it has centred."""
WIDTH = 32
EPOCHS = 5
SHARE = 0.8
"""The share of the training digits that a rule learns from; its rate is chosen on the rest."""
MACHINE: dict[str, Any] = {"weight_words": 4096, "neuron_words": 512, "map_entries": 4096, "blocks": 1024,
                           "program_words": 4096, "functions": 8, "separation": 16}
"""What the machine of ``deep`` is given beside, so that it holds every rule at every depth."""
SETTLING: dict[str, dict[str, Any]] = {"eqprop": {"gamma": 0.25, "options": {"nudge": 1}}, "chl": {"gamma": 0.5}}
"""What the rules that settle by a Hopfield energy have of their own; they take twice the steps, and at least 24."""
PLAIN = {"eqprop": ("relu", 0.5)}
"""Activation and spread of the first weights in a plain net, where they are not tanh and 0.7."""


@dataclass(frozen=True)
class Lesson:
    """Which ``rule`` learns in a net of so many ``hidden`` layers: ``halvings`` of every alpha, ``seed`` of weights and
    of the order of samples, ``frac`` fraction bits of states and errors, 12 on the machine of the RTL, ``width``
    neurons a layer, and how many ``samples``, 0: all, EPOCHS times."""

    rule: str
    hidden: int
    halvings: int
    seed: int = 1
    frac: int = 12
    width: int = WIDTH
    samples: int = 0

    @property
    def config(self) -> Config:
        """The net, its rule, the machine and the task."""
        preset, layers = load("deep"), self.hidden + 1
        plain = self.rule not in RESIDUAL
        activation, spread = PLAIN.get(self.rule, ("tanh", 0.7)) if plain else ("relu", 0.0)
        shifts = [3] * layers if plain else [4, *[2 + layers.bit_length()] * (layers - 2), 8]
        own = SETTLING.get(self.rule)
        # Coarse activities are shifted up to where the finest are.
        sums = {"row_sum_bits": 42} if self.frac < 8 else {}
        return preset.replace(
            network={"layers": [64, *[self.width] * self.hidden, 10], "residual": not plain, "activation": activation,
                     "hidden_frac": min(self.frac, 8), "input_frac": min(self.frac, 7)},
            rule={"name": self.rule, "steps": max(24, 4 * layers) if own else max(8, 2 * layers),
                  "init": "scales" if plain else "mupc", "init_scales": [spread] * layers if plain else [],
                  "alpha_shifts": [shift + self.halvings for shift in shifts]} | (own or {}),
            machine=MACHINE | sums | {"state_frac": self.frac, "state_bits": self.frac + 4,
                                      "error_bits": self.frac + 4},
            training={"epochs": EPOCHS, "seed": self.seed}, data={"name": "digits", "path": ""})

    @property
    def name(self) -> str:
        """A name for its record."""
        return "_".join(map(str, astuple(self)))


@dataclass(frozen=True)
class Learnt:
    """Accuracy, 0 to 1, on the digits to choose on and on the held-out ones."""

    lesson: Lesson
    validation: float
    test: float


def learnt(lesson: Lesson, folder: Path) -> Learnt:
    """One training, from its record in ``folder`` where that is of the same machine, program, weights and samples."""
    program = compile_config(lesson.config)
    both, image = parts(program), initial_image(program)
    first = both[0].train
    order = np.random.default_rng(1000 + lesson.seed)
    rows = np.concatenate([order.permutation(len(first)) for _ in range(EPOCHS)])
    given = codes(program, first.take(rows[:lesson.samples or None]), True)
    record, key = folder / f"{lesson.name}.json", key_of(program, image, given)
    found = once(record, key, lambda: taught(program, image, given, both))
    return Learnt(lesson, found["validation"], found["test"])


def parts(program: Program) -> tuple[Dataset, Dataset]:
    """The digits to learn from with those to choose on, and with the held-out ones."""
    return _divided(program.config.network.input_frac, program.config.machine.activity_bits)


@lru_cache
def _divided(frac: int, bits: int) -> tuple[Dataset, Dataset]:
    config = load("digits").replace(network={"input_frac": frac}, machine={"activity_bits": bits, "activity_frac": 7})
    data = data_of(compile_config(config))
    return parted(data, len(data.train) - int(SHARE * len(data.train)))
