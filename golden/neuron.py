"""The neuron unit: what happens to a row once its sum is known."""

from dataclasses import dataclass, field

import numpy as np

from hebbar.contract.formats import Formats
from hebbar.contract.isa import Sweep
from hebbar.contract.memories import BLOCK, UNIT_PRECISION

from .fixed import Ints, Saturation, round_half_up
from .table import Table

__all__ = ["Saturations", "Rows", "Destination", "Neuron"]

LARGEST_PRECISION = (1 << BLOCK["precision"].width) - 1 - UNIT_PRECISION
"""log2 of the largest precision."""


@dataclass
class Saturations:
    """One counter for each place where a value can be clipped."""

    error: Saturation
    state: Saturation
    feedback: Saturation
    weight: Saturation

    @classmethod
    def zero(cls) -> "Saturations":
        return cls(Saturation(), Saturation(), Saturation(), Saturation())


@dataclass
class Rows:
    """Values of the rows of a sweep, codes of shape (rows,): sum in, the rest in and out.

    ``operand``: what TRN and UPD take, out.
    """

    sum: Ints
    base: Ints
    state: Ints
    error: Ints
    back: Ints
    clamp: Ints
    activity: Ints
    integral: Ints
    operand: Ints = field(init=False)


@dataclass(frozen=True)
class Destination:
    """What a block says of its rows: tables f and f', and the codes ``precision`` and ``align``."""

    function: Table
    derivative: Table
    precision: int = UNIT_PRECISION
    align: int = 0


class Neuron:
    """``mu = round(sum + base)``, then ERR, STEP or DELTA, ACT, FIRE as the flags say.

    With f' from the derivative table, pi = 2**(precision - 8) and fb = sat(round(back)); with GATE
    the sum is part of the feedback instead, mu = 0 and fb = sat(round(back + sum + base)):

        e  = sat(round(pi (x - mu)))                       ERR
        l, e = sat(l + c), sat(l + w)                      ERR with INTEGRATE, of the l from before, 0 with INIT
        x  = sat(x + round(gain * (f'(x) * fb - e)))       STEP, rows not clamped
        e  = sat(round(f'(x) * fb))                        DELTA
        a  = f(x)                                          ACT
        x  = 0 where x >= 1                                FIRE, rows not clamped

    One rounding each for mu, pi (x - mu), fb, the step and a. ``back + sum`` is added at the finer
    fraction of the two, so exactly. TRN and UPD take e, or sat(a << align) with POST, a from before
    ACT; its negative, saturated once more, with NEG. The clips of POST and NEG are the ends of the
    error format and count as no saturation.

    The integral l takes c = round(pi (x - mu)), and e is what l + c is with the new l: w = floor(2 pi (x - mu)). Both
    are 0 where x is at an end of its format: a state that cannot move would otherwise wind l up without end. l has the
    format of e, and ends where e does: its clips are among those of e.
    """

    def __init__(self, formats: Formats, saturations: Saturations) -> None:
        self._f = formats
        self._saturate = saturations

    def __call__(self, rows: Rows, flags: Sweep, gain: int, to: Destination) -> None:
        """Update ``rows`` in place."""
        old, total = rows.activity, rows.sum + rows.base if flags & Sweep.BASE else rows.sum
        if flags & Sweep.ERR:
            mu = total * 0 if flags & Sweep.GATE else round_half_up(total, self._f.sum_shift)
            self._compare(rows, flags, mu, to.precision)
        rows.operand = self._operand(old << to.align if flags & Sweep.POST else rows.error, flags)
        if flags & (Sweep.STEP | Sweep.DELTA):
            self._move(rows, flags, gain, self._feedback(rows, flags, total), to.derivative)
        if flags & Sweep.ACT:
            rows.activity = to.function(rows.state)
        if flags & Sweep.FIRE:
            fires = (rows.clamp == 0) & (rows.state >= 1 << self._f.state.frac)
            rows.state = np.where(fires, 0, rows.state)
        if flags & Sweep.HOIST:
            rows.base = total

    def _compare(self, rows: Rows, flags: Sweep, mu: Ints, precision: int) -> None:
        if flags & Sweep.INIT:
            free = rows.clamp == 0
            rows.state = rows.state.copy()
            rows.state[free] = self._saturate.state(mu[free], self._f.state)
        weighed, shift = rows.state - mu << LARGEST_PRECISION, LARGEST_PRECISION + UNIT_PRECISION - precision
        if flags & Sweep.INTEGRATE:
            self._integrate(rows, flags, weighed, shift)
        else:
            rows.error = self._saturate.error(round_half_up(weighed, shift), self._f.error)

    def _integrate(self, rows: Rows, flags: Sweep, weighed: Ints, shift: int) -> None:
        """The integral, and in place of the error what a controller of gain 1 and integral gain 1 makes of it."""
        ends = (rows.state == self._f.state.lo) | (rows.state == self._f.state.hi)
        moving = np.where(ends, 0, weighed)
        before = rows.integral * 0 if flags & Sweep.INIT else rows.integral
        rows.integral = Saturation()(before + round_half_up(moving, shift), self._f.error)
        rows.error = self._saturate.error(before + (moving << 1 >> shift), self._f.error)

    def _operand(self, value: Ints, flags: Sweep) -> Ints:
        """What TRN and UPD take."""
        ends = Saturation()
        value = ends(value, self._f.error)
        return ends(-value, self._f.error) if flags & Sweep.NEG else value

    def _feedback(self, rows: Rows, flags: Sweep, total: Ints) -> Ints:
        f = self._f
        finer = max(f.feedback_sum.frac, f.row_sum.frac if flags & Sweep.GATE else 0)
        back = (rows.back if flags & Sweep.BACK else rows.back * 0) << finer - f.feedback_sum.frac
        if flags & Sweep.GATE:
            back = back + (total << finer - f.row_sum.frac)
        return self._saturate.feedback(round_half_up(back, finer - f.feedback.frac), f.feedback)

    def _move(self, rows: Rows, flags: Sweep, gain: int, feedback: Ints, derivative: Table) -> None:
        f = self._f
        scaled = derivative(rows.state) * feedback
        if flags & Sweep.DELTA:
            rows.error = self._saturate.error(round_half_up(scaled, f.derivative.frac), f.error)
        if flags & Sweep.STEP:
            operand = gain * (scaled - (rows.error << f.derivative.frac))
            free = rows.clamp == 0
            moved = rows.state + round_half_up(operand, f.step_shift)
            rows.state = rows.state.copy()
            rows.state[free] = self._saturate.state(moved[free], f.state)
