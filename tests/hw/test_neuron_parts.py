"""The neuron unit's addition of a product, and the clip of a step, against Python's integers."""

from itertools import product
from random import Random
from types import SimpleNamespace

import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers import simulate

from hebbar.contract.formats import Format
from hw.neuron_parts import LOW, add_product, step


class _Product(wiring.Component):
    """What ``add_product`` makes of three ports."""

    def __init__(self, wide, narrow):
        super().__init__({"wide": In(wide), "narrow": In(narrow), "to": In(wide),
                          "out": Out(signed(wide.width + narrow.width + 1))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.out.eq(add_product(m, "product", self.wide, self.narrow, self.to, 0))
        return m


def ends(shape, rng):
    """The codes at the ends of a shape and around zero, and some between."""
    lo = -(1 << shape.width - 1) if shape.signed else 0
    hi = lo + (1 << shape.width) - 1
    between = {rng.randint(lo, hi) for _ in range(4)}
    return sorted(code for code in between | {lo, lo + 1, -1, 0, 1, hi - 1, hi} if lo <= code <= hi)


@pytest.mark.parametrize("narrow", [signed(9), unsigned(8)], ids=["derivative", "gain"])
@pytest.mark.parametrize("bits", [2, LOW, LOW + 1, 20, 31])
def test_a_product_is_added_exactly_a_cycle_later(bits, narrow):
    """A feedback and a derivative that are both the lowest have a product that takes every bit; a bit less would turn
    the largest step round."""
    unit, rng = _Product(signed(bits), narrow), Random(bits)
    pairs = list(product(ends(unit.wide.shape(), rng), ends(narrow, rng)))
    rng.shuffle(pairs)

    async def check(ctx):
        for cycle, (wide, by) in enumerate([*pairs, (0, 0)]):
            ctx.set(unit.wide, wide)
            ctx.set(unit.narrow, by)
            if cycle >= 1:
                before, to = pairs[cycle - 1], rng.choice(ends(unit.to.shape(), rng))
                ctx.set(unit.to, to)
                assert ctx.get(unit.out) == before[0] * before[1] + to, (before, to)
            await ctx.tick()

    simulate(unit, check)


class _Step(wiring.Component):
    """What ``step`` makes of three ports, for states of 4 bits and steps with 2 bits of fraction."""

    def __init__(self):
        self.formats = SimpleNamespace(state=Format(4, 0), step_shift=2)
        super().__init__({"exact": In(signed(8)), "x": In(signed(4)), "steps": In(1),
                          "out": Out(signed(4)), "clipped": Out(1)})

    def elaborate(self, platform):
        m = Module()
        state, clipped = step(m, "row0", self.formats, self.exact, self.x, self.steps)
        m.d.comb += [self.out.eq(state), self.clipped.eq(clipped)]
        return m


def test_a_step_is_clipped_a_cycle_later():
    """Every sum with every kind of state: what does not step keeps its state, however far out the sum is, and nothing
    of it counts as clipped. The order is random, so that what is clipped and whether it is are of the same cycle."""
    unit, rng = _Step(), Random(1)
    cases = list(product(range(-128, 128), (-8, -1, 0, 7), (0, 1)))
    rng.shuffle(cases)

    async def check(ctx):
        for cycle, case in enumerate([*cases, (0, 0, 0)]):
            if cycle:
                exact, x, steps = cases[cycle - 1]
                moved = exact // 4 if steps else x
                state = min(max(moved, -8), 7)
                assert (ctx.get(unit.out), ctx.get(unit.clipped)) == (state, state != moved), cases[cycle - 1]
            for port, value in zip((unit.exact, unit.x, unit.steps), case, strict=True):
                ctx.set(port, value)
            await ctx.tick()

    simulate(unit, check)
