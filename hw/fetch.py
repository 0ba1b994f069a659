"""The program counter and the instruction that it points to."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig

__all__ = ["Fetch"]


class Fetch(wiring.Component):
    """Reads ahead, so that a program that goes straight on has an instruction a cycle.

    The memory answers a cycle late and its answer is kept in a register, away from what is decided by it. While an
    instruction is there, the memory shows the one behind it. Latency: 1 cycle with ``advance``, 2 with ``jump``.

    Parameters
    ----------
    machine : MachineConfig
        How long a program may be.

    Attributes
    ----------
    program_address : Signal(13), out
        The instruction that is read.
    word : Signal(32), in
        It, a cycle later.
    advance : Signal(1), in
        Go on to the next instruction.
    jump : Signal(1), in
        Go on at ``target``; in the next cycle there is no instruction.
    target : Signal(13), in
        An address.
    stay : Signal(1), in
        ``pc`` stays whatever is asked for: the program ends.
    pc : Signal(13), out
        The address of the instruction.
    instruction : Signal(32), out
        The instruction.
    outside : Signal(1), out
        There is none at this address.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__({"program_address": Out(13), "word": In(32), "advance": In(1), "jump": In(1),
                          "target": In(13), "stay": In(1), "pc": Out(13), "instruction": Out(32), "outside": Out(1)})

    def elaborate(self, platform):
        m, end, missing = Module(), self.machine.program_words, Signal(name="missing")
        m.d.comb += self.program_address.eq(Mux(self.jump, self.target, Mux(self.advance, self.pc + 2, self.pc + 1)))
        m.d.sync += missing.eq(self.jump)
        with m.If(self.advance | missing):
            m.d.sync += [self.instruction.eq(self.word),
                         self.outside.eq(Mux(missing, self.pc >= end, self.pc >= end - 1))]
        with m.If(~self.stay):
            with m.If(self.jump):
                m.d.sync += self.pc.eq(self.target)
            with m.Elif(self.advance):
                m.d.sync += self.pc.eq(self.pc + 1)
        return m
