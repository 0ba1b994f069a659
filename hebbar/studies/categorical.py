"""The categorical output, e = y - softmax(beta mu), and precisions: what each is worth.

The machine's probabilities are y - e of the first errors that inference finds; softmax in float64 of the predictions
that the machine gives for the same inputs is the yardstick. What they are worth is seen beside IL with Gaussian
errors, whose outputs become probabilities by the beta that suits a validation part best.

A precise hidden layer moves little, so the output sees the feed-forward state: the update tends to the gradient of
the cross entropy, by forward differentiation (``reverse``), as pi grows. In fixed point x - mu, which pi multiplies,
falls below a code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.fixed import Ints
from golden.learning.datasets import Dataset, Samples
from golden.learning.training import codes, data_of, train_fixed
from golden.network_energy import inference_steps
from golden.reference.interpreter import FloatMachine
from golden.reference.training import ends
from golden.session import Session, initial_image
from golden.streams import to_reals
from golden.trace import Job
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.exponentials import BETA_FRAC, INDEX_BITS, POWER_FRAC
from sim.backends import golden

from .nudge import distance
from .parameter_sweep import in_parallel
from .reverse import Loss, slopes

__all__ = ["SYSTEMS", "PRECISIONS", "SLACK", "Shares", "Score", "config", "softmax", "cross_entropy", "shares",
           "allowed", "score", "reliability", "miscalibration", "precise", "update_errors", "order", "worth", "effects"]

Reals = NDArray[np.float64]

PRESET = "categorical"
SYSTEMS = {"categorical": PRESET, "Gaussian": "digits"}
"""Presets; the second runs on the machine of the first."""
PRECISIONS = tuple(range(-2, 7))
"""log2 of the precision of the hidden layer."""
ORDER_FROM = 2
"""The order of the distance is read from this precision on."""
SLACK = 0.15
BETAS = 2.0 ** np.arange(-1, 6, 0.125)
BINS, FRACTION = 10, 0.2
STEPS, SHIFT = 64, 4
SMOOTH: dict[str, str | int] = {"activation": "tanh", "activity_frac": 7}
"""The network of the study of updates: inference comes to rest; alpha; a hidden layer without a kink to cross."""
PROCESSES = 2


@dataclass(frozen=True)
class Shares:
    """Probabilities of the machine and of float64 from the same predictions, and the most by which arithmetic lets
    them differ, (samples, classes); ``code``: the smallest step of the machine's."""

    machine: Reals
    floating: Reals
    bound: Reals
    code: float

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


def config(system: str) -> Config:
    """A preset on the machine of the categorical one."""
    return load(SYSTEMS[system]).replace(machine=load(PRESET).machine.model_dump())


def softmax(x: Reals) -> Reals:
    """The softmax of every row."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cross_entropy(target: Reals, beta: float) -> Loss:
    """-sum y log softmax(beta mu) / beta, along mu of slope softmax(beta mu) - y."""
    return lambda mu: (np.log(np.exp(beta * mu).sum(axis=1)) - beta * (target * mu).sum(axis=1)) / beta


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
    octaves = abs(program.beta * 2.0**-BETA_FRAC - beta * np.log2(np.e)) * (mu.max(axis=1, keepdims=True) - mu)
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


def precise(power: int, **hidden: str | int) -> Config:
    """The preset with a hidden layer of precision 2**power; gamma shrinks with it, so that inference stays stable."""
    base, hidden = load(PRESET), hidden | {"precision": power}
    populations = [p.model_dump() | (hidden if p.name == "h" else {}) for p in base.network.populations]
    return base.replace(network={"populations": populations}, rule={"gamma": 2.0 ** -(max(power, 0) + 1)})


def update_errors(power: int, sample: int) -> tuple[float, float]:
    """Distance of the update of one digit, inference at rest, from the slopes of the cross entropy, relative: in
    float64, and on the machine."""
    base = precise(power, **SMOOTH)
    edges = [e.model_dump() | {"alpha_shift": SHIFT} for e in base.network.edges]
    program = compile_config(base.replace(network={"edges": edges}, rule={"steps": STEPS}))
    network, some = program.layout.network, data_of(program).train.take([sample])
    session, names = Session(program, initial_image(program)), ends(network)
    before = session.weights
    _, wanted = slopes(network, before, some.inputs_float[0], cross_entropy(some.targets, program.config.rule.beta))
    floating = FloatMachine(program, before)
    floating.run("train", dict(zip(names, (some.inputs_float, some.targets))))
    session.run_codes("train", codes(program, some, True))
    after = floating.weights, session.weights
    one, other = (distance({k: 2.0**SHIFT * (w[k] - before[k]) for k in wanted}, wanted) for w in after)
    return one, other


def order(floating: Reals) -> float:
    """The p of distance ~ pi**-p, from distances by precision."""
    powers = np.array(PRECISIONS[PRECISIONS.index(ORDER_FROM):])
    return float(-np.polyfit(powers, np.log2(floating[-len(powers):]), 1)[0])


def worth(seeds: int, reporter: Reporter, epochs: int | None = None) -> dict[str, list[Score]]:
    """Trainings by system."""
    found = in_parallel(score, [(s, n, epochs) for s in SYSTEMS for n in range(seeds)], PROCESSES, reporter,
                        "trainings", lambda s: f"{s.accuracy:.1f} %")
    return {s: found[i * seeds:(i + 1) * seeds] for i, s in enumerate(SYSTEMS)}


def learnt(power: int, seed: int, epochs: int | None) -> float:
    """Percent on the test set after training with a hidden precision, on the machine."""
    program, data, image = trained(precise(power).replace(training={"epochs": epochs} if epochs else {}), seed)
    return 100 * float((predictions(program, image, data.test).argmax(axis=1) == data.test.labels).mean())


def effects(samples: int, seeds: int, reporter: Reporter, epochs: int | None = None) -> tuple[Reals, Reals]:
    """What updates are off by precision: distances, in float64 and fixed point, medians over digits, (precisions, 2);
    and percent after training, means over seeds."""
    updates = in_parallel(update_errors, [(k, n) for k in PRECISIONS for n in range(samples)], PROCESSES, reporter,
                          "updates", lambda e: f"{e[0]:.3f}")
    trainings = in_parallel(learnt, [(k, n, epochs) for k in PRECISIONS for n in range(seeds)], PROCESSES, reporter,
                            "trainings", lambda a: f"{a:.1f} %")
    return (np.median(np.array(updates).reshape(len(PRECISIONS), samples, 2), axis=1),
            np.array(trainings).reshape(len(PRECISIONS), seeds).mean(axis=1))
