"""The settings among which ``mnist`` chooses on validation.

Those of IL, iPC and Z-IL are left over from sweeps on the same 55,000 and 5,000 images, with another seed; those of IL
and iPC with relu with the seed of the selection. They began from constants of an earlier prototype, which was tuned on
the test set; of the other rules nothing was swept.
Samples come one at a time, and every alpha is halved at the start of the epochs HALVED.
"""

from dataclasses import dataclass
from pathlib import Path

from hebbar.compiler.config import Config, load

from .deep_net import images_in

__all__ = ["EPOCHS", "HALVED", "LOCAL", "SMALL", "WIDE", "Setting", "configured"]

EPOCHS = 12
HALVED = (4, 6, 8, 9, 10, 11)
"""Epochs, from 0, at whose start every alpha is halved."""
LOCAL = ("il", "zil", "ipc", "pc_alm")
"""Rules whose updates take an error and an activity of one layer, in one or more steps of inference."""
ROOM = {"weight_words": 4096, "neuron_words": 64, "max_columns": 32, "map_entries": 256, "blocks": 64,
        "program_words": 512}
"""Memories of a machine of 4 x 32 lanes that holds every network here."""


@dataclass(frozen=True)
class Setting:
    """A rule on a network of ``layers``: ``shifts`` and ``scales`` as in ``rule.alpha_shifts`` and
    ``rule.init_scales``."""

    rule: str
    layers: tuple[int, ...]
    shifts: tuple[int, ...]
    scales: tuple[float, ...]
    gamma: float = 0.25
    steps: int = 8
    activation: str = "relu"

    @property
    def weights(self) -> int:
        """How many weights the network has."""
        return sum(rows * columns for rows, columns in zip(self.layers[1:], self.layers))

    @property
    def sentence(self) -> str:
        """The setting, as a row of the table tells it."""
        steps = f", T {self.steps}, gamma {self.gamma:g}" if self.rule in ("il", "ipc", "pc_alm") else ""
        return (f"{'-'.join(map(str, self.layers))}, {self.weights:,} weights, {self.activation}{steps}, alpha 2^-"
                f"{', 2^-'.join(map(str, self.shifts))}, first weights {', '.join(f'{s:g}' for s in self.scales)}")


TWO, ONE, NARROW = (784, 256, 256, 10), (784, 370, 10), (784, 100, 50, 10)
UNBIASED = 31 / 128
"""The gamma of the preset ``deep``, whose rounding has no bias that an integral adds up."""
WIDE = (
    Setting("il", ONE, (4, 8), (0.5, 0.25), 0.5, 2, "leaky"),
    Setting("il", ONE, (5, 8), (0.5, 0.25), 0.5, 2, "leaky"),
    Setting("il", ONE, (5, 8), (0.5, 0.25), 0.5, 2, "relu"),
    Setting("zil", TWO, (5, 5, 7), (1.0, 0.5, 0.25)),
    Setting("zil", TWO, (5, 6, 7), (1.0, 0.5, 0.25)),
    Setting("ipc", ONE, (4, 9), (0.5, 0.25), 0.5, 2, "leaky"),
    Setting("ipc", ONE, (5, 9), (0.5, 0.25), 0.5, 2, "leaky"),
    Setting("ipc", ONE, (5, 9), (0.5, 0.25), 0.5, 2, "relu"),
    Setting("backprop", TWO, (5, 6, 7), (1.0, 0.5, 0.25)),
    Setting("pc_alm", ONE, (5, 8), (0.5, 0.25), UNBIASED, 4, "leaky"))
"""Networks of 300,000 weights at most."""
SMALL = (
    Setting("il", NARROW, (5, 6, 8), (0.5, 0.5, 0.25), 0.5, 2),
    Setting("zil", NARROW, (5, 5, 7), (1.0, 0.5, 0.25)),
    Setting("zil", NARROW, (5, 6, 7), (1.0, 0.5, 0.25)))
"""The network of NITRO-D, which trains with integers alone and reaches 97.36 %."""


def configured(setting: Setting, images: Path | None, seed: int, epochs: int = EPOCHS) -> Config:
    """The preset ``mnist`` with a setting; raises BadInput where ``images`` is no folder. Where there are fewer epochs
    than EPOCHS, alpha is halved for the last of several."""
    halved = HALVED if epochs == EPOCHS else tuple(range(1, epochs))[-1:]
    return load("mnist").replace(
        network={"layers": setting.layers, "activation": setting.activation},
        rule={"name": setting.rule, "gamma": setting.gamma, "steps": setting.steps, "alpha_shifts": setting.shifts,
              "init_scales": setting.scales},
        training={"seed": seed, "epochs": epochs, "halve_alpha_at": halved},
        machine=ROOM | {"integral": setting.rule == "pc_alm"}, data={"path": str(images_in(images))})
