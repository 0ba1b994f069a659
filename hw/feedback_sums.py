"""The feedback sums: what TRN has collected for every neuron."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import MAP

from .tile import Shapes

__all__ = ["FeedbackSums"]


class FeedbackSums(wiring.Component):
    """``back[word] = (0 if overwrite else back[word]) + sums``, one word of C neurons a cycle.

    The sum is complete at the clock edge of its cycle, so consecutive additions to one word need
    no gap. Read: ``read_data`` follows ``read_word`` by one cycle.

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
    read_word : Signal(12), in
        The word that is read.
    read_data : Signal(Shapes.backs), out
        That word, a cycle later.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shape = machine, Shapes(machine).backs
        address = MAP["source"].width
        super().__init__({
            "valid": In(1), "word": In(address), "overwrite": In(1), "sums": In(self.shape),
            "read_word": In(address), "read_data": Out(self.shape)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = self.memory = memory = Memory(shape=self.shape,
                                                            depth=self.machine.neuron_words,
                                                            init=[])
        # Read without a clock: a word is read, added to and written in a cycle, and the next may add to it again.
        writer, old = memory.write_port(), memory.read_port(domain="comb")
        reader = memory.read_port()
        m.d.comb += [old.addr.eq(self.word), writer.addr.eq(self.word), writer.en.eq(self.valid),
                     reader.addr.eq(self.read_word), self.read_data.eq(reader.data)]
        for i in range(self.machine.lanes):
            m.d.comb += writer.data[i].eq(Mux(self.overwrite, 0, old.data[i]) + self.sums[i])
        return m
