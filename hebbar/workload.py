"""The least work a learning step can be, from the network and the rule alone.

No program is looked at: the counts follow from the equations. A weight is visited when it is read,
however much is done with it then. Clamped sources are hoisted; nothing is skipped because it is
zero.
"""

from .config import MachineConfig, RuleConfig
from .layout import ceil_div
from .network import Edge, Network, Role

__all__ = ["visits_per_sample", "minimum_visits", "minimum_cycles"]


def visits_per_sample(network: Network, edge: Edge, rule: RuleConfig) -> int:
    """How often one training sample must visit the weights of ``edge``.

    IL: a clamped source is predicted from once and learnt once; any other edge is visited for the
    first prediction (which also gives the first feedback), for each of the T - 1 later steps, and
    for the refreshed error with the update. iPC: every step is one visit. Z-IL and backprop: one
    visit forward and one for feedback and update; where the error is known at once, one in all.
    """
    fixed = network.by_name[edge.source].role in (Role.INPUT, Role.CONSTANT) and \
        not network.incoming(edge.source)
    target = network.by_name[edge.target].role is Role.TARGET
    if rule.name == "ipc":
        return rule.steps
    if rule.name in ("zil", "backprop"):
        return 1 if target else 2
    if not rule.steps:
        return 2
    return 2 if fixed else rule.steps + 1


def minimum_visits(network: Network, rule: RuleConfig) -> int:
    """Weights visited a sample, all edges."""
    return round(sum(visits_per_sample(network, e, rule) * network.by_name[e.source].size
                     * network.by_name[e.target].size * network.fill(e) for e in network.stored))


def minimum_cycles(network: Network, rule: RuleConfig, machine: MachineConfig) -> tuple[float, int]:
    """Cycles a sample when every lane visits a weight in every cycle: exact, and with every block
    padded to whole words of C columns and whole groups of P rows."""
    lanes, tiles = machine.lanes, machine.row_tiles
    padded = sum(visits_per_sample(network, e, rule)
                 * ceil_div(network.by_name[e.source].size, lanes)
                 * ceil_div(network.by_name[e.target].size, tiles) * network.fill(e) for e in network.stored)
    return minimum_visits(network, rule) / (lanes * tiles), round(padded)
