"""The categorical output, e = y - softmax(beta mu): are the machine's probabilities right, and what are they worth?

The machine's probabilities are y - e of the first errors that inference finds; softmax in float64 of the predictions
that the machine gives for the same inputs is the yardstick. What they are worth is seen beside IL with Gaussian
errors, whose outputs become probabilities by the beta that suits a validation part best.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.fixed import Ints
from golden.learning.datasets import Dataset, Samples
from golden.learning.training import codes, data_of, train_fixed
from golden.network_energy import inference_steps
from golden.reference.training import ends
from golden.session import Session
from golden.streams import to_reals
from golden.trace import Job
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.exponentials import BETA_FRAC, INDEX_BITS, POWER_FRAC
from sim.backends import golden

from ..parameter_sweep import in_parallel

__all__ = ["SYSTEMS", "Calibration", "Shares", "Score", "calibrations", "config", "softmax", "shares", "allowed",
           "trained", "predictions", "score", "entropy", "reliability", "miscalibration", "worth"]

Reals = NDArray[np.float64]

PRESET = "categorical"
SYSTEMS = {"categorical": PRESET, "Gaussian": "digits"}
"""Presets; the second runs on the machine of the first."""
BETAS = 2.0 ** np.arange(-1, 6, 0.125)
BINS, FRACTION = 10, 0.2
PROCESSES = 2


@dataclass(frozen=True)
class Shares:
    """Probabilities of the machine and of float64 from the same predictions, and the most by which arithmetic lets
    them differ, (samples, classes); ``code``: the smallest step of the machine's."""

    machine: Reals
    floating: Reals
    bound: Reals
    code: float

    def __str__(self) -> str:
        return (f"{self.off.size} probabilities: at most {np.abs(self.off).max():.2f} codes from softmax in float64, "
                f"{np.max(np.abs(self.machine - self.floating) / self.bound):.0%} of what arithmetic allows")

    @property
    def off(self) -> Reals:
        """The number of codes by which they differ."""
        return (self.machine - self.floating) / self.code

    @property
    def within(self) -> bool:
        """Every one is as close as arithmetic allows."""
        return bool((np.abs(self.machine - self.floating) <= self.bound).all())


@dataclass(frozen=True)
class Score:
    """One training on the test set: percent right; probabilities (samples, classes) as they come and with the
    ``beta`` that suits a validation part best; the labels."""

    accuracy: float
    own: Reals
    fitted: Reals
    beta: float
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """Trainings of one system together: mean percent right, cross entropy in nats, calibration error in points, and the
    curve of ``reliability``."""

    name: str
    accuracy: float
    entropy: float
    error: float
    curve: Reals

    def __str__(self) -> str:
        return (f"{self.name}: {self.accuracy:.2f} %, cross entropy {self.entropy:.4f} nats, calibration error "
                f"{self.error:.2f} points")


def config(system: str) -> Config:
    """A preset on the machine of the categorical one."""
    return load(SYSTEMS[system]).replace(machine=load(PRESET).machine.model_dump())


