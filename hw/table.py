"""An activation table in memory, read by P neurons a cycle."""

from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.activations import ENTRY_BITS
from hebbar.contract.formats import Format, Formats
from hebbar.contract.memories import TABLE, Port
from hebbar.contract.timing import TABLE_LATENCY

from .bank import Bank, HostPort
from .fixed import pipe, saturate, shape

__all__ = ["Table"]


class Table(wiring.Component):
    """``out = sat(round((value << F) + slope * fraction >> F + 16 - out.bits))``.

    Index and fraction are the top and the low F bits of the state. Latency: ``TABLE_LATENCY``, a register behind the
    memory, the product and the sum. Throughput: every reader, every cycle.

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
        Its values, ``latency`` cycles later.
    host : HostPort(), in
        The memory on the stream.
    """

    latency = TABLE_LATENCY

    def __init__(self, formats: Formats, out: Format, port: Port, readers: int) -> None:
        self.formats, self.format, self.port, self.readers = formats, out, port, readers
        super().__init__({
            "function": In(4), "state": In(data.ArrayLayout(shape(formats.state), readers)),
            "out": Out(data.ArrayLayout(shape(out), readers)), "host": In(HostPort())})

    def elaborate(self, platform):
        m, frac, drop = Module(), self.formats.table_frac, ENTRY_BITS - self.format.bits
        m.submodules.bank = bank = Bank(self.port, self.readers, writable=False)
        wiring.connect(m, wiring.flipped(self.host), bank.host)
        for i in range(self.readers):
            state = self.state[i].as_unsigned()
            m.d.comb += bank.read_address[i].eq(Cat(state[frac:], self.function))
            word = bank.read_data[i][0]
            value = Signal(signed(ENTRY_BITS), name=f"value_{i}", reset_less=True)
            slope = Signal(signed(ENTRY_BITS), name=f"slope_{i}", reset_less=True)
            m.d.sync += [value.eq(word[:ENTRY_BITS]), slope.eq(word[TABLE["slope"].lsb:])]
            # It meets value and slope, which come two cycles after their address.
            fraction = pipe(m, state[:frac] if frac else Const(0, 1), 2, f"fraction_{i}")[2]
            # The half that rounds is added to the value while the product is made.
            product = pipe(m, slope * fraction, 1, f"product_{i}")[1]
            half = pipe(m, value + (1 << drop >> 1), 1, f"half_{i}")[1]
            exact = half.shift_left(frac) + product
            result, _ = saturate(m, exact.shift_right(frac + drop), self.format, f"rounded_{i}")
            m.d.comb += self.out[i].eq(pipe(m, result, 1, f"out_{i}")[1])
        return m
