"""Predictive coding and backprop: IL, iPC, Z-IL, and the fairness baseline."""

from collections.abc import Mapping

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import OPERAND_FLAGS, Sweep

from ..graphs import levelled
from ..network import Edge, Error, Network
from ..schedule import ExitOp, LoopOp, MicroOp
from .builder import FORWARD, RELAX, Schedule, Words
from .needs import feed_forward, no_predicted_inputs
from .registry import Option, rule

__all__ = ["il", "ipc", "zil", "backprop"]


def _relaxed(s: Schedule, edge: Edge) -> float:
    """A fixed source is predicted from once and learnt from once. Any other edge is visited for the first prediction,
    which also gives the first feedback, in each of the T - 1 later steps, and for the refreshed error with the
    update."""
    if not s.rule.steps:
        return 1
    return 1 + edge.plastic if s.layout.fixed(edge.source) else s.rule.steps + 1


@rule("il", visits=_relaxed)
def il(s: Schedule) -> list[MicroOp]:
    """Inference learning: T state steps, then one weight update from the refreshed errors.

    With ``rule.tolerance`` inference stops as soon as 1/2 sum e^2 falls by less in a step, which is the energy
    where all precisions are 0.
    """
    if not s.rule.steps:
        return s.start() + s.update()
    hoisted = s.rule.hoist
    arm, leave = _exits(s)
    step = s.step(RELAX, hoisted=hoisted)
    body = (*step, *leave)
    if s.acyclic:
        start = (s.hoist() if hoisted else s.start(Sweep.TRN)) + s.move(s.moving_blocks)
        steps = s.rule.steps - 1
    else:
        start, steps = s.start(Sweep.HOIST if hoisted else Sweep(0)), s.rule.steps
        if arm:
            start, steps = [*start, *arm, *step], steps - 1
    loop = [LoopOp(body, steps)] if steps else []
    return [*arm, *start, *arm, *loop, *s.update(hoisted)]


def _exits(s: Schedule) -> tuple[list[MicroOp], list[MicroOp]]:
    """What a tolerance adds: operations that keep the energy so far and start it anew, and one that leaves the loop."""
    if not s.rule.tolerance:
        return [], []
    soft = [p.name for p in s.layout.network.populations if p.error is Error.CATEGORICAL]
    if soft:
        raise BadInput(f"rule.tolerance is set and {soft[0]!r} has categorical errors, whose energy is no sum of "
                       "squares; set rule.tolerance to 0 or the error to 'gaussian'.")
    return [ExitOp(arm=True)], [ExitOp()]


def _every_step(s: Schedule, edge: Edge) -> float:
    """Weights move in every step, so that every step reads them again."""
    return s.rule.steps if edge.plastic or not s.layout.fixed(edge.source) else 1


@rule("ipc", visits=_every_step)
def ipc(s: Schedule) -> list[MicroOp]:
    """Incremental PC (ICLR 2024): at every step states and weights move from the same errors."""
    if not s.rule.steps:
        raise BadInput("rule.steps is 0; iPC learns at every step, give at least 1.")
    body = tuple(s.step(Sweep.FWD | Sweep.ERR | OPERAND_FLAGS))
    if not s.acyclic:
        return [*s.start(), LoopOp(body, s.rule.steps)]
    loop = [LoopOp(body, s.rule.steps - 1)] if s.rule.steps > 1 else []
    return s.start(OPERAND_FLAGS) + s.move(s.moving_blocks) + loop


def _levels(network: Network, options: Mapping[str, Option]) -> Network:
    """Identity nodes where paths differ in length."""
    no_predicted_inputs(network, "zil")
    return levelled(network)


def _there_and_back(s: Schedule, edge: Edge) -> float:
    """Forward, then feedback and update together; where the error is known at once, one visit in all."""
    return 1 if s.clamped(edge.target) else 1 + (edge.plastic or not s.layout.fixed(edge.source))


@rule("zil", prepare=_levels, visits=_there_and_back)
def zil(s: Schedule) -> list[MicroOp]:
    """Z-IL (NeurIPS 2020; on graphs AAAI 2022) as its wavefront: level l learns at step l, gamma 1.

    The predictions have not moved by then, so they are kept from the feed-forward pass.
    """
    targets = [b for b in s.blocks if s.clamped(b.name)]
    inner = [b for b in s.blocks if not s.clamped(b.name)]
    fed: Words = set()
    ops: list[MicroOp] = [s.sweep(b, FORWARD | Sweep.FWD | Sweep.HOIST) for b in inner]
    ops += [s.sweep(b, FORWARD | Sweep.FWD | OPERAND_FLAGS, fed=fed) for b in reversed(targets)]
    for b in reversed(inner):
        ops.append(s.sweep(b, Sweep.STEP | Sweep.BACK, 1.0))
        ops.append(s.sweep(b, Sweep.BASE | Sweep.ERR | OPERAND_FLAGS, fed=fed))
    return ops


def _graph_without_cycles(network: Network, options: Mapping[str, Option]) -> Network:
    feed_forward(network, "backprop")
    return network


@rule("backprop", prepare=_graph_without_cycles, visits=_there_and_back)
def backprop(s: Schedule) -> list[MicroOp]:
    """Backprop, the fairness baseline: deltas instead of errors, states never move."""
    targets = [b for b in s.blocks if s.clamped(b.name)]
    inner = [b for b in s.blocks if not s.clamped(b.name)]
    fed: Words = set()
    ops: list[MicroOp] = [s.sweep(b, FORWARD | Sweep.FWD) for b in inner]
    ops += [s.sweep(b, FORWARD | Sweep.FWD | OPERAND_FLAGS, fed=fed) for b in reversed(targets)]
    for b in reversed(inner):
        ops.append(s.sweep(b, Sweep.DELTA | Sweep.BACK))
        ops.append(s.sweep(b, OPERAND_FLAGS, fed=fed))
    return ops
