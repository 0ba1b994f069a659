"""Passes over a data set in batches, prediction and accuracy."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hebbar.compiler.config import TrainingConfig
from hebbar.compiler.network import Network, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

from .energy import predictions
from .inference import default_start, infer
from .plan import Plan, plannable
from .rules import update
from .state import Array, States, Weights, check_weights, hold

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
                order: Sequence[int] | NDArray[np.int64], batch: int = 16, rate: float = 1.0,
                dtype: DTypeLike = np.float64, progress: Callable[[int], None] | None = None) -> Weights:
    """New weights after one pass in the given ``order`` of sample numbers, ``batch`` at a time.

    Updates are summed over a batch, so ``rate`` should fall as ``batch`` grows. ``dtype``: float64, or float32 for
    speed, which IL, iPC and Z-IL have; ``progress`` is told how many samples have been learnt. Raises BadInput for
    clamps or weights that do not fit the network, for a number that is no sample's, and for weights that stop being
    finite.
    """
    numbers, clamps = np.asarray(order, np.int64), sample_clamps(network, inputs, targets)
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise BadInput(f"dtype is {np.dtype(dtype)}; give float64 or float32.")
    _check_order(numbers, len(inputs))
    if not plannable(network, rule, batch):
        if np.dtype(dtype) != np.float64:
            raise BadInput(f"dtype is float32, which {rule.name!r} does not have on this network; use float64.")
        return _by_rule(network, weights, clamps, rule, numbers, batch, rate, progress)
    held = hold(network, clamps, dtype=dtype).values
    plan = Plan(network, weights, tuple(clamps), dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # told below, with the place
        for first in range(0, len(numbers), batch):
            rows = numbers[first:first + batch]
            plan.learn(held, rows, rule, rate)
            if progress:
                progress(first + len(rows))
    learnt = plan.weights
    check_weights(network, learnt)
    return learnt


def _check_order(numbers: NDArray[np.int64], count: int) -> None:
    wrong = np.flatnonzero((numbers < 0) | (numbers >= count))
    if len(wrong):
        raise BadInput(f"order[{wrong[0]}] is {numbers[wrong[0]]}; give numbers of samples, 0 to {count - 1}.")


def _by_rule(network: Network, weights: Weights, clamps: States, rule: RuleConfig, order: NDArray[np.int64], batch: int,
             rate: float, progress: Callable[[int], None] | None) -> Weights:
    for first in range(0, len(order), batch):
        rows = order[first:first + batch]
        weights = update(network, weights, {name: values[rows] for name, values in clamps.items()}, rule, rate).weights
        if progress:
            progress(first + len(rows))
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
