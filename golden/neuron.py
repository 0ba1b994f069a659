"""The neuron unit: what happens to a row once its sum is known."""

from dataclasses import dataclass

from hebbar.formats import Formats
from hebbar.isa import Sweep

from .fixed import Ints, Saturation, round_half_up
from .table import Table

__all__ = ["Saturations", "Rows", "Neuron"]


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
    """Values of the rows of a sweep, codes of shape (rows,): sum in, the rest in and out."""

    sum: Ints
    base: Ints
    state: Ints
    error: Ints
    back: Ints
    clamp: Ints
    activity: Ints


class Neuron:
    """``mu = round(sum + base)``, then ERR, STEP or DELTA, ACT as the flags say.

    With f' from the derivative table and fb = sat(round(back)):

        e  = sat(x - mu)                                   ERR
        x  = sat(x + round(gain * (f'(x) * fb - e)))       STEP, rows not clamped
        e  = sat(round(f'(x) * fb))                        DELTA
        a  = f(x)                                          ACT

    One rounding each for mu, fb, the step and a.
    """

    def __init__(self, formats: Formats, saturations: Saturations) -> None:
        self._f = formats
        self._saturate = saturations

    def __call__(self, rows: Rows, flags: Sweep, gain: int, f: Table, derivative: Table) -> None:
        """Update ``rows`` in place."""
        total = rows.sum + rows.base if flags & Sweep.BASE else rows.sum
        if flags & Sweep.ERR:
            self._compare(rows, flags, round_half_up(total, self._f.sum_shift))
        if flags & (Sweep.STEP | Sweep.DELTA):
            self._move(rows, flags, gain, derivative)
        if flags & Sweep.ACT:
            rows.activity = f(rows.state)
        if flags & Sweep.HOIST:
            rows.base = total

    def _compare(self, rows: Rows, flags: Sweep, mu: Ints) -> None:
        if flags & Sweep.INIT:
            free = rows.clamp == 0
            rows.state = rows.state.copy()
            rows.state[free] = self._saturate.state(mu[free], self._f.state)
        rows.error = self._saturate.error(rows.state - mu, self._f.error)

    def _move(self, rows: Rows, flags: Sweep, gain: int, derivative: Table) -> None:
        f = self._f
        back = rows.back if flags & Sweep.BACK else rows.back * 0
        feedback = self._saturate.feedback(round_half_up(back, f.back_shift), f.feedback)
        scaled = derivative(rows.state) * feedback
        if flags & Sweep.DELTA:
            rows.error = self._saturate.error(round_half_up(scaled, f.derivative.frac), f.error)
        if flags & Sweep.STEP:
            drive = gain * (scaled - (rows.error << f.derivative.frac))
            free = rows.clamp == 0
            moved = rows.state + round_half_up(drive, f.step_shift)
            rows.state = rows.state.copy()
            rows.state[free] = self._saturate.state(moved[free], f.state)
