"""Counters of which one counts in a cycle, in two memories that take turns."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .fixed import named, pipe

__all__ = ["Tally"]


class Tally(wiring.Component):
    """``count`` counters; ``counts`` adds 1 to the one that ``which`` names.

    One memory counts while the other rests and is emptied. Latency: an event counts from the cycle after it, and
    ``turn`` parts the events of the cycles before it from those of its own cycle and later. Throughput: an event a
    cycle. No reset: after one, every counter is wiped before it means anything.

    Parameters
    ----------
    count : int
        Counters.
    bits : int
        Of each; it is emptied before it is more.

    Attributes
    ----------
    counts : Signal(1), in
        There is an event.
    which : Signal(range(self.count)), in
        Of this counter.
    turn : Signal(1), in
        The memories change places.
    place : Signal(range(self.count)), in
        A counter of the memory that rests.
    value : Signal(self.bits), out
        What it has counted.
    empty : Signal(1), in
        It becomes 0.
    wipes : Signal(1), in
        It becomes 0 in both memories; no event counts.
    """

    def __init__(self, count: int, bits: int) -> None:
        self.count, self.bits = count, bits
        super().__init__({"counts": In(1), "which": In(range(count)), "turn": In(1), "place": In(range(count)),
                          "value": Out(bits), "empty": In(1), "wipes": In(1)})

    def elaborate(self, platform):
        m = Module()
        counts, which = pipe(m, self.counts, 1, "counted", reset=True)[1], pipe(m, self.which, 1, "counter")[1]
        turned = Signal()
        m.d.sync += turned.eq(turned ^ self.turn)
        held = []
        self._memories = [Memory(shape=unsigned(self.bits), depth=self.count, init=[]) for _ in range(2)]
        for name, turn, memory in zip(("first", "second"), (~turned, turned), self._memories, strict=True):
            m.submodules[name], active = memory, named(m, turn & ~self.wipes, f"{name}_counts")
            writer, reader = memory.write_port(), memory.read_port(domain="comb")
            place = Mux(active, which, self.place)
            m.d.comb += [reader.addr.eq(place), writer.addr.eq(place), writer.en.eq(Mux(active, counts, self.empty))]
            held.append((active, writer, reader.data))
        grown = named(m, Mux(turned, held[1][2], held[0][2]) + 1, "grown")
        m.d.comb += [self.value.eq(Mux(turned, held[0][2], held[1][2])),
                     *(writer.data.eq(Mux(active, grown, 0)) for active, writer, _ in held)]
        return m