def softmax(x: Reals) -> Reals:
    """The softmax of every row."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def trained(chosen: Config, seed: int, validation: bool = False) -> tuple[Program, Dataset, Ints]:
    """A program, its data and its weights after training; ``validation``: on the training set alone, divided again."""
    program = compile_config(chosen.replace(training={"seed": seed}, data={"seed": seed}))
    data = data_of(program).validation(FRACTION) if validation else data_of(program)
    return program, data, train_fixed(program, data).weights


def predictions(program: Program, image: Ints, samples: Samples) -> Reals:
    """What the machine gives for inputs, (samples, classes)."""
    outputs = Session(program, image).run_codes("predict", codes(program, samples, False))
    return to_reals(program, "predict", outputs)[ends(program.layout.network)[1]]


def shares(count: int, epochs: int = 1) -> Shares:
    """The shares of test digits; each meets the weights of ``epochs`` epochs, few, so that not all of them are 0 or
    1."""
    program, data, image = trained(config("categorical").replace(training={"epochs": epochs}), 0)
    some, (_, last) = data.test.take(range(count)), ends(program.layout.network)
    place, first = program.layout.places[last].word * program.machine.lanes, inference_steps(program, "train").steps[0]
    rows = slice(place, place + program.layout.network.by_name[last].size)
    jobs = (Job(program, "train", image, {k: c[n:n + 1] for k, c in codes(program, some, True).items()})
            for n in range(count))
    errors = np.array([golden.run(job).error[first, rows] for job in jobs]) / program.machine.formats.error.scale
    mu = predictions(program, image, some)
    return Shares(some.targets - errors, softmax(program.config.rule.beta * mu), allowed(program, mu),
                  1 / program.machine.formats.state.scale)


def allowed(program: Program, mu: Reals) -> Reals:
    """The most by which the machine's probabilities may be off, from ``hebbar.contract.exponentials``.

    A logit is off by ``d``: the predictions given back and the distance are rounded to codes, the exponent to
    2**-INDEX_BITS octaves, and the register of beta has BETA_FRAC bits. Of a probability the worst is that its logit
    is off one way and all others the other. Powers are cut off below 2**-POWER_FRAC, results rounded to codes.
    """
    beta, code = program.config.rule.beta, 1 / program.machine.formats.state.scale
    octaves = abs(program.beta * 2.0**-BETA_FRAC - beta * np.log2(math.e)) * (mu.max(axis=1, keepdims=True) - mu)
    d = 1.5 * beta * code + np.log(2) * (octaves + 2.0 ** -(INDEX_BITS + 1))
    p = softmax(beta * mu)
    up, down = p * np.exp(d), p * np.exp(-d)
    most = up / (up + down.sum(axis=1, keepdims=True) - down)
    least = down / (down + up.sum(axis=1, keepdims=True) - up)
    return np.maximum(most - p, p - least) + (mu.shape[1] + 1) * 2.0**-POWER_FRAC + code / 2


def score(system: str, seed: int, epochs: int | None = None) -> Score:
    """Train a system, choose beta on a validation part, test."""
    chosen = config(system).replace(training={"epochs": epochs} if epochs else {})
    program, data, image = trained(chosen, seed, validation=True)
    mu = predictions(program, image, data.test)
    beta = float(min(BETAS, key=lambda b: entropy(softmax(b * mu), data.test.labels)))
    program, data, image = trained(chosen, seed)
    mu, labels = predictions(program, image, data.test), data.test.labels
    right = 100 * float((mu.argmax(axis=1) == labels).mean())
    return Score(right, softmax(chosen.rule.beta * mu), softmax(beta * mu), beta, labels)


def entropy(probabilities: Reals, labels: NDArray[np.int64]) -> float:
    """Mean cross entropy, in nats; no probability counts as less than 1e-12."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())


def reliability(probabilities: Reals, labels: NDArray[np.int64]) -> Reals:
    """(bins, 3): how many answers have a probability in each tenth, its mean, the share of right ones."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.minimum((sure * BINS).astype(int), BINS - 1)
    return np.array([[(which == i).sum(), sure[which == i].mean(), right[which == i].mean()]
                     for i in range(BINS) if (which == i).any()])


def miscalibration(probabilities: Reals, labels: NDArray[np.int64]) -> float:
    """The expected calibration error, in points."""
    count, sure, right = reliability(probabilities, labels).T
    return float(100 * (count * np.abs(sure - right)).sum() / count.sum())


def worth(seeds: int, reporter: Reporter, epochs: int | None = None) -> dict[str, list[Score]]:
    """Trainings by system."""
    found = in_parallel(score, [(s, n, epochs) for s in SYSTEMS for n in range(seeds)], PROCESSES, reporter,
                        "trainings", lambda s: f"{s.accuracy:.1f} %")
    return {s: found[i * seeds:(i + 1) * seeds] for i, s in enumerate(SYSTEMS)}


def calibrations(system: str, scores: list[Score]) -> list[Calibration]:
    """Probabilities as they come, where the system has any, and with the beta that suits a validation part best."""
    labels, found = np.concatenate([s.labels for s in scores]), []
    ways = {"own": "as it comes", "fitted": "beta from validation"}
    for how in ways if system == PRESET else ("fitted",):
        probabilities = np.concatenate([getattr(s, how) for s in scores])
        found.append(Calibration(f"{system}, {ways[how]}", float(np.mean([s.accuracy for s in scores])),
                                 entropy(probabilities, labels), miscalibration(probabilities, labels),
                                 reliability(probabilities, labels)))
    return found
