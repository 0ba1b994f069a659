"""The loops that a program is in, innermost first."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.isa import LOOP_DEPTH

__all__ = ["LOOP", "Loops"]

LOOP = data.StructLayout({"start": 13, "left": 32})
"""The address of the first instruction of a body, and the rounds that are left, the one under way included."""


class Loops(wiring.Component):
    """The innermost loop is in a register, those around it in a memory, so that nothing is chosen among registers.

    Latency: one cycle. Throughput: one of the commands a cycle; ``enter`` needs room, the others a loop.

    Attributes
    ----------
    clear : Signal(1), in
        There is no loop any more.
    enter : Signal(1), in
        The loop ``start``, ``count`` is the innermost.
    leave : Signal(1), in
        The innermost loop ends.
    again : Signal(1), in
        It has a round less.
    start : Signal(13), in
        See ``LOOP``.
    count : Signal(32), in
        Rounds, at least 1.
    loop : Signal(LOOP), out
        The innermost loop.
    last : Signal(1), out
        It is in its last round.
    depth : Signal(range(LOOP_DEPTH + 1)), out
        How many there are.
    """

    def __init__(self) -> None:
        super().__init__({"clear": In(1), "enter": In(1), "leave": In(1), "again": In(1), "start": In(13),
                          "count": In(32), "loop": Out(LOOP), "last": Out(1),
                          "depth": Out(range(LOOP_DEPTH + 1))})

    def elaborate(self, platform):
        m, outer = Module(), Signal(LOOP, name="around")
        m.submodules.outer = memory = Memory(shape=LOOP, depth=LOOP_DEPTH, init=[])
        writer, reader = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [writer.addr.eq(self.depth), writer.data.eq(self.loop), writer.en.eq(self.enter),
                     reader.addr.eq(self.depth - 1), outer.eq(reader.data), self.last.eq(self.loop.left == 1)]
        with m.If(self.enter):
            m.d.sync += [self.loop.start.eq(self.start), self.loop.left.eq(self.count), self.depth.eq(self.depth + 1)]
        with m.Elif(self.leave):
            m.d.sync += [self.loop.eq(outer), self.depth.eq(self.depth - 1)]
        with m.Elif(self.again):
            m.d.sync += self.loop.left.eq(self.loop.left - 1)
        with m.If(self.clear):
            m.d.sync += self.depth.eq(0)
        return m
