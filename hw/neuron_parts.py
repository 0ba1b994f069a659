"""Parts of the neuron unit's data path: products that are wide, and the integral of the error."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data, wiring

from hebbar.contract.formats import Formats
from hebbar.contract.isa import Sweep
from hebbar.contract.machine import MachineConfig

from .fields import asks
from .fixed import beyond, clip, named, saturate
from .neuron_stages import Stage
from .pipeline import staged
from .tile import part_of_word, word_of

__all__ = ["add_product", "integrate", "operand", "step", "write_integral"]

LOW = 17
"""Bits of the lower half of the wider operand: what a multiplier of 18 bits takes unsigned."""


def add_product(m: Module, name: str, wide: Value, narrow: Value, to: Value, stage: int) -> Value:
    """The sum of ``to``, a signed value in the stage after ``stage``, and the product of a signed value and a narrower
    one in ``stage``: a multiplier for each half of the wider one.

    The additions of both halves are one behind the other and begin at different bits, so that a carry of the first
    meets the second on its way: that takes fewer cells than an addition of three, and little longer than one of two.
    """
    cut, later = min(LOW, len(wide) - 1), stage + 1
    low = staged(m, wide[:cut] * narrow, stage, later, f"{name}_low")[later]
    high = staged(m, wide[cut:].as_signed() * narrow, stage, later, f"{name}_high")[later]
    first = named(m, to + low, f"{name}_first")
    return Cat(first[:cut], first[cut:].as_signed() + high).as_signed()


def step(m: Module, row: str, f: Formats, exact: Value, x: Value, steps: Value) -> tuple[Value, Value]:
    """The state in stage WRITE, and whether it was clipped: that in ``x``, or with ``steps`` where it moves to.

    ``exact``: x and the gain times the drive, behind them the fraction of the step. ``steps`` and both are in stage
    MOVE, which ends with what is outside the format; the clip is behind the register.
    """
    moved = named(m, exact.shift_right(f.step_shift), f"{row}_moved")
    ends = Cat(beyond(m, moved, f.state, f"{row}_moved")) & steps.replicate(2)
    high, low = staged(m, ends, Stage.MOVE, Stage.WRITE, f"{row}_ends")[Stage.WRITE]
    chosen = Mux(steps, moved[:f.state.bits], x).as_signed()
    chosen = staged(m, chosen, Stage.MOVE, Stage.WRITE, f"{row}_chosen")[Stage.WRITE]
    return clip(m, chosen, high, low, f.state, f"{row}_x_new"), high | low


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


def operand(m: Module, machine: MachineConfig, p: int, word: data.View, e: Value, tag: dict) -> Value:
    """What TRN and UPD take of row ``p``: the error ``e``, or with POST its activity before ACT, in ``word``; with NEG
    its negative."""
    f, at, rows = machine.formats, word_of(tag[Stage.WEIGH].group, machine), machine.pass_rows
    old = part_of_word(m, word, at, p, rows, f"row{p}_old")
    old = staged(m, old, Stage.WEIGH, Stage.ROUND, f"row{p}_old")[Stage.ROUND]
    aligned, _ = saturate(m, old << tag[Stage.ROUND].align, f.error, f"row{p}_shifted")
    aligned = Mux(tag[Stage.ROUND].valid_rows[p], aligned, 0).as_signed()
    aligned = staged(m, aligned, Stage.ROUND, Stage.ERROR, f"row{p}_aligned")[Stage.ERROR]
    flags = tag[Stage.ERROR].flags
    chosen = named(m, Mux(asks(flags, Sweep.POST), aligned, e), f"row{p}_chosen")
    negative, _ = saturate(m, -chosen, f.error, f"row{p}_negative")
    return Mux(asks(flags, Sweep.NEG), negative, chosen)


def write_integral(m: Module, port: wiring.PureInterface, valid: dict, tag: dict, word: Value,
                   rows: list[dict[str, Value]]) -> None:
    """Integrals to a ``word`` of their memory, from stage ERROR."""
    at = tag[Stage.ERROR]
    enable = named(m, valid[Stage.ERROR] & asks(at.flags, Sweep.ERR) & asks(at.flags, Sweep.INTEGRATE),
                   "writes_integral")
    m.d.comb += [port.group.eq(word), port.mask.eq(Mux(enable, at.valid_rows, 0)),
                 *(port.data[p].eq(row["integral"]) for p, row in enumerate(rows))]
