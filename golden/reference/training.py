"""Passes over a data set in batches, prediction and accuracy."""

from collections.abc import Sequence

import numpy as np

from hebbar.config import TrainingConfig
from hebbar.errors import BadInput
from hebbar.network import Network, Role
from hebbar.rule_config import RuleConfig

from .energy import predictions
from .inference import default_start, infer
from .rules import update
from .state import Array, States, Weights

__all__ = ["ends", "sample_clamps", "train_epoch", "predict", "accuracy", "halvings", "epoch_rate"]


def ends(network: Network) -> tuple[str, str]:
    """Names of the one input and the one target population."""
    names = []
    for role in (Role.INPUT, Role.TARGET):
        found = network.with_role(role)
        if len(found) != 1:
            raise BadInput(f"network.populations has {len(found)} of role {role.value!r}; this "
                           "trainer takes exactly one, use rules.update with clamps instead.")
        names.append(found[0].name)
    return names[0], names[1]


def sample_clamps(network: Network, inputs: Array, targets: Array | None = None) -> States:
    """Clamps for ``inputs`` (batch, input size) and, while training, ``targets`` (batch, size)."""
    first, last = ends(network)
    return {first: inputs} if targets is None else {first: inputs, last: targets}


def train_epoch(network: Network, weights: Weights, inputs: Array, targets: Array, rule: RuleConfig,
                order: Sequence[int], batch: int = 16, rate: float = 1.0) -> Weights:
    """New weights after one pass in the given ``order`` of sample numbers, ``batch`` at a time.

    Updates are summed over a batch, so ``rate`` should fall as ``batch`` grows.
    """
    order = np.asarray(order)
    for first in range(0, len(order), batch):
        rows = order[first:first + batch]
        clamps = sample_clamps(network, inputs[rows], targets[rows])
        weights = update(network, weights, clamps, rule, rate).weights
    return weights


def predict(network: Network, weights: Weights, inputs: Array, rule: RuleConfig) -> Array:
    """The free target states (batch, target size) for given inputs.

    Feed-forward, where inference has nothing left to do: mu, of a categorical target its log-odds. On a
    cyclic graph ``rule.steps`` steps of ``rule.gamma`` from zero.
    """
    steps, target = rule.steps if network.order is None else 0, ends(network)[1]
    path = infer(network, weights, sample_clamps(network, inputs), rule.gamma, steps,
                 default_start(network))
    last = path.states[-1]
    return last[target] if network.order is None else predictions(network, weights, last)[target]


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose largest output is the label; the first of equal outputs counts."""
    return float((outputs.argmax(axis=1) == labels).mean())


def halvings(training: TrainingConfig, epoch: int) -> int:
    """How often every alpha has been halved in ``epoch`` (from 0)."""
    return sum(start <= epoch for start in training.halve_alpha_at)


def epoch_rate(training: TrainingConfig, epoch: int) -> float:
    """The factor on every alpha in ``epoch`` (from 0): halved at each start in halve_alpha_at."""
    return 0.5 ** halvings(training, epoch)
