"""An activation table in memory, read by P neurons a cycle."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.activations import ENTRY_BITS
from hebbar.contract.formats import Format, Formats
from hebbar.contract.memories import TABLE, Port

from .bank import Bank, HostPort
from .fixed import round_half_up, saturate, shape

__all__ = ["Table"]


class Table(wiring.Component):
    """``out = sat(round((value << F) + slope * fraction >> F + 16 - out.bits))``.

    Index and fraction are the top and the low F bits of the state. Latency: 1 cycle, the output is
    combinational after the memory. Throughput: every reader, every cycle.

    Parameters
    ----------
    formats : Formats
        Those of states and of the fraction within a segment.
    out : Format
        That of the result.
    port : Port
        Depth and packing of the memory.
    readers : int
        States that are looked up in a cycle.

    Attributes
    ----------
    function : Signal(4), in
        The table, one for all readers.
    state : Signal(ArrayLayout(signed(self.formats.state.bits), self.readers)), in
        Where it is looked up.
    out : Signal(ArrayLayout(signed(self.format.bits), self.readers)), out
        Its values, a cycle later.
    host : HostPort(), in
        The memory on the stream.
    """

    latency = 1

    def __init__(self, formats: Formats, out: Format, port: Port, readers: int) -> None:
        self.formats, self.format, self.port, self.readers = formats, out, port, readers
        super().__init__({
            "function": In(4), "state": In(data.ArrayLayout(shape(formats.state), readers)),
            "out": Out(data.ArrayLayout(shape(out), readers)), "host": In(HostPort())})

    def elaborate(self, platform):
        m, frac = Module(), self.formats.table_frac
        m.submodules.bank = bank = Bank(self.port, self.readers)
        wiring.connect(m, wiring.flipped(self.host), bank.host)
        for i in range(self.readers):
            state = self.state[i].as_unsigned()
            m.d.comb += bank.read_address[i].eq(Cat(state[frac:], self.function))
            word = bank.read_data[i][0]
            value = Signal(signed(ENTRY_BITS))
            slope = Signal(signed(ENTRY_BITS))
            m.d.comb += [value.eq(word[:ENTRY_BITS]), slope.eq(word[TABLE["slope"].lsb:])]
            fraction = Signal(max(1, frac), name=f"fraction_{i}")
            # It meets value and slope, which come a cycle after their address.
            m.d.sync += fraction.eq(state[:frac] if frac else 0)
            exact = (value << frac) + slope * fraction
            rounded = round_half_up(exact, frac + ENTRY_BITS - self.format.bits)
            m.d.comb += self.out[i].eq(saturate(m, rounded, self.format, f"rounded_{i}")[0])
        return m
