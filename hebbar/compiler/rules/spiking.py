"""Leaky integrate-and-fire neurons, spike traces and pair STDP; a sample is one time step."""

from collections.abc import Mapping

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep
from hebbar.contract.memories import Mem

from ..layout import Block
from ..network import Edge, Network, Population, Role
from ..schedule import MicroOp
from ..tasks import Kind
from .builder import Schedule
from .registry import Option, rule

__all__ = ["stdp"]

TRACE = "trace"
LEAK = Sweep.FWD | Sweep.ERR | Sweep.STEP | Sweep.ACT


def _traced(network: Network, options: Mapping[str, Option]) -> Network:
    """Every population of spikes gets a trace; beside every learnt edge two that share its weights, from
    the trace of its source, and to the trace of its target."""
    learnt = [e for e in network.edges if e.stored and e.plastic]
    if not learnt:
        raise BadInput("rule.name is 'stdp' and no edge is plastic; make one learn.")
    populations, edges = list(network.populations), list(network.edges)
    for name in dict.fromkeys(n for e in learnt for n in (e.source, e.target)):
        p = network.by_name[name]
        if p.role is not Role.INPUT and p.activation != "spike":
            raise BadInput(f"network.populations: {name!r} has activation {p.activation!r} and rule 'stdp' learns from "
                           "spikes; give it activation 'spike'.")
        populations.append(Population(f"{name}.{TRACE}", p.size, "identity", Role.HIDDEN, p.activity_frac))
        edges.append(Edge.unit(name, f"{name}.{TRACE}"))
    for e in learnt:
        edges += [Edge(source, target, alpha_shift=e.alpha_shift, positive=e.positive, shares=f"{e.source}:{e.target}")
                  for source, target in ((f"{e.source}.{TRACE}", e.target), (e.source, f"{e.target}.{TRACE}"))]
    return Network(tuple(populations), tuple(edges))


def _fire(s: Schedule) -> list[MicroOp]:
    """Inputs, then every neuron leaks, integrates, fires: x += gamma (W s - x), s = 1 and x = 0 where x >= 1."""
    inputs = [p.name for p in s.layout.network.with_role(Role.INPUT)]
    ops: list[MicroOp] = s.stream_in(*inputs)
    neurons = [b for b in s.layout.blocks.values() if not b.name.endswith(f".{TRACE}")]
    ops += [s.op(b, Sweep.FWD | Sweep.ERR) for b in neurons if b.columns]
    every = dict.fromkeys(b.name for b in neurons)  # once a time step, into however many blocks masks cut the rows
    return ops + [s.op(s.rows(name), Sweep.STEP | Sweep.ACT | Sweep.FIRE) for name in every]


def _spikes(s: Schedule) -> list[MicroOp]:
    firing = [p.name for p in s.layout.network.populations if p.activation == "spike"]
    return s.stream_out(*firing, memory=Mem.ACTIVITY)


def _answer(s: Schedule) -> list[MicroOp]:
    return _fire(s) + _spikes(s)


def _once(s: Schedule, edge: Edge) -> float:
    return 1


def _paired(s: Schedule, edge: Edge) -> float:
    """Spikes are integrated, then both halves of the window learn from activities that differ."""
    return 1 + 2 * edge.plastic


@rule("stdp", answer=_answer, visits=_paired, answer_visits=_once, prepare=_traced, task=Kind.SPIKES,
      gains={"trace": 0.0}, trace=0.125, depression=0)
def stdp(s: Schedule) -> list[MicroOp]:
    """Pair STDP on leaky integrate-and-fire neurons: dW = a s_post z_pre^T - a 2**-depression z_post s_pre^T.

    Traces z += trace (s - z) are read after this step's spikes. One sample is one time step.
    """
    traces = [b for b in s.layout.blocks.values() if b.name.endswith(f".{TRACE}")]
    ops = _fire(s) + [s.op(b, LEAK, gain=float(s.option("trace"))) for b in traces]
    for blocks in s.layout.shared.values():
        ops += [_learn(s, b) for b in blocks]
    return ops + _spikes(s)


def _learn(s: Schedule, block: Block) -> MicroOp:
    if block.name.endswith(f".{TRACE}"):
        return s.op(block, Sweep.UPD | Sweep.POST | Sweep.NEG, slower=int(s.option("depression")))
    return s.op(block, Sweep.UPD | Sweep.POST)
