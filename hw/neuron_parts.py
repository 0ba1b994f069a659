"""Parts of the neuron unit's data path: the step that a gain scales, and the integral of the error."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring

from hebbar.contract.formats import Formats
from hebbar.contract.isa import Sweep

from .fields import asks
from .fixed import named, saturate
from .neuron_stages import Stage
from .pipeline import staged

__all__ = ["integrate", "scaled_step", "write_integral"]

LOW = 17
"""Bits of the lower half of what the gain is multiplied with: what a multiplier of 18 bits takes unsigned."""


def scaled_step(m: Module, row: str, operand: Value, gain: Value) -> Value:
    """The gain times what drives a state, in stage MOVE; a multiplier for each half of it."""
    operand = staged(m, operand, Stage.DRIVE, Stage.GAIN, f"{row}_operand")[Stage.GAIN]
    cut = min(LOW, len(operand) - 1)
    low = staged(m, operand[:cut] * gain, Stage.GAIN, Stage.JOIN, f"{row}_low")[Stage.JOIN]
    high = staged(m, operand[cut:].as_signed() * gain, Stage.GAIN, Stage.JOIN, f"{row}_high")[Stage.JOIN]
    return staged(m, high.shift_left(cut) + low, Stage.JOIN, Stage.MOVE, f"{row}_step")[Stage.MOVE]


def integrate(m: Module, row: str, f: Formats, weighed: Value, x: Value, before: Value,
              init: Value) -> tuple[Value, Value, Value]:
    """ERR with INTEGRATE, in stage ROUND: the integral (in stage ERROR), the error, and whether that was clipped.

    l takes c = round(pi (x - mu)), and e is what l + c is with the new l: w = floor(2 pi (x - mu)) more than l before.
    Both are 0 where x is at an end of its format: a state that cannot move would otherwise wind l up without end.
    l has the format of e and ends only where e does.

    ``weighed``: pi (x - mu) with one fraction bit, so w as a whole number, and each result takes one addition.
    ``x``: the state in stage COMPARE. ``before``: what the memory holds, and ``init`` replaces by 0.
    """
    x = staged(m, x, Stage.COMPARE, Stage.WEIGH, f"{row}_x")[Stage.WEIGH]
    ends = staged(m, (x == f.state.lo) | (x == f.state.hi), Stage.WEIGH, Stage.ROUND, f"{row}_ends")[Stage.ROUND]
    moving = named(m, Mux(ends, 0, weighed).as_signed(), f"{row}_moving")
    before = named(m, Mux(init, 0, before).as_signed(), f"{row}_before")
    total, clip = saturate(m, before + moving, f.error, f"{row}_total")
    # The half that rounds stands behind the integral: one addition for both.
    exact = (Cat(Const(1, 1), before).as_signed() + moving).shift_right(1)
    integral, _ = saturate(m, exact, f.error, f"{row}_next_integral")
    return staged(m, integral, Stage.ROUND, Stage.ERROR, f"{row}_integral")[Stage.ERROR], total, clip


def write_integral(m: Module, port: wiring.PureInterface, valid: dict, tag: dict, rows: list[dict[str, Value]]) -> None:
    """Integrals to their memory, from stage ERROR."""
    at = tag[Stage.ERROR]
    enable = named(m, valid[Stage.ERROR] & asks(at.flags, Sweep.ERR) & asks(at.flags, Sweep.INTEGRATE),
                   "writes_integral")
    m.d.comb += [port.group.eq(at.group), port.mask.eq(Mux(enable, at.valid_rows, 0)),
                 *(port.data[p].eq(row["integral"]) for p, row in enumerate(rows))]
