"""Two states compared: nudged PC, equilibrium propagation, contrastive Hebbian learning."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep

from ..graphs import nudged, remembered
from ..layout import Block
from ..network import Edge, Network
from ..schedule import LoopOp, MicroOp, SweepOp
from .builder import FORWARD, MOVE, Schedule, Words
from .needs import even_errors, no_predicted_inputs, take
from .predictive import il
from .registry import Option, Prepare, rule

__all__ = ["nudged_pc", "eqprop", "chl"]

HOPFIELD = Sweep.FWD | Sweep.ERR | Sweep.GATE | Sweep.TRN | Sweep.POST | MOVE
"""One step down the energy 1/2 |u|^2 - r^T W r: e = u, and rows as well as columns give f(u)."""

COPY = "first"
"""What the populations are called that keep the activities of the first phase."""


def _lambda(options: Mapping[str, Option]) -> int:
    """log2 of lambda, the precision of the nudge. Raises BadInput for one that no precision has."""
    nudge = int(options.get("nudge", 0))
    if not -7 <= nudge <= 8:
        raise BadInput(f"rule.options.nudge is {nudge}; lambda is 2^-nudge, give a nudge from -7 to 8.")
    return -nudge


def _pulled(network: Network, options: Mapping[str, Option]) -> Network:
    return nudged(network, _lambda(options))


@rule("nudged_pc", prepare=_pulled, visits=il.visits["train"], nudge=3)
def nudged_pc(s: Schedule) -> list[MicroOp]:
    """Nudged PC (ICLR 2023): IL with the output free and pulled by lambda = 2**-nudge, alpha over lambda.

    The pull is on the output's activity, f(x) and not x.
    """
    return _faster(il(s), int(s.option("nudge")))


def _two_phases(rule: str) -> Prepare:
    """How the rule of this name prepares a network."""
    def prepare(network: Network, options: Mapping[str, Option]) -> Network:
        if network.order is None:
            raise BadInput("network: the graph has a cycle; two-phase rules need sources before targets, every "
                           "connection works in both directions anyway. Remove the edge that closes it.")
        no_predicted_inputs(network, rule)
        even_errors(network.predicted, rule, "settles by an energy in which all states weigh the same")
        for e in network.edges:
            if e.stored and e.plastic and e.positive:
                raise BadInput(f"network.edges: {e.source!r} to {e.target!r} is positive, and rule {rule!r} learns the "
                               "difference of two products, each of which would be clipped at zero by itself; set "
                               "positive to false.")
        return remembered(nudged(network, _lambda(options)), COPY)
    return prepare


def _three_phases(s: Schedule, edge: Edge) -> float:
    return _phases(s, edge, 3 if s.option("symmetric") else 2)


def _phases(s: Schedule, edge: Edge, count: int = 2) -> float:
    """Every step of every phase; the two products that are learnt share no visit, because activities move between
    them."""
    return count * s.rule.steps + 2 * edge.plastic


@rule("eqprop", prepare=_two_phases("eqprop"), visits=_three_phases, nudge=3, symmetric=True)
def eqprop(s: Schedule) -> list[MicroOp]:
    """Equilibrium propagation (2017): the free phase and one nudged by lambda, or two nudged by +-lambda.

    dW = alpha / lambda (r r^T nudged - r r^T free); symmetric: half the difference of the two nudged, of which the one
    at -lambda begins where the one at +lambda ends, not in the free state. Each phase takes ``rule.steps`` steps. A
    prediction is the feed-forward pass and not the free phase, although that is what learns.
    """
    k, both = int(s.option("nudge")), bool(s.option("symmetric"))
    free, up, down = (LoopOp(tuple(_descend(s, pull)), s.rule.steps)
                      for pull in (None, Sweep(0), Sweep.NEG))
    first, second = ((up,), down) if both else ((), up)
    learn = _learn(s, weaker=both, faster=k - both)
    return [*_forward(s), free, *first, *_keep(s), second, *learn]


@rule("chl", prepare=_two_phases("chl"), visits=_phases)
def chl(s: Schedule) -> list[MicroOp]:
    """Contrastive Hebbian learning: a free phase, then one with the output at the target.

    dW = alpha (r r^T clamped - r r^T free). Each phase takes ``rule.steps`` steps. A prediction is the feed-forward
    pass and not the free phase, although that is what learns.
    """
    names = [b.name.removesuffix(".target") for b in _targets(s)]
    held: list[MicroOp] = [s.op(b, Sweep.ERR | Sweep.TRN) for b in _targets(s)]
    held += [take(s, name) for name in names]
    clamped = LoopOp(tuple(_descend(s, None, still=names)), s.rule.steps)
    free = LoopOp(tuple(_descend(s, None)), s.rule.steps)
    return [*_forward(s), free, *_keep(s), *held, clamped, *_learn(s)]


def _network(s: Schedule) -> list[Block]:
    """The blocks of the network itself, sources first."""
    extra = _targets(s) + _copies(s)
    return [b for b in s.blocks if b not in extra]


def _targets(s: Schedule) -> list[Block]:
    return [b for b in s.blocks if b.name.endswith(".target")]


def _copies(s: Schedule) -> list[Block]:
    return [b for b in s.blocks if b.name.endswith(f".{COPY}")]


def _forward(s: Schedule) -> list[MicroOp]:
    return [s.sweep(b, FORWARD | Sweep.FWD) for b in _network(s)]


def _keep(s: Schedule) -> list[MicroOp]:
    """The activities of this moment into the copies."""
    return [s.op(b, FORWARD | Sweep.FWD) for b in _copies(s)]


def _descend(s: Schedule, pull: Sweep | None, still: Sequence[str] = ()) -> list[MicroOp]:
    """One step of everything but ``still``; ``pull``: the sign flags of the nudge, None without it."""
    fed: Words = set()
    ops: list[MicroOp] = []
    if pull is not None:
        ops += [s.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.TRN | pull, fed=fed) for b in _targets(s)]
    for b in reversed(_network(s)):
        flags = HOPFIELD if fed & set(s.layout.words(b)) else HOPFIELD & ~Sweep.BACK
        if b.name in still:
            flags = Sweep.TRN | Sweep.POST
        op = s.sweep(b, flags, fed=fed)
        ops += [op] if op.flags else []
    return ops


def _learn(s: Schedule, weaker: bool = False, faster: int = 0) -> list[MicroOp]:
    """The Hebbian product of this moment, less that of the copies; the other way round where this is the
    ``weaker`` phase."""
    now, then = (Sweep.NEG, Sweep(0)) if weaker else (Sweep(0), Sweep.NEG)
    ops: list[MicroOp] = [s.op(b, Sweep.UPD | Sweep.POST | now, slower=-faster) for b in _network(s) if b.columns]
    return ops + [s.op(b, Sweep.UPD | Sweep.POST | then, slower=-faster)
                  for blocks in s.layout.shared.values() for b in blocks]


def _faster(ops: list[MicroOp], doublings: int) -> list[MicroOp]:
    """The schedule with updates at alpha * 2**doublings."""
    return [replace(o, slower=-doublings) if isinstance(o, SweepOp) and o.flags & Sweep.UPD else o for o in ops]
