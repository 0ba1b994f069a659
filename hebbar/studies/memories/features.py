"""Memory in feature space: one array with and without a fixed encoder."""

import numpy as np

from hebbar.api import Experiment
from hebbar.contract.console import Reporter

from ..questions import Asked, Reals, ask
from .stored import digits, store

__all__ = ["GAIN", "SLOTS", "encoder", "feature_recall"]

SLOTS = 60
GAIN = 20
"""Points by which the encoder has to better retrieval by dot products."""


def encoder(e: Experiment, kind: str) -> None:
    """Fix the encoder of ``feature_memory``: "features", twice a random rotation of the image less the mean one, or
    "pixels", half the image itself, which stays inside hard tanh."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
    matrix = 2 * rotation if kind == "features" else np.eye(64) / 2
    offset = -matrix @ digits().train.inputs_float.mean(axis=0) if kind == "features" else np.zeros(64)
    e.set_weights(e.weights | {("q", "code"): matrix, ("one", "code"): offset[:, None]})


def feature_recall(kind: str, stored: Reals, queries: Reals, reporter: Reporter, backend: str = "fast") -> Asked:
    """Store images as values under encoded keys, retrieve by the largest dot product of codes."""
    e = Experiment("feature_memory")
    encoder(e, kind)
    store(e, q=stored, z=stored)
    return ask(e, "predict", {"q": queries}, reporter, backend)
