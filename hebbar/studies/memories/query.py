"""One generative network, one set of weights: it classifies, generates and completes by what is clamped."""

from hebbar.api import Experiment

from .stored import digits, learn

__all__ = ["ACCURACY", "one_network"]

ACCURACY = 85
"""Percent of test images that the network has to classify."""


def one_network(epochs: int | None = None) -> Experiment:
    """The preset ``query``, trained on images and labels of the training set."""
    e, train = Experiment("query"), digits().train
    learn(e, epochs, v=train.inputs_float, y=train.targets)
    return e
