"""The feedback sums: what TRN has collected for every neuron."""

from amaranth.hdl import Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, WritePort
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import MAP
from hebbar.contract.timing import FEEDBACK_LATENCY

from .bank import read_late
from .fixed import pipe
from .tile import Shapes

__all__ = ["FeedbackSums"]

WIDE, FEW = 1024, 16
"""Bits of a word above which, and words up to which, the second copy is in LUT RAM: a block RAM has 36 bits of a word,
so that so wide a memory takes some thirty of them and leaves them empty but for a thirtieth."""


class FeedbackSums(wiring.Component):
    """``back[word] = (0 if overwrite else back[word]) + sums``, one word of C neurons a cycle.

    Both memories are read with a clock, so that they can be block RAMs or SRAM macros: ``early_word`` comes a cycle
    before the sums it belongs to, whose addition is written in the cycle after them. What the two additions before did
    to the same word is not in the memory by then and is taken from them, so consecutive additions to one word need no
    gap. Read: ``read_data`` follows ``read_word`` by one cycle, from a second copy: a word that is written at the same
    edge must not be used. ``clear``: the sums of this cycle are zero.

    Parameters
    ----------
    machine : MachineConfig
        C lanes and the number of neuron words.

    Attributes
    ----------
    early_word : Signal(12), in
        The word that the sums of the next cycle are added to.
    valid : Signal(1), in
        ``sums`` are added.
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
            "early_word": In(address), "valid": In(1), "overwrite": In(1), "sums": In(self.shape), "clear": In(1),
            "read_word": In(address), "read_data": Out(self.shape)})

    def elaborate(self, platform):
        m = Module()
        style = "distributed" if Shape.cast(self.shape).width > WIDE and self.machine.neuron_words <= FEW else "block"
        self.memory, writer, before = self._memory(m, "sums", self.early_word, "block")
        self.shown, copier, there = self._memory(m, "shown", self.read_word, style)
        m.d.comb += self.read_data.eq(there)
        adds = pipe(m, self.valid, FEEDBACK_LATENCY, "adds", reset=True)[-1]
        early = self.early_word[:max(1, (self.machine.neuron_words - 1).bit_length())]
        _, word, written = pipe(m, early, 1 + FEEDBACK_LATENCY, "word")
        old, sums, last = (Signal(self.shape, name=name, reset_less=True)
                           for name in ("sums_before", "sums_added", "sums_last"))
        # The memory has neither the addition that is being made nor the one that is written as this word is read.
        newest = pipe(m, self.valid & (early == word), 1, "newest_again")[1]
        latest = pipe(m, adds & (early == written), 1, "last_again")[1]
        m.d.sync += [sums.eq(self.sums), last.eq(writer.data)]
        for i in range(self.machine.lanes):
            m.d.comb += writer.data[i].eq(old[i] + sums[i])
            m.d.sync += old[i].eq(Mux(newest, writer.data[i], Mux(latest, last[i], before[i])))
        with m.If(self.overwrite):
            m.d.sync += old.eq(0)
        with m.If(self.clear):
            m.d.sync += sums.eq(0)
        for port in (writer, copier):
            m.d.comb += [port.addr.eq(written), port.en.eq(adds)]
        m.d.comb += copier.data.eq(writer.data)
        return m

    def _memory(self, m: Module, name: str, address: Value, style: str) -> tuple[Memory, WritePort, data.View]:
        """A memory of all words, its write port, and the word at ``address``, a cycle later."""
        memory = Memory(shape=self.shape, depth=self.machine.neuron_words, init=[],
                        attrs={"no_rw_check": 1, "ram_style": style})
        m.submodules[f"{name}_memory"] = memory
        return memory, memory.write_port(), read_late(m, memory, address, f"{name}_read")
