"""Words that wait in a block RAM until they are taken."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .bank import read_late

__all__ = ["WordQueue"]


class WordQueue(wiring.Component):
    """First in, first out, without asking whether there is room or a word: whoever uses it knows.

    The FIFOs of Amaranth leave it to the synthesis where their words are, which takes LUTs for so few of them. Latency:
    a word can be taken from the second cycle after it was put in. Throughput: one in and one out a cycle. No reset of
    the words.

    Parameters
    ----------
    shape : ShapeLike
        Of a word.
    depth : int
        Most words that wait.

    Attributes
    ----------
    put : Signal(1), in
        ``word`` goes in.
    word : Signal(self.shape), in
        The last word.
    ends : Signal(1), in
        It ends its row.
    take : Signal(1), in
        ``head`` goes out.
    head : Signal(self.shape), out
        The first word.
    head_ends : Signal(1), out
        It ends its row. Kept beside the words in LUT RAM, as what comes out of a block RAM is late in its cycle.
    waiting : Signal(1), out
        There are words.
    """

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape, self._places = shape, depth + 1  # one stays free, or a full ring would look empty
        super().__init__({"put": In(1), "word": In(shape), "ends": In(1), "take": In(1), "head": Out(shape),
                          "head_ends": Out(1), "waiting": Out(1)})

    def elaborate(self, platform):
        m = Module()
        end, begin = (Signal(range(self._places), name=name) for name in ("end", "begin"))
        following, ending = (Signal(range(self._places), name=name) for name in ("following", "ending"))
        m.d.comb += [following.eq(Mux(self.take, self._after(begin), begin)),
                     ending.eq(Mux(self.put, self._after(end), end))]
        # What waits is a register, as the whole machine asks for it.
        m.d.sync += [begin.eq(following), end.eq(ending), self.waiting.eq(following != ending)]
        for name, style, value, out in (("words", "block", self.word, self.head),
                                        ("ends", "distributed", self.ends, self.head_ends)):
            memory = Memory(shape=value.shape(), depth=self._places, init=[],
                            attrs={"no_rw_check": 1, "ram_style": style})
            m.submodules[f"{name}_memory"] = memory
            writer = memory.write_port()
            m.d.comb += [writer.addr.eq(end), writer.data.eq(value), writer.en.eq(self.put),
                         out.eq(read_late(m, memory, following, f"first_{name}"))]
        return m

    def _after(self, place: Signal):
        """The next place in the ring."""
        return Mux(place == self._places - 1, 0, place + 1)
