"""What rules ask of a network or a machine; each of these raises BadInput, which says where, what and what to do."""

from collections.abc import Iterable

from hebbar.contract.activations import ACTIVATIONS
from hebbar.contract.errors import BadInput

from ..network import Network, Population, Role
from ..schedule import SweepOp
from .builder import TAKE, Schedule

__all__ = ["feed_forward", "even_errors", "no_predicted_inputs", "take"]


def feed_forward(network: Network, rule: str) -> None:
    """Refuse cycles, targets that feed something and predicted inputs: deltas come down one way."""
    if network.order is None:
        raise BadInput(f"rule.name is {rule!r} and the network has a cycle; use 'il' or 'ipc'.")
    if any(network.outgoing(p.name) for p in network.with_role(Role.TARGET)):
        raise BadInput(f"rule.name is {rule!r} and a target population feeds another; use 'il'.")
    no_predicted_inputs(network, rule)


def no_predicted_inputs(network: Network, rule: str) -> None:
    """Refuse inputs that edges lead to, of which a query could ask."""
    for p in network.with_role(Role.INPUT):
        if network.incoming(p.name):
            raise BadInput(f"rule.name is {rule!r} and an input population is predicted; use 'il' or remove the edges "
                           f"to {p.name!r}.")


def even_errors(populations: Iterable[Population], rule: str, why: str) -> None:
    """Refuse precisions; ``why``: what the rule does that asks for precision 0."""
    for p in populations:
        if p.precision:
            raise BadInput(f"network.populations: {p.name!r} has precision {p.precision}, and rule {rule!r} {why}; set "
                           "it to 0.")


def take(s: Schedule, name: str) -> SweepOp:
    """A population that nothing predicts takes its feedback as its state, x = f'(0) times it. Refuses a slope at 0
    whose code is not that of 1."""
    activation, form = s.layout.network.by_name[name].activation, s.layout.machine.formats.derivative
    slope = ACTIVATIONS[activation].derivative(0.0)
    if round(slope * form.scale) != form.scale:
        raise BadInput(f"network.populations: {name!r} has activation {activation!r}, whose slope at 0 is {slope:g}, "
                       f"and rule {s.rule.name!r} brings it values through this slope; use one with slope 1 there, "
                       "such as 'identity', 'tanh' or 'relu'.")
    return s.op(s.rows(name), TAKE, gain=1.0)
