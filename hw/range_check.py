"""The range of a packet or transfer, compared with the memory that it names."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem

from .fixed import named

__all__ = ["RangeCheck"]


class RangeCheck(wiring.Component):
    """Whether ``beats`` from the start of a word on lie in a memory, and how many beats a word has.

    Latency: 2 cycles to ``outside``, 0 to ``last``. Throughput: one a cycle.

    Parameters
    ----------
    machine : MachineConfig
        Sizes and packing of the memories.

    Attributes
    ----------
    memory : Signal(4), in
        The number of the memory (``hebbar.contract.memories.Mem``).
    word : Signal(self.word_bits), in
        The first word.
    beats : Signal(24), in
        How many are moved.
    outside : Signal(1), out
        They go beyond the memory, or there are none.
    last : Signal(self.beat_bits), out
        The number of the last beat of a word.
    """

    def __init__(self, machine: MachineConfig) -> None:
        known = ports(machine)
        self._ports = [known.get(Mem(i)) if i in list(Mem) else None for i in range(16)]
        self.word_bits = max(p.depth for p in known.values()).bit_length()
        self.beat_bits = max(1, max(p.beats_per_word - 1 for p in known.values()).bit_length())
        super().__init__({"memory": In(4), "word": In(self.word_bits), "beats": In(24), "outside": Out(1),
                          "last": Out(self.beat_bits)})

    def elaborate(self, platform):
        m, words = Module(), Signal(len(self.beats), name="words")
        depths = Array(p.depth if p else 0 for p in self._ports)
        shifts = Array((p.beats_per_word - 1).bit_length() if p else 0 for p in self._ports)
        there = named(m, depths[self.memory] - self.word, "there")
        room, outside = Signal(there.shape(), name="room"), Signal(name="is_outside")
        m.d.comb += [self.last.eq(Array(p.beats_per_word - 1 if p else 0 for p in self._ports)[self.memory]),
                     self.outside.eq(outside)]
        m.d.sync += [words.eq((self.beats + self.last) >> shifts[self.memory]), room.eq(there),
                     outside.eq((words > room) | (words == 0))]
        return m
