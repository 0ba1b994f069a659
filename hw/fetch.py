"""The program counter and the instruction that it points to."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.timing import FETCH_LATENCY

from .fixed import pipe

__all__ = ["Fetch"]


class Fetch(wiring.Component):
    """Reads ahead, so that a program that goes straight on has an instruction a cycle.

    The memory answers a cycle late and its answer is kept in a register, away from what is decided by it. While an
    instruction is there, the memory is asked for the second one behind it, whether the program goes on or not; the one
    between them, if it is not taken as it comes, is kept in a register. Where a jump goes is in ``pc`` first. So what
    is read waits for no decision. Latency: 1 cycle with ``advance``, 1 + FETCH_LATENCY of ``hebbar.contract.timing``
    with ``jump``.

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
        Go on at ``target``; for FETCH_LATENCY cycles there is no instruction.
    arrives : Signal(1), out
        The last of these cycles.
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
                          "target": In(13), "stay": In(1), "arrives": Out(1), "pc": Out(13),
                          "instruction": Out(32), "outside": Out(1)})

    def elaborate(self, platform):
        m, end = Module(), self.machine.program_words
        jumps = pipe(m, self.jump, FETCH_LATENCY, "jumped", reset=True)
        followed, following = Signal(name="followed"), Signal(32, name="following")
        kept = Signal(32, name="kept", reset_less=True)
        m.d.comb += [self.arrives.eq(jumps[FETCH_LATENCY]), following.eq(Mux(followed, self.word, kept)),
                     self.program_address.eq(self.pc + Mux(jumps[1], 0, Mux(self.arrives, 1, 2)))]
        m.d.sync += [followed.eq(self.advance | self.arrives | jumps[1]), kept.eq(following)]
        with m.If(self.advance | self.arrives):
            m.d.sync += [self.instruction.eq(following),
                         self.outside.eq(Mux(self.arrives, self.pc >= end, self.pc >= end - 1))]
        with m.If(~self.stay):
            with m.If(self.jump):
                m.d.sync += self.pc.eq(self.target)
            with m.Elif(self.advance):
                m.d.sync += self.pc.eq(self.pc + 1)
        return m
