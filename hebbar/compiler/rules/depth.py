"""Predictive coding that works in deep networks: PC-ALM."""

from collections.abc import Iterable
from dataclasses import replace

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep

from ..schedule import LoopOp, MicroOp, SweepOp
from .builder import Schedule
from .predictive import il
from .registry import rule

__all__ = ["pc_alm"]


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
