"""The back sums: what TRN has collected for every neuron."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.machine import MachineConfig
from hebbar.memories import MAP

from .tile import Shapes

__all__ = ["BackSums"]


class BackSums(wiring.Component):
    """``back[word] = (0 if fresh else back[word]) + sums``, one word of C neurons a cycle.

    The sum is complete at the clock edge of its cycle, so consecutive additions to one word need
    no gap. Read: ``read_data`` follows ``read_word`` by one cycle.

    Ports: ``valid``, ``word``, ``fresh``, ``sums``; ``read_word``, ``read_data``.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shape = machine, Shapes(machine).backs
        address = MAP["source"].width
        super().__init__({
            "valid": In(1), "word": In(address), "fresh": In(1), "sums": In(self.shape),
            "read_word": In(address), "read_data": Out(self.shape)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = self.memory = memory = Memory(shape=self.shape,
                                                            depth=self.machine.neuron_words,
                                                            init=[])
        writer, old = memory.write_port(), memory.read_port(domain="comb")
        reader = memory.read_port()
        m.d.comb += [old.addr.eq(self.word), writer.addr.eq(self.word), writer.en.eq(self.valid),
                     reader.addr.eq(self.read_word), self.read_data.eq(reader.data)]
        for i in range(self.machine.lanes):
            m.d.comb += writer.data[i].eq(Mux(self.fresh, 0, old.data[i]) + self.sums[i])
        return m
