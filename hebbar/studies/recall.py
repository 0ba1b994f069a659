"""Memories at work: random bits, images of digits, and one generative network asked in three ways.

Every task stores on the golden machine and is asked on it and on the RTL, which must agree. Constants of the
presets were chosen on other draws of images and on a validation part of the training set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.learning.datasets import Dataset, load as load_data
from golden.learning.tasks.completion import relative_error as relative, upper_half
from golden.reference import covpcn, hopfield
from golden.streams import to_codes, to_reals
from golden.trace import Job
from hebbar.api import Experiment
from hebbar.compiler.config import DataConfig
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import MissingTool
from hebbar.contract.files import BUILD
from hebbar.energy import estimate, load_technology
from sim.backends import golden
from sim.compare import compare
from sim.simulate import run_backend

__all__ = ["Reals", "Asked", "ask", "digits", "bits", "images", "store", "hopfield_recall", "store_images",
           "similar", "float_answers", "wrong", "TABLE_BETAS", "learn", "upper_half", "complete", "relative",
           "covpcn_ends", "encoder", "feature_recall", "one_network"]

Reals = NDArray[np.float64]

PATTERNS, BITS, FLIPS = 20, 100, 20
RECORDED = 2
"""Queries that are compared at every barrier; of all others the outputs are, and the counters."""
TECHNOLOGY = "cmos45"


@dataclass(frozen=True)
class Asked:
    """The answers to queries, real numbers by population; words compared with the RTL and mismatches, cycles and
    typical nJ a query. ``missing``: why there was no RTL, empty when there was."""

    outputs: Mapping[str, Reals]
    words: int
    mismatches: int
    first: str | None
    cycles: float
    energy: float
    missing: str

    def __str__(self) -> str:
        rtl = f"{self.missing} The answers are the golden machine's." if self.missing else \
            f"RTL: {self.mismatches} mismatches in {self.words:,} words"
        return f"{self.cycles:,.0f} cycles and {self.energy:,.1f} nJ a query; {rtl}"


def ask(e: Experiment, entry: str, samples: Mapping[str, ArrayLike], reporter: Reporter, backend: str = "fast",
        build: Path = BUILD) -> Asked:
    """Run ``entry`` with the current weights of ``e`` on the golden machine and, where its tools are, on the RTL."""
    program = e.program
    codes = to_codes(program, entry, samples)
    job = Job(program, entry, e.image, codes, steps=False)
    beginning = Job(program, entry, e.image, {key: values[:RECORDED] for key, values in codes.items()})
    want = golden.run(job)
    words, wrong, first, missing = 0, 0, None, ""
    try:
        for part, trace in ((beginning, golden.run(beginning)), (job, want)):
            found = compare(program, trace, run_backend(part, backend, build, reporter))
            words, wrong = words + found.total_words, wrong + found.total_mismatches
            first = first or (str(found.first) if found.first else None)
    except MissingTool as error:
        missing = str(error)
    price = estimate(program, want.counters, job.count, load_technology(TECHNOLOGY), entry)
    return Asked(to_reals(program, entry, want.outputs), words, wrong, first,
                 sum(want.counters[c] for c in CYCLES) / job.count, price.sample.typical / 1000, missing)


def digits() -> Dataset:
    """The digits with 5 fraction bits, which hold their 17 grey levels exactly."""
    return load_data(DataConfig(), activity_frac=5)


def images(count: int, seed: int = 0) -> Reals:
    """``count`` images of the training set, (count, 64), pixels 0 to 1."""
    train = digits().train
    return train.inputs_float[np.random.default_rng(seed).permutation(len(train))[:count]]


def bits(seed: int = 0, queries: int = 5) -> tuple[Reals, Reals, Reals]:
    """Random patterns of +1 and -1, ``queries`` of each with a fifth of its bits flipped, and what they ask for."""
    rng = np.random.default_rng(seed)
    patterns = rng.choice([-1.0, 1.0], (PATTERNS, BITS))
    wanted = np.repeat(patterns, queries, axis=0)
    flipped = np.array([rng.permutation(BITS) < FLIPS for _ in wanted])
    return patterns, np.where(flipped, -wanted, wanted), wanted


def store(e: Experiment, strength: float = 1.0, **keys: ArrayLike) -> None:
    """Store one pattern a slot by one update each, the one-hot error being ``strength``."""
    slots = e.program.layout.network.by_name["slots"].size
    e.run("train", {**keys, "slots": strength * np.eye(slots)})


def hopfield_recall(separation: str, patterns: Reals, queries: Reals, reporter: Reporter, backend: str = "fast",
                    build: Path = BUILD) -> Asked:
    """The preset ``hopfield``; "activation" is the classical network, whose scores have to fit activities."""
    e = Experiment("hopfield", rule={"options": {"separation": separation}})
    store(e, 2.0**-5 if separation == "activation" else 1.0, q=patterns)
    return ask(e, "predict", {"q": queries}, reporter, backend, build)


def store_images(e: Experiment, stored: Reals) -> None:
    """Images at one eighth and -|m|^2 / 16 beside them, both exact, into the preset ``euclidean``.

    The norms have 12 fraction bits and activities 6, so a second update with a sixty-fourth of the error adds
    the low half.
    """
    high, low = np.divmod(np.round(256 * (stored**2).sum(axis=1)), 64)
    store(e, q=stored, norm=-high[:, None] / 64)
    store(e, 1 / 64, q=0 * stored, norm=-low[:, None] / 64)


TABLE_BETAS = {"dot": 4.0, "cosine": 64.0, "stored_norm": 8.0, "manhattan": 1024.0}
"""Inverse temperatures of softmax by similarity."""


def similar(kind: str, separation: str, stored: Reals, queries: Reals, reporter: Reporter, backend: str = "fast",
            build: Path = BUILD) -> Asked:
    """A similarity on the preset ``euclidean``: "stored_norm"; "dot", the norms' input at 0; "cosine", with keys of
    length 1 and queries of length 4, at which they use their format."""
    beta = TABLE_BETAS[kind] / 4 if kind == "cosine" else 8 * TABLE_BETAS[kind]
    e = Experiment("euclidean", rule={"beta": beta, "options": {"separation": separation}})
    store_images(e, stored)
    if kind == "cosine":
        keys = stored / np.linalg.norm(stored, axis=1, keepdims=True)
        e.set_weights(e.weights | {("q", "slots"): keys})
        queries = 4 * queries / np.linalg.norm(queries, axis=1, keepdims=True)
    norm = np.full((len(queries), 1), float(kind == "stored_norm"))
    return ask(e, "predict", {"q": queries, "norm": norm}, reporter, backend, build)


def float_answers(kind: str, separation: str, stored: Reals, queries: Reals) -> Reals:
    """The answers in float64, of any similarity and separation; polynomials have degree 10."""
    how = hopfield.Retrieval(kind, separation, TABLE_BETAS[kind] if separation == "softmax" else 1.0, degree=10)
    return hopfield.retrieve(hopfield.filled(stored), queries, how)


def wrong(answers: Reals, stored: Reals) -> float:
    """The share of answers, one asked for each of ``stored``, that look more like another image (cosine)."""
    unit = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    return float(((answers @ unit.T).argmax(axis=1) != np.arange(len(stored))).mean())


def learn(e: Experiment, epochs: int | None = None, **samples: Reals) -> None:
    """Train on samples by population for ``training.epochs``, reshuffled every epoch, at a constant rate."""
    rng, count = np.random.default_rng(e.config.training.seed), len(next(iter(samples.values())))
    order = np.concatenate([rng.permutation(count) for _ in range(epochs or e.config.training.epochs)])
    e.run("train", {name: values[order] for name, values in samples.items()})


def complete(preset: str, stored: Reals, reporter: Reporter, backend: str = "fast", build: Path = BUILD,
             feedback: bool = True) -> tuple[Experiment, Asked]:
    """``memory`` or ``covpcn`` learns images and completes each from its upper half."""
    e = Experiment(preset, rule={"feedback": feedback})
    learn(e, v=stored)
    return e, ask(e, "query", upper_half(stored), reporter, backend, build)


def covpcn_ends(e: Experiment, stored: Reals, kind: covpcn.Recall) -> Reals:
    """Where recall with the weights of ``e`` ends, in closed form."""
    model = covpcn.CovPCN(e.weights["v", "v"], e.weights["one", "v"][:, 0])
    given = upper_half(stored)
    return covpcn.fixed_point(model, given["v"], given["v.clamp"][0] == 0, kind)


def encoder(e: Experiment, kind: str, seed: int = 0) -> None:
    """Fix the encoder of ``feature_memory``: "features", twice a random rotation of the image less the mean one, or
    "pixels", half the image itself, which stays inside hard tanh."""
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(64, 64)))[0]
    matrix = 2 * rotation if kind == "features" else np.eye(64) / 2
    offset = -matrix @ digits().train.inputs_float.mean(axis=0) if kind == "features" else np.zeros(64)
    e.set_weights(e.weights | {("q", "code"): matrix, ("one", "code"): offset[:, None]})


def feature_recall(kind: str, stored: Reals, queries: Reals, reporter: Reporter, backend: str = "fast",
                   build: Path = BUILD) -> tuple[Experiment, Asked]:
    """Store images as values under encoded keys, retrieve by the largest dot product of codes."""
    e = Experiment("feature_memory")
    encoder(e, kind)
    store(e, q=stored, z=stored)
    return e, ask(e, "predict", {"q": queries}, reporter, backend, build)


def one_network(epochs: int | None = None) -> Experiment:
    """The preset ``query``, trained on images and labels of the training set."""
    e, train = Experiment("query"), digits().train
    learn(e, epochs, v=train.inputs_float, y=train.targets)
    return e
