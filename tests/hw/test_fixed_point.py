"""Rounding and clipping of the RTL against whole numbers, for every value of small widths."""

from fractions import Fraction
from math import floor

import pytest
from amaranth.hdl import Module, Signal, signed
from helpers import settle

from hebbar.contract.formats import Format
from hw.fixed import round_saturate


@pytest.mark.parametrize("width", range(1, 10))
@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("bits", [2, 3, 5])
def test_rounds_half_up_and_then_clips(width, shift, bits):
    """Both ends of the format are met from inside, from the half that rounds into it or out of it, and from outside;
    a clip that is counted is one in which the rounded value was not in the format."""
    m, value, format = Module(), Signal(signed(width)), Format(bits, 0)
    clipped, flag = round_saturate(m, value, shift, format, "result")
    out = Signal(signed(bits + 3)), Signal()
    m.d.comb += [out[0].eq(clipped), out[1].eq(flag)]

    async def bench(ctx):
        for v in range(-(1 << width - 1), 1 << width - 1):
            ctx.set(value, v)
            rounded = floor(Fraction(v, 1 << shift) + Fraction(1, 2))
            expected = min(max(rounded, -(1 << bits - 1)), (1 << bits - 1) - 1)
            assert (ctx.get(out[0]), ctx.get(out[1])) == (expected, expected != rounded), v

    settle(m, bench)
