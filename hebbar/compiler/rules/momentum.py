"""Predictive coding with momentum on the states, as a program: what it remembers are activities of companions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hebbar.contract.errors import BadInput
from hebbar.contract.formats import code
from hebbar.contract.isa import WEIGHT_FLAGS, Sweep

from ..network import Edge, Network, Population, Role
from ..schedule import LoopOp, MicroOp, SweepOp
from .builder import MOVE, RELAX, TAKE, Schedule
from .needs import even_errors, take
from .predictive import il
from .registry import Option, rule

__all__ = ["AHEAD", "BEFORE", "il_nesterov"]

BEFORE, AHEAD = "before", "ahead"
"""Companions of a hidden population: its states of the step before, and those that it goes on from."""


def _accompanied(network: Network, options: Mapping[str, Option]) -> Network:
    """The network with two companions for every hidden population, which identity edges lead to it; as the last of its
    columns they are left out of every sweep but those of momentum."""
    momentum = float(options["momentum"])
    if not 0 <= momentum < 1:
        raise BadInput(f"rule.options.momentum is {momentum:g}; states that keep all of their speed never settle, give "
                       "from 0 to less than 1, such as 0.75.")
    if network.order is None:
        raise BadInput("rule.name is 'il_nesterov' and the network has a cycle; use 'il'.")
    even_errors(network.with_role(Role.HIDDEN), "il_nesterov", "takes the way of a state for an error of precision 0")
    populations, edges = list(network.populations), list(network.edges)
    finest = max(p.activity_frac for p in populations)
    for p in network.with_role(Role.HIDDEN):
        names = [f"{p.name}.{end}" for end in (BEFORE, AHEAD)]
        populations += [Population(name, p.size, "identity", Role.HIDDEN, finest) for name in names]
        edges += [Edge.unit(name, p.name) for name in names]
        edges.append(Edge.unit(names[0], names[1]))
    return Network(tuple(populations), tuple(edges))


def _answer(s: Schedule) -> list[MicroOp]:
    return _alone(s, s.answer())


def _query(s: Schedule) -> list[MicroOp]:
    """The steps of il, without momentum."""
    return _alone(s, s.query())


@rule("il_nesterov", prepare=_accompanied, answer=_answer, query=_query, visits=il.visits["train"],
      answer_visits=Schedule.answer_visits, query_visits=Schedule.query_visits, gains={"momentum": 1.0}, momentum=0.75)
def il_nesterov(s: Schedule) -> list[MicroOp]:
    """IL with Nesterov's momentum on the states: x' = y + gamma (f'(y) W^T e - e), y' = x' + momentum (x' - x).

    Errors and feedback are those at y; x starts where inference does. x' - x is the error of a neuron that its
    companion predicts, so that momentum takes no flag of its own.
    """
    if not s.rule.steps or s.rule.tolerance:
        raise BadInput(f"rule.steps is {s.rule.steps} and rule.tolerance {s.rule.tolerance:g}; rule 'il_nesterov' "
                       "takes at least one step, and its energy need not fall; give steps of at least 1, tolerance 0.")
    _check_formats(s)
    start = s.hoist() if s.rule.hoist else s.start(Sweep.TRN)
    step = _alone(s, s.step(RELAX, hoisted=s.rule.hoist))
    ops = [*_alone(s, start), *_remembered(s), *_alone(s, s.move(s.moving_blocks)), *_moved_on(s)]
    ops += [LoopOp((*step, *_moved_on(s)), s.rule.steps - 1)] if s.rule.steps > 1 else []
    return ops + _alone(s, s.update(s.rule.hoist))


def _check_formats(s: Schedule) -> None:
    """Raise BadInput where the activity of a companion or an error is not all of a state, and for a momentum that the
    machine's gain, 1 more, does not have."""
    m, finest = s.layout.machine, max(p.activity_frac for p in s.layout.network.populations)
    if finest != m.state_frac or m.activity_bits < m.state_bits:
        raise BadInput(f"rule 'il_nesterov' passes states on as activities of {m.activity_bits} bits, {finest} of them "
                       f"fraction, and states have {m.state_bits} and {m.state_frac}; make them alike, such as by "
                       "network.hidden_frac, machine.activity_frac and state_frac 11, activity_bits and state_bits 15.")
    if m.error_bits < m.state_bits:
        raise BadInput(f"machine.error_bits is {m.error_bits}, and rule 'il_nesterov' passes states of {m.state_bits} "
                       f"bits on as errors; set it to at least {m.state_bits}.")
    code(float(s.option("momentum")), m.formats.gain, "rule.options.momentum",
         f"give 0 or a multiple of {1 / m.formats.gain.scale:g}")


def _companion(name: str) -> bool:
    return name.endswith((f".{BEFORE}", f".{AHEAD}"))


def _hidden(s: Schedule) -> list[str]:
    return [p.name for p in s.layout.network.with_role(Role.HIDDEN) if not _companion(p.name)]


def _alone(s: Schedule, ops: Iterable[MicroOp]) -> list[MicroOp]:
    """The operations without companions, in loops too: none of theirs, and none of their columns in another's."""
    out: list[MicroOp] = []
    for op in ops:
        if isinstance(op, LoopOp):
            out.append(replace(op, body=tuple(_alone(s, op.body))))
        elif not isinstance(op, SweepOp):
            out.append(op)
        elif not _companion(op.name):
            out.append(_without(op))
    return out


def _without(op: SweepOp) -> SweepOp:
    first, count = op.view
    count = sum(not _companion(c.edge.source) for c in op.block.columns[first:first + count])
    return replace(op, view=(first, count)) if count else replace(op, view=(0, 0), flags=op.flags & ~WEIGHT_FLAGS)


def _remembered(s: Schedule) -> list[MicroOp]:
    """Before the first step: a companion takes the state as it is, which is the error of what nothing predicts. DELTA
    without BACK makes the error 0 again, as the feed-forward start left it."""
    ops: list[MicroOp] = []
    for name in _hidden(s):
        block, before = s.block(name), f"{name}.{BEFORE}"
        ops += [s.op(s.rows(name), Sweep.ERR), s.op(block, Sweep.TRN, block.of(before)),
                take(s, before), s.op(s.rows(name), Sweep.DELTA)]
    return ops


def _moved_on(s: Schedule) -> list[MicroOp]:
    """After a step: with e = x' - x, the one companion takes x' and the other y' = x + (1 + momentum) e, which becomes
    the state."""
    ops: list[MicroOp] = []
    for name in _hidden(s):
        block, before, ahead = s.block(name), f"{name}.{BEFORE}", f"{name}.{AHEAD}"
        ops += [s.op(block, Sweep.FWD | Sweep.ERR, block.of(before)),
                s.op(block, Sweep.TRN, block.of(before, ahead)),
                s.op(ahead, Sweep.FWD | TAKE, gain=1 + float(s.option("momentum"))),
                s.op(s.rows(before), MOVE, gain=1.0),
                s.op(block, Sweep.FWD | Sweep.ERR | Sweep.STEP | Sweep.ACT, block.of(ahead), gain=1.0)]
    return ops
