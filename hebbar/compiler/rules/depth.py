"""Predictive coding that works in deep networks: PC-ALM, and PC-ALM in a window that goes down with the credit."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import sqrt

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep

from ..network import Edge
from ..schedule import LoopOp, MicroOp, SweepOp
from .builder import Schedule
from .predictive import il
from .registry import rule

__all__ = ["pc_alm", "pc_alm_window"]


@rule("pc_alm", visits=il.visits["train"])
def pc_alm(s: Schedule) -> list[MicroOp]:
    """PC-ALM (arXiv 2605.31022): IL with a Lagrange multiplier at every hidden neuron, the integral of its error.

    With c = x - mu: lambda += c, e = c + lambda in feedback, steps and updates, which is INTEGRATE on every sweep that
    computes an error. A sample starts from lambda = 0; c is 0 where x is at an end of its format. The rate of the
    multipliers and the weight of the penalty are 1.
    """
    if not s.rule.steps:
        raise BadInput("rule.steps is 0, and the multipliers of rule 'pc_alm' grow with every step; a network of depth "
                       "L needs about 2 L.")
    if s.rule.tolerance:
        raise BadInput("rule.tolerance is set, and the sum of squares of rule 'pc_alm' need not fall; set it to 0.")
    return _integrated(s, il(s))


def _integrated(s: Schedule, ops: Iterable[MicroOp]) -> list[MicroOp]:
    """The schedule with every error of a population that moves integrated."""
    out: list[MicroOp] = []
    for op in ops:
        if isinstance(op, LoopOp):
            op = replace(op, body=tuple(_integrated(s, op.body)))
        elif isinstance(op, SweepOp) and op.flags & Sweep.ERR and not s.clamped(op.name):
            op = replace(op, flags=op.flags | Sweep.INTEGRATE)
        out.append(op)
    return out


def _windowed_visits(s: Schedule, edge: Edge) -> float:
    """As for IL, with the steps that the window leaves."""
    if s.layout.fixed(edge.source):
        return 1 + edge.plastic
    far = _distances(s)[edge.target]
    return 2 + sum(len(phase) for phase in _phases(s, s.rule.steps - 1) if _sweeps(s, far, phase))


@rule("pc_alm_window", visits=_windowed_visits, window=16, lead=8, stride=8)
def pc_alm_window(s: Schedule) -> list[MicroOp]:
    """PC-ALM in a window of ``window`` steps a layer, which goes down with the wave of credit.

    The wave goes down sqrt(gamma) layers a step, as multipliers take their errors at rate 1 and states move by gamma.
    A population d edges from the end is swept from ``lead`` steps before step d / sqrt(gamma) on, and keeps state,
    multiplier, error and feedback as they are in all other steps. The start and the update sweep everything. The window
    moves every ``stride`` steps, which are a loop of the program, and holds what any of them is to sweep.
    """
    window, lead, stride = _options(s)
    if not s.acyclic:
        raise BadInput("rule.name is 'pc_alm_window' and the network has a cycle, in which no layer is the first to "
                       "get credit; use 'pc_alm'.")
    if stride < 1 or not 0 <= lead < window:
        raise BadInput(f"rule.options: window is {window}, lead {lead} and stride {stride}; stride is at least 1, and "
                       "lead at least 0 and less than window, or the wave would never be in it.")
    out: list[MicroOp] = []
    for op in pc_alm(s):
        out += _parts(s, op) if isinstance(op, LoopOp) else [op]
    return out


def _options(s: Schedule) -> tuple[int, int, int]:
    """Window, lead and stride, in steps."""
    window, lead, stride = (int(s.option(name)) for name in ("window", "lead", "stride"))
    return window, lead, stride


def _parts(s: Schedule, loop: LoopOp) -> Iterator[LoopOp]:
    """The loop over all steps as one of each phase, with the sweeps that are in the window."""
    far = _distances(s)
    for phase in _phases(s, loop.count):
        body = tuple(op for op in loop.body if isinstance(op, SweepOp) and _sweeps(s, far[op.name], phase))
        if body:
            yield LoopOp(body, len(phase))


def _phases(s: Schedule, steps: int) -> Iterator[range]:
    """Steps, from 1 on, between which the window stands still."""
    _, _, stride = _options(s)
    return (range(first, min(first + stride, steps + 1)) for first in range(1, steps + 1, stride))


def _sweeps(s: Schedule, far: int, phase: range) -> bool:
    """Whether a population ``far`` edges from the end is in the window in a step of the phase.

    Nothing has come to it before step far - 1, so that it is left out till then, which changes no bit."""
    (window, lead, _), first, behind = _options(s), phase.start, phase.stop
    opens = int(far / sqrt(s.rule.gamma)) - lead
    return max(opens, far - 1) < behind and opens + window > first


def _distances(s: Schedule) -> dict[str, int]:
    """Edges from every population to the ones that predict nothing. Raises BadInput where roads differ in length: of
    two populations that send feedback to a third, one would be in the window without the other, and what the other
    has sent before would be counted again."""
    network, found = s.layout.network, dict[str, int]()
    for block in reversed(s.blocks):
        readers = {edge.target: found[edge.target] for edge in network.outgoing(block.name)}
        far = sorted(readers, key=readers.__getitem__)
        if far and readers[far[0]] != readers[far[-1]]:
            raise BadInput(f"rule.name is 'pc_alm_window' and {block.name!r} leads to {far[0]!r} and to {far[-1]!r}, "
                           f"{readers[far[0]]} and {readers[far[-1]]} edges from the end; a window passes layer by "
                           "layer, remove the skip or use 'pc_alm'.")
        found[block.name] = 1 + readers[far[0]] if far else 0
    return found
