"""Direct feedback alignment: every hidden layer takes the error of the output through fixed random weights of its own.

    delta_l = f'(x_l) * (B_l e),        dW_l = delta_l f(x_{l-1})^T,        e = y - output

In place of backprop's ``W_{l+1}^T delta_{l+1}`` stands ``B_l e``, so that no layer waits for another's delta and no
weight is used in both directions. Source: Nøkland, NeurIPS 2016; Lillicrap et al., Nature Communications 2016, for one
hidden layer: the forward weights learn to send the errors where the feedback sends them.
"""

from collections.abc import Mapping

import numpy as np

from hebbar.compiler.network import Network, Role
from hebbar.contract.errors import BadInput

from .energy import errors, slope, weight_descent
from .inference import start_states
from .state import Array, Held, States, Weights, check_weights, hold

__all__ = ["Feedback", "descent"]

Feedback = Mapping[tuple[str, str], Array]
"""B, (hidden size, target size), by hidden population and target."""


def descent(network: Network, weights: Weights, feedback: Feedback, clamps: Mapping[str, Array]) -> Weights:
    """``delta f(x)^T`` of every block, summed over the batch: the change of the weights at alpha 1.

    Any graph without cycles whose inputs nothing predicts. Raises BadInput where a hidden population has no B, or one
    of another shape.
    """
    if network.order is None:
        raise BadInput("network: the graph has a cycle; direct feedback alignment needs sources before targets.")
    check_weights(network, weights)
    held, targets = hold(network, clamps), network.with_role(Role.TARGET)
    inputs = {p.name: held.values[p.name] for p in network.with_role(Role.INPUT, Role.CONSTANT)}
    x = start_states(network, weights, Held(inputs, {n: held.masks[n] for n in inputs}, held.batch), "forward")
    out = errors(network, weights, x | held.values)
    delta: States = {name: np.zeros_like(value) for name, value in x.items()} | {t.name: out[t.name] for t in targets}
    for p in network.with_role(Role.HIDDEN):
        for t in targets:
            block = feedback.get((p.name, t.name))
            if block is None or block.shape != (p.size, t.size):
                raise BadInput(f"feedback[{(p.name, t.name)}] has shape {None if block is None else block.shape}; give "
                               f"one of shape {(p.size, t.size)}.")
            delta[p.name] = delta[p.name] + out[t.name] @ block.T
        delta[p.name] = slope(network, p.name, x[p.name]) * delta[p.name]
    return weight_descent(network, x, delta)
