"""Reward bases: several value functions learnt together by temporal differences."""

from collections.abc import Mapping

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep

from ..network import Edge, Error, Network, Role
from ..schedule import MicroOp
from ..tasks import Kind
from .builder import FORWARD, Schedule
from .needs import even_errors
from .registry import Option, rule

__all__ = ["parts", "reward_bases"]


def parts(network: Network) -> tuple[str, str, str]:
    """The populations of the features, of their temporal difference, and of the values."""
    shared = [e for e in network.edges if e.shares]
    if len(shared) != 1 or network.by_name[shared[0].target].role is not Role.TARGET:
        raise BadInput("rule.name is 'reward_bases': the network needs one edge that shares weights, from the "
                       "population phi(s) - g phi(s') to the target, the values; its shares is 'features:values'.")
    return shared[0].shares.split(":")[0], shared[0].source, shared[0].target


def _linear(network: Network, options: Mapping[str, Option]) -> Network:
    """The network as it is, where its errors are temporal differences: V is linear in the features alone."""
    features, difference, values = (network.by_name[name] for name in parts(network))
    if features.role is not Role.INPUT or network.incoming(features.name):
        raise BadInput(f"rule.name is 'reward_bases' and the features {features.name!r} are no data; give their "
                       "population role 'input' and no edge that leads to it.")
    if difference.activation != "identity":
        raise BadInput(f"network.populations: {difference.name!r} has activation {difference.activation!r}, and rule "
                       "'reward_bases' takes phi(s) - g phi(s') from it as it is; make it 'identity'.")
    for edge in network.incoming(values.name):
        if edge.source != features.name or edge.identity:
            raise BadInput(f"network.edges: {edge.source!r} to {values.name!r}{' is an identity' * edge.identity}, and "
                           "rule 'reward_bases' has the temporal difference from the weights of the features alone; "
                           "remove it, or make a bias one of the features.")
    even_errors([values], "reward_bases", "learns by the temporal difference as it is")
    if values.error is not Error.GAUSSIAN:
        raise BadInput(f"network.populations: {values.name!r} has categorical errors, which are no temporal "
                       "differences; make it gaussian.")
    return network


def _answer(s: Schedule) -> list[MicroOp]:
    """The value of every basis, and what later populations make of them."""
    features, difference, _ = parts(s.layout.network)
    ops: list[MicroOp] = s.stream_in(features)
    read = [b for b in s.blocks if b.name != difference]
    ops += [s.op(b, FORWARD | Sweep.FWD) for b in read]
    return ops + s.stream_out(*(b.name for b in read))


def _compared(s: Schedule, edge: Edge) -> float:
    """The weights of the values give the temporal difference and learn; nothing else is read."""
    features, _, values = parts(s.layout.network)
    return 2 if (edge.source, edge.target) == (features, values) else 0


def _valued(s: Schedule, edge: Edge) -> float:
    return int(edge.target != parts(s.layout.network)[1])


@rule("reward_bases", answer=_answer, visits=_compared, answer_visits=_valued, prepare=_linear,
      task=Kind.VALUES)
def reward_bases(s: Schedule) -> list[MicroOp]:
    """Reward bases (PLOS Comp. Biol. 2024): delta_i = r_i + g V_i(s') - V_i(s), w_i += alpha delta_i phi(s).

    The target holds the rewards; ``V_i(s) - g V_i(s')`` is one FWD of the weights with the difference
    of the features, delta its error.
    """
    _, difference, values = parts(s.layout.network)
    inputs = [p.name for p in s.layout.network.with_role(Role.INPUT)]
    return [*s.stream_in(*inputs, values), s.op(difference, FORWARD | Sweep.FWD),
            s.op(f"{difference}:{values}", Sweep.FWD | Sweep.ERR),
            s.op(s.block(values), Sweep.UPD)]
