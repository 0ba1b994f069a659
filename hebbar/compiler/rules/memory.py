"""Universal Hopfield networks: similarity, separation and projection on one stored array."""

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Into, Mode, Sweep
from hebbar.contract.memories import Mem

from ..layout import Block, View
from ..network import Edge, Network, Role
from ..schedule import LoopOp, MicroOp, SeparateOp
from ..tasks import Kind
from .builder import FORWARD, Schedule
from .needs import take
from .registry import rule

__all__ = ["slots_of", "hopfield"]

SEPARATIONS = ("softmax", "max", "activation")


def slots_of(network: Network) -> str:
    """The population that holds one neuron a stored pattern: the one that the target leads to."""
    targets = network.with_role(Role.TARGET)
    found = [e.target for p in targets for e in network.edges if e.source == p.name]
    if len(targets) != 1 or len(found) != 1:
        raise BadInput(f"rule.name is 'hopfield' and {len(targets)} targets with {len(found)} edges from them: one "
                       "target, the recalled pattern, needs one edge to the population of the stored patterns.")
    return found[0]


def _similarity(s: Schedule, block: Block) -> View:
    """The columns of the stored keys."""
    return block.of(*{c.edge.source for c in block.columns
                      if s.layout.network.by_name[c.edge.source].role is not Role.TARGET})


def _values(s: Schedule, slots: str) -> tuple[Block, View]:
    """The stored values: weights of their own, or those of the keys."""
    target = s.layout.network.with_role(Role.TARGET)[0].name
    shared = s.layout.shared.get(f"{target}:{slots}")
    block = s.block(f"{target}:{slots}") if shared else s.block(slots)
    return block, block.full if shared else block.of(target)


def _encode(s: Schedule, slots: str) -> list[MicroOp]:
    """The populations between the inputs and the keys, feed-forward."""
    return [s.sweep(b, FORWARD | Sweep.FWD) for b in s.blocks if b.columns and b.name != slots]


def _recall(s: Schedule) -> list[MicroOp]:
    """Similarity (FWD), separation, projection (TRN); ``rule.steps`` times, from the recalled pattern on."""
    slots, target = slots_of(s.layout.network), s.layout.network.with_role(Role.TARGET)[0].name
    block = s.block(slots)
    values, view = _values(s, slots)
    first = _retrieve(s, block, _similarity(s, block), values, view)
    if s.rule.steps > 1 and values is block:
        raise BadInput("rule.steps is above 1 and the recalled values are no keys; share the weights of the keys, or "
                       "set rule.steps to 1.")
    again = _retrieve(s, values, values.full, values, view)
    loop = [LoopOp(tuple(again), s.rule.steps - 1)] if s.rule.steps > 1 else []
    ops = [*s.stream_in(*(p.name for p in s.layout.network.with_role(Role.INPUT))), *_encode(s, slots), *first, *loop]
    return ops + s.stream_out(target)


def _retrieve(s: Schedule, keys: Block, queried: View, values: Block, view: View) -> list[MicroOp]:
    how = str(s.option("separation"))
    if how not in SEPARATIONS:
        raise BadInput(f"rule.options.separation is {how!r}; give one of {', '.join(SEPARATIONS)}.")
    project = Sweep.TRN | (Sweep.POST if how == "activation" else Sweep(0))
    target = s.layout.network.with_role(Role.TARGET)[0].name
    if how == "activation":
        ops: list[MicroOp] = [s.op(keys, FORWARD | Sweep.FWD, queried)]
    else:
        mode = Mode.SOFTMAX if how == "softmax" else Mode.MAX
        ops = [s.op(keys, Sweep.FWD | Sweep.HOIST, queried), SeparateOp(keys, mode, Into.ERROR)]
    return [*ops, s.op(values, project, view), take(s, target)]


def _written(s: Schedule, edge: Edge) -> float:
    """A pattern is written in one visit; what encodes the keys is read once."""
    return int(edge.plastic or edge.target != slots_of(s.layout.network))


def _read(s: Schedule, edge: Edge) -> float:
    """Similarity and projection, of what is compared as well as recalled in every step; one alone otherwise."""
    network, slots = s.layout.network, slots_of(s.layout.network)
    both = any(e.shares == f"{edge.source}:{edge.target}" for e in network.edges)
    if edge.target != slots or not both:
        return 1
    return 2 * max(s.rule.steps, 1)


@rule("hopfield", answer=_recall, visits=_written, answer_visits=_read, task=Kind.RECALL, separation="softmax")
def hopfield(s: Schedule) -> list[MicroOp]:
    """Universal Hopfield networks (ICML 2022): a pattern is stored by one UPD with a one-hot error."""
    slots, network = slots_of(s.layout.network), s.layout.network
    target, block = network.with_role(Role.TARGET)[0].name, s.block(slots)
    ops = s.stream_in(*(p.name for p in network.with_role(Role.INPUT)))
    if f"{target}:{slots}" not in s.layout.shared:
        ops += s.stream_in(target)
    ops += s.stream_in(slots, memory=Mem.ERROR) + _encode(s, slots)
    if f"{target}:{slots}" not in s.layout.shared:
        ops.append(s.op(s.rows(target), Sweep.ACT))
    return [*ops, s.op(block, Sweep.UPD)]
