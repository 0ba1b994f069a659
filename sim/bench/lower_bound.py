"""The fewest times a rule can read its weights: arithmetic on the network alone, no program is looked at."""

from hebbar.config import Config
from hebbar.network import Edge, Error, Network, Role

__all__ = ["least_reads"]

UPDATES = {"eqprop": 2, "chl": 2, "stdp": 2}
"""Updates of a sample that cannot share a visit, because activities move between them; one elsewhere."""


def least_reads(config: Config, entry: str) -> int:
    """Weights read by one sample of ``entry``, padding left out.

    A state step visits a weight once for prediction and feedback together, and a learning rule once
    more with the errors after the last step. What fixed sources contribute is computed once where it may
    be hoisted. A rule that stops early takes the one step that it must.
    """
    network = config.build_network()
    return sum(_passes(config, network, entry, e) * round(
        network.fill(e) * network.by_name[e.source].size * network.by_name[e.target].size) for e in network.stored)


def _passes(config: Config, network: Network, entry: str, e: Edge) -> int:
    name, rule = config.rule.name, config.rule
    if entry == "query":
        return rule.query_steps or rule.steps
    if entry == "predict":
        return _answer(config, network, e)
    steps = 2 if rule.tolerance else rule.steps
    if name in ("zil", "backprop"):
        return 1 if network.by_name[e.target].role is Role.TARGET else 2
    if name == "ipc":
        return steps
    if name in ("eqprop", "chl"):
        phases = 3 if name == "eqprop" and rule.options.get("symmetric", True) else 2
        return phases * steps + UPDATES[name]
    if name == "stdp":
        return 1 + UPDATES[name] * e.plastic
    if name == "hopfield":
        return int(e.plastic or network.by_name[e.target].role is Role.HIDDEN)
    if name == "reward_bases":
        return 2 * e.plastic
    if not steps:
        return 1
    return 1 + e.plastic if _hoisted(config, network, e) else steps + 1


def _answer(config: Config, network: Network, e: Edge) -> int:
    if config.rule.name == "hopfield" and any(other.shares == f"{e.source}:{e.target}" for other in network.edges):
        return 2  # similarity, and projection with what the separation makes of it
    if config.rule.name in ("hopfield", "stdp") or network.order is not None:
        return 1
    return config.rule.steps


def _hoisted(config: Config, network: Network, e: Edge) -> bool:
    source, target = network.by_name[e.source], network.by_name[e.target]
    return config.rule.hoist and source.role in (Role.INPUT, Role.CONSTANT) and not network.incoming(e.source) \
        and target.error is Error.GAUSSIAN
