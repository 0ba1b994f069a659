"""The feedback sums: what TRN has collected for every neuron."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import MAP
from hebbar.contract.timing import FEEDBACK_LATENCY

from .fixed import pipe
from .tile import Shapes

__all__ = ["FeedbackSums"]


class FeedbackSums(wiring.Component):
    """``back[word] = (0 if overwrite else back[word]) + sums``, one word of C neurons a cycle.

    A sum is read, added to and written in the cycle after ``valid``, so consecutive additions to one word need no
    gap. Read: ``read_data`` follows ``read_word`` by one cycle, from a second copy in block RAM: a word that is written
    at the same edge must not be used. ``clear``: the sums of this cycle are zero.

    Parameters
    ----------
    machine : MachineConfig
        C lanes and the number of neuron words.

    Attributes
    ----------
    valid : Signal(1), in
        ``sums`` are added.
    word : Signal(12), in
        To this word.
    overwrite : Signal(1), in
        They replace it.
    sums : Signal(Shapes.backs), in
        What is added, one number a neuron.
    clear : Signal(1), in
        It is zero.
    read_word : Signal(12), in
        The word that is read.
    read_data : Signal(Shapes.backs), out
        That word, a cycle later.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shape = machine, Shapes(machine).backs
        address = MAP["source"].width
        super().__init__({
            "valid": In(1), "word": In(address), "overwrite": In(1), "sums": In(self.shape), "clear": In(1),
            "read_word": In(address), "read_data": Out(self.shape)})

    def elaborate(self, platform):
        m, depth = Module(), self.machine.neuron_words
        m.submodules.sums_memory = self.memory = memory = Memory(shape=self.shape, depth=depth, init=[])
        # Block RAM cannot be read without a clock, LUTs that can be read twice are twice as many.
        m.submodules.shown_memory = self.shown = shown = Memory(shape=self.shape, depth=depth, init=[],
                                                   attrs={"no_rw_check": 1, "ram_style": "block"})
        valid, word, overwrite = (pipe(m, value, FEEDBACK_LATENCY, name, reset=name == "adds")[-1] for name, value in (
            ("adds", self.valid), ("word_added", self.word), ("overwrites", self.overwrite)))
        sums, read = (Signal(self.shape, name=name, reset_less=True) for name in ("sums_added", "sums_read"))
        m.d.sync += sums.eq(self.sums)
        with m.If(self.clear):
            m.d.sync += sums.eq(0)
        old, reader = memory.read_port(domain="comb"), shown.read_port(domain="comb")
        m.d.comb += [old.addr.eq(word), reader.addr.eq(self.read_word), self.read_data.eq(read)]
        m.d.sync += read.eq(reader.data)
        writer, copier = memory.write_port(), shown.write_port()
        for port in (writer, copier):
            m.d.comb += [port.addr.eq(word), port.en.eq(valid)]
        m.d.comb += copier.data.eq(writer.data)
        for i in range(self.machine.lanes):
            m.d.comb += writer.data[i].eq(Mux(overwrite, 0, old.data[i]) + sums[i])
        return m
