"""Predictive coding with Nesterov's momentum on the states.

    x_0 = y_0,        x_{t+1} = y_t + gamma (f'(y_t) W^T e - e),        y_{t+1} = x_{t+1} + momentum (x_{t+1} - x_t)

with the errors e at y_t. Source: Nesterov 1983, with a constant momentum; on the states of predictive coding in deep
networks tarun-ks/predictive-coding-depth-scaling, whose steps grow with depth to the power 1.21 in place of 1.92.
"""

from collections.abc import Mapping

from hebbar.compiler.network import Network

from .energy import errors, state_descent
from .inference import start_states
from .state import Array, States, Weights, check_weights, hold

__all__ = ["relax"]


def relax(network: Network, weights: Weights, clamps: Mapping[str, Array], gamma: float, momentum: float,
          steps: int) -> States:
    """The states y, (batch, size) by population, after ``steps`` steps from the feed-forward start.

    What ``clamps`` holds stays; a network without cycles. Weights are learnt from the errors at these states, as in
    inference learning."""
    check_weights(network, weights)
    held = hold(network, clamps)
    y = start_states(network, weights, held, "forward")
    before = dict(y)
    for _ in range(steps):
        descent = state_descent(network, weights, y, errors(network, weights, y))
        x = {name: value if name in held.values else value + gamma * descent[name] for name, value in y.items()}
        y = {name: value + momentum * (value - before[name]) for name, value in x.items()}
        before = x
    return y
