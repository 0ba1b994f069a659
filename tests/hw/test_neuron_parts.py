"""The neuron unit's addition of a product against Python's integers."""

from itertools import product
from random import Random

import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers import simulate

from hw.neuron_parts import LOW, add_product


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
