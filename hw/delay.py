"""A value of some cycles ago, from a memory in place of a register a cycle."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .bank import read_late

__all__ = ["Delay"]


class Delay(wiring.Component):
    """``out`` is what ``value`` was ``cycles`` cycles before.

    A ring of words: each is read and then written anew. No reset: what comes out in the first cycles is nothing that
    was ever put in, so that a bit beside it has to say whether something is there.

    Parameters
    ----------
    shape : ShapeLike
        Of the value.
    cycles : int
        How long it takes, 2 or more.

    Attributes
    ----------
    value : Signal(self.shape), in
        What goes in.
    out : Signal(self.shape), out
        What comes out.
    """

    def __init__(self, shape: ShapeLike, cycles: int) -> None:
        self.shape, self.cycles = shape, cycles
        super().__init__({"value": In(shape), "out": Out(shape)})

    def elaborate(self, platform):
        m, words = Module(), self.cycles - 1
        m.submodules.memory = memory = Memory(shape=self.shape, depth=words, init=[])
        writer, place = memory.write_port(), Signal(range(words))
        m.d.sync += place.eq(Mux(place == words - 1, 0, place + 1))
        # The word of this place is taken before the next one is put there.
        m.d.comb += [writer.addr.eq(place), writer.en.eq(1), writer.data.eq(self.value),
                     self.out.eq(read_late(m, memory, place, "taken"))]
        return m
