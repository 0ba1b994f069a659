"""Successive approximation: the digital half of a bank of converters."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SarLogic"]


class SarLogic(wiring.Component):
    """``count`` converters of ``bits`` bits that search together, the sign first.

    ``start`` puts every code to the least one; in each cycle with ``search`` the bit ``bit`` is tried: ``dac``
    holds the codes with it, and those stay for which ``above`` says that the line is not below. Latency:
    ``bits`` cycles from the first search to ``codes``. Throughput: a conversion every ``bits`` + 1 cycles.

    Parameters
    ----------
    count : int
        Converters.
    bits : int
        Width of their signed codes.

    Attributes
    ----------
    start : Signal(1), in
        All codes become the least one.
    search : Signal(1), in
        A bit is tried.
    bit : Signal(range(self.bits)), in
        Which one.
    above : Signal(self.count), in
        The line of a converter is not below its ``dac``, in the same cycle.
    dac : Signal(ArrayLayout(signed(self.bits), self.count)), out
        The codes with the bit that is tried, 0 without ``search``.
    codes : Signal(ArrayLayout(signed(self.bits), self.count)), out
        The codes found so far.
    """

    def __init__(self, count: int, bits: int) -> None:
        self.count, self.bits = count, bits
        codes = data.ArrayLayout(signed(bits), count)
        super().__init__({"start": In(1), "search": In(1), "bit": In(range(bits)), "above": In(count),
                          "dac": Out(codes), "codes": Out(codes)})

    def elaborate(self, platform):
        m, least = Module(), -(1 << self.bits - 1)
        for i in range(self.count):
            code = Signal(signed(self.bits), init=least, name=f"code_{i}")
            trial = Signal(signed(self.bits), name=f"trial_{i}")
            m.d.comb += trial.eq(code + (1 << self.bit).as_unsigned())
            m.d.comb += [self.dac[i].eq(Mux(self.search, trial, 0)), self.codes[i].eq(code)]
            with m.If(self.start):
                m.d.sync += code.eq(least)
            with m.Elif(self.search & self.above[i]):
                m.d.sync += code.eq(trial)
        return m
