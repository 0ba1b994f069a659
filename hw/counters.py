"""The counters: 64-bit totals of what happened in every cycle, latched together."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.counters import COUNTERS

__all__ = ["Counters"]


class Counters(wiring.Component):
    """``total[i] += add[i]`` every cycle; ``values`` shows the totals at the last ``latch``.

    Latency: an addend is in the total one cycle later. ``clear`` zeroes the totals.

    Attributes
    ----------
    add : Signal(ArrayLayout(20, len(COUNTERS))), in
        What each counter counts in this cycle, in the order of ``hebbar.counters.COUNTERS``.
    clear : Signal(1), in
        All totals become 0; what is added in this cycle is lost.
    latch : Signal(1), in
        The totals as they are before this cycle become ``values``.
    values : Signal(ArrayLayout(64, len(COUNTERS))), out
        The totals at the last ``latch``.
    """

    def __init__(self) -> None:
        count = len(COUNTERS)
        super().__init__({"add": In(data.ArrayLayout(20, count)), "clear": In(1), "latch": In(1),
                          "values": Out(data.ArrayLayout(64, count))})

    def elaborate(self, platform):
        m = Module()
        totals = self._totals = Signal(data.ArrayLayout(64, len(COUNTERS)))
        for i in range(len(COUNTERS)):
            with m.If(self.clear):
                m.d.sync += totals[i].eq(0)
            with m.Else():
                m.d.sync += totals[i].eq(totals[i] + self.add[i])
        with m.If(self.latch):
            m.d.sync += self.values.eq(totals)
        return m
