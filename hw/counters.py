"""The counters: 64-bit totals of what happened in every cycle, kept in one memory and latched together."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.counters import COUNTERS

from .fixed import named, pipe

__all__ = ["Counters"]

TOTAL_BITS = 64
COUNT = len(COUNTERS)
LATCHED = 1 << (COUNT - 1).bit_length()
"""Address of the first latched total; the running totals begin at 0."""

MODE = data.StructLayout({"latching": 1, "clearing": 1, "wiping": 1})
"""What a round of visits does; none of them: it adds the live registers to the totals."""

UNATTENDED = 4 * COUNT + 4
"""Most cycles between two moments at which a live register is emptied: two rounds of visits, one of them for the held
registers, and the cycle at either end."""


class Counters(wiring.Component):
    """``total[i] += add[i]`` every cycle; ``value`` is a total as it was at the last ``latch``.

    A register of 64 bits for each counter would be the largest part of a small machine. Here a counter has a narrow
    *live* register, which counts every cycle, and a word of a memory, its total. In every other cycle one live register
    is visited: it is added to its total and begins anew. ``latch`` moves all live registers to *held* registers in one
    cycle; the next round of visits adds those instead and writes each sum also as the latched total.

    Latency: an addend counts from the cycle after it. ``clear`` zeroes all totals and drops the addends of its
    cycle; beside ``latch`` the totals are latched before they are cleared. After either, and after a reset,
    ``counting`` is high for at most 2 * COUNT + 6 cycles; neither may come while it is. ``ready`` rises 2 or 3 cycles
    after ``read`` and is low while ``counting``. Throughput: one addend of each counter a cycle.

    Parameters
    ----------
    widths : Mapping[str, int]
        Bits of the addend of each counter, by its name in ``hebbar.contract.counters.COUNTERS``.

    Attributes
    ----------
    add : Signal(StructLayout(widths)), in
        What each counter counts in this cycle.
    clear : Signal(1), in
        All totals become 0; what is added in this cycle is lost.
    latch : Signal(1), in
        The totals as they are before this cycle are those that ``value`` shows from now on.
    counting : Signal(1), out
        A latch, a clear or a reset is being carried out.
    read : Signal(1), in
        A latched total is asked for; stays until ``ready``.
    index : Signal(range(COUNT)), in
        Its place in ``hebbar.contract.counters.COUNTERS``; holds while ``read``.
    value : Signal(64), out
        That total, in a cycle in which ``ready``.
    ready : Signal(1), out
        It is there.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        self.widths = {name: widths[name] for name in COUNTERS}
        super().__init__({
            "add": In(data.StructLayout({name: unsigned(width) for name, width in self.widths.items()})),
            "clear": In(1), "latch": In(1), "counting": Out(1), "read": In(1), "index": In(range(COUNT)),
            "value": Out(TOTAL_BITS), "ready": Out(1)})

    def live_bits(self, name: str) -> int:
        """Bits that hold the largest addend in every cycle for as long as nobody visits."""
        return (((1 << self.widths[name]) - 1) * UNATTENDED).bit_length()

    def elaborate(self, platform):
        m = Module()
        m.submodules.totals = self._totals = memory = Memory(shape=unsigned(TOTAL_BITS), depth=2 * LATCHED, init=[])
        self._read, self._write = memory.read_port(), memory.write_port()
        # Even cycles read a total and write a latched one, odd cycles the other way round.
        self._odd, self._place = Signal(name="odd"), Signal(range(COUNT), name="place")
        self._rounds(m)
        taken = self._registers(m)
        self._visit(m, taken)
        return m

    def _rounds(self, m: Module) -> None:
        """What the visits of this round do; a reset leaves a round that zeroes both halves of the memory."""
        left = Signal(range(COUNT + 1), init=COUNT)
        mode = Signal(MODE, init={"latching": 1, "clearing": 1, "wiping": 1})
        busy = named(m, left != 0, "busy")
        self._mode = data.View(MODE, named(m, Mux(busy, mode.as_value(), 0), "round"))
        m.d.sync += self._odd.eq(~self._odd)
        with m.If(~self._odd):
            m.d.sync += self._place.eq(Mux(self._place == COUNT - 1, 0, self._place + 1))
        with m.If(self.latch | self.clear):
            m.d.sync += [
                left.eq(COUNT), mode.latching.eq(self.latch), mode.clearing.eq(self.clear), mode.wiping.eq(0)]
        with m.Elif(~self._odd & busy):
            m.d.sync += left.eq(left - 1)
        behind = Signal(4)
        m.d.sync += behind.eq(Cat(busy, behind))
        m.d.comb += self.counting.eq(busy | behind.any())

    def _registers(self, m: Module) -> Signal:
        """Live and held registers; returns what the last visit took."""
        bits = {name: self.live_bits(name) for name in COUNTERS}
        layout = data.StructLayout({name: unsigned(n) for name, n in bits.items()})
        live, held = (Signal(layout, name=n) for n in ("live", "held"))
        rest, taken = Signal.like(live, name="rest"), Signal(max(bits.values()))
        chosen = data.View(layout, named(m, Mux(self._mode.latching, held.as_value(), live.as_value()), "chosen"))
        # What this cycle's visit takes is in the total before a latched one is made of it.
        m.d.comb += rest.eq(live)
        empties = named(m, ~self._odd & ~self._mode.latching, "empties")
        with m.Switch(self._place):
            for i, name in enumerate(COUNTERS):
                with m.Case(i):
                    m.d.sync += taken.eq(chosen[name])
                    with m.If(empties):
                        m.d.comb += rest[name].eq(0)
        stays = data.View(layout, named(m, Mux(self.latch, 0, rest.as_value()), "stays"))
        m.d.sync += [live[name].eq(stays[name] + self.add[name]) for name in COUNTERS]
        with m.If(self.clear):
            m.d.sync += live.eq(0)
        with m.If(self.latch):
            m.d.sync += held.eq(rest)
        return taken

    def _visit(self, m: Module, taken: Signal) -> None:
        """Cycle 0 reads a total, 1 keeps it, 2 adds, 3 writes the sum and 4 writes it as the latched total."""
        place = pipe(m, self._place, 4, "place")
        mode = [data.View(MODE, v) for v in pipe(m, self._mode.as_value(), 4, "round", reset=True)]
        base = pipe(m, Mux(mode[1].wiping | (mode[1].clearing & ~mode[1].latching), 0, self._read.data), 1, "base")[1]
        total = pipe(m, (base + pipe(m, taken, 1, "taken")[1])[:TOTAL_BITS], 2, "total")
        m.d.comb += [
            self._read.en.eq(~self._odd | self.read),
            self._read.addr.eq(Mux(self._odd, LATCHED + self.index, self._place)),
            self._write.addr.eq(Mux(self._odd, place[3], LATCHED + place[4])),
            self._write.data.eq(Mux(self._odd, Mux(mode[3].clearing & mode[3].latching, 0, total[1]), total[2])),
            self._write.en.eq(self._odd | mode[4].latching)]
        asked = pipe(m, self.read & ~self.counting, 1, "asked", reset=True)[1]
        m.d.comb += [self.value.eq(self._read.data), self.ready.eq(asked & ~self.counting & ~self._odd)]
