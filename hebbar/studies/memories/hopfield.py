"""Universal Hopfield networks: random bits, and similarities by separations on images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.reference import hopfield
from hebbar.api import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD

from ..questions import Asked, Reals, ask
from .stored import store

__all__ = ["NAMES", "TABLE_BETAS", "Compared", "bits", "compared", "float_answers", "heading", "hopfield_recall",
           "similar", "store_images", "wrong"]

PATTERNS, BITS, FLIPS = 20, 100, 20
NAMES = {"softmax": "modern, softmax", "max": "max", "activation": "classical, sign afterwards"}
"""Separations of random bits, by what they are called."""
ON_MACHINE = ("softmax", "max")
TABLE_BETAS = {"dot": 4.0, "cosine": 64.0, "stored_norm": 8.0, "manhattan": 1024.0}
"""Inverse temperatures of softmax by similarity."""


def bits(seed: int = 0, queries: int = 5) -> tuple[Reals, Reals, Reals]:
    """Random patterns of +1 and -1, ``queries`` of each with a fifth of its bits flipped, and what they ask for."""
    rng = np.random.default_rng(seed)
    patterns = rng.choice([-1.0, 1.0], (PATTERNS, BITS))
    wanted = np.repeat(patterns, queries, axis=0)
    flipped = np.array([rng.permutation(BITS) < FLIPS for _ in wanted])
    return patterns, np.where(flipped, -wanted, wanted), wanted


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


@dataclass(frozen=True)
class Compared:
    """Percent of images that a similarity takes for another, in float64 by separation, and what the machine answers
    by those it has; none for a similarity that is no matrix product."""

    kind: str
    stored: Reals
    floating: dict[str, float]
    machine: dict[str, Asked]

    def __str__(self) -> str:
        shares = "".join(f"{100 * wrong(a.outputs['z'], self.stored):6.0f}" for a in self.machine.values())
        return (f"{self.kind:30}{''.join(f'{value:12.0f}' for value in self.floating.values())}    "
                f"{shares or 'no matrix product: float only'}")

    @property
    def first(self) -> str | None:
        """The first difference between golden machine and RTL."""
        return next((a.first for a in self.machine.values() if a.first), None)


def heading() -> str:
    """The line above a table of ``Compared``."""
    return (f"{'images taken for another, %':30}" + "".join(f"{s:>12}" for s in hopfield.SEPARATIONS)
            + f"    on the machine: {', '.join(ON_MACHINE)}")


def compared(kind: str, stored: Reals, queries: Reals, reporter: Reporter, backend: str = "fast") -> Compared:
    """One query for each stored image, by all separations in float64 and by those of the machine."""
    floating = {s: 100 * wrong(float_answers(kind, s, stored, queries), stored) for s in hopfield.SEPARATIONS}
    how = () if kind == "manhattan" else ON_MACHINE
    return Compared(kind, stored, floating, {s: similar(kind, s, stored, queries, reporter, backend) for s in how})
