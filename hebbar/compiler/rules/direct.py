"""Errors that reach every hidden layer at once, through fixed random weights: direct feedback alignment."""

from collections.abc import Mapping

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep

from ..network import Edge, Network, Population, Role
from ..schedule import MicroOp
from .builder import FORWARD, Schedule
from .needs import feed_forward
from .registry import Option, rule

__all__ = ["BLOCK", "dfa"]

BLOCK = "feedback"
"""What the population is called whose rows hold the fixed weights of a target."""


def _fed(network: Network, options: Mapping[str, Option]) -> Network:
    """The network with, for every target, a population that no sweep computes: its rows hold a fixed random block from
    every hidden population, which an edge to the target shares, so that TRN of that edge takes the target's errors."""
    scale = float(options["feedback"])
    if not scale > 0:
        raise BadInput(f"rule.options.feedback is {scale:g}; errors reach no layer through weights of 0, give a spread "
                       "above 0 such as 1.0.")
    feed_forward(network, "dfa")
    populations, edges = list(network.populations), list(network.edges)
    for target in network.with_role(Role.TARGET):
        rows = f"{target.name}.{BLOCK}"
        populations.append(Population(rows, target.size, "identity", Role.HIDDEN, target.activity_frac))
        for hidden in network.with_role(Role.HIDDEN):
            edges += [Edge(hidden.name, rows, scale=scale, plastic=False),
                      Edge(hidden.name, target.name, plastic=False, shares=f"{hidden.name}:{rows}")]
    return Network(tuple(populations), tuple(edges))


def _computed(name: str) -> bool:
    """Whether a population takes part in predictions."""
    return not name.endswith(f".{BLOCK}")


def _answer(s: Schedule) -> list[MicroOp]:
    """The feed-forward pass."""
    return [s.sweep(b, FORWARD | Sweep.FWD) for b in s.blocks if _computed(b.name)]


def _forward(s: Schedule, edge: Edge) -> float:
    return int(_computed(edge.target))


def _there(s: Schedule, edge: Edge) -> float:
    """Forward, and once more to learn, where the error is known at once both in one visit; a fixed block once."""
    return 1 if s.clamped(edge.target) or not _computed(edge.target) else 1 + edge.plastic


@rule("dfa", answer=_answer, prepare=_fed, visits=_there, answer_visits=_forward, feedback=1.0)
def dfa(s: Schedule) -> list[MicroOp]:
    """Direct feedback alignment (Nøkland 2016): delta_l = f'(x_l) B_l e for every hidden layer, B_l fixed and random.

    ``feedback``: B_l is uniform with standard deviation feedback / sqrt(size of the layer). No layer waits for the
    delta of another, and no weight is used backwards that is used forwards.
    """
    targets = [b for b in s.blocks if s.clamped(b.name)]
    inner = [b for b in s.blocks if not s.clamped(b.name) and _computed(b.name)]
    ops: list[MicroOp] = [s.sweep(b, FORWARD | Sweep.FWD) for b in inner]
    ops += [s.sweep(b, FORWARD | Sweep.FWD | Sweep.UPD) for b in targets]
    first, *others = dict.fromkeys(b.name for b in targets)  # once each, whatever masks cut
    for name in dict.fromkeys(b.name for b in inner):
        ops += [s.op(f"{name}:{first}", Sweep.TRN), *(s.op(f"{name}:{t}", Sweep.TRN, overwrite=False) for t in others)]
    ops += [s.sweep(b, Sweep.DELTA | Sweep.BACK) for b in inner]
    return ops + [s.sweep(b, Sweep.UPD) for b in inner]
