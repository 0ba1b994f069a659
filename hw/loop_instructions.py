"""LOOP, NEXT, EXIT and BREAK, a part of the sequencer."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring

from hebbar.contract.isa import FIELDS, LOOP_DEPTH, LOOP_REGISTERS, Op
from hebbar.contract.machine import MachineConfig
from hebbar.contract.registers import Cause

from .fetch import Fetch
from .fields import field
from .fixed import named
from .loops import Loops
from .sequencer_signature import SequencerSignature

__all__ = ["LoopInstructions"]


class LoopInstructions(wiring.Component):
    """What the state ``decode`` of ``hw.sequencer.Sequencer`` does with the instructions that loop.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories, and which of the units there are.

    Attributes
    ----------
    * : see hw.sequencer_signature.SequencerSignature
    """

    _word: Signal
    _halt: Signal
    _loops: Loops
    _fetch: Fetch
    _was_idle: Signal
    _empty: Value
    """Which LOOP registers hold no round, a cycle later than they: they stand still while a program runs."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__(SequencerSignature(machine))

    def _advance(self, m: Module) -> None:
        """Go on to the next instruction."""
        raise NotImplementedError

    def _go(self, m: Module, to: Value) -> None:
        """Go on to another one."""
        raise NotImplementedError

    def _exit(self, m: Module) -> None:
        """Drain, ask, and go on behind the innermost loop when told to leave."""
        fields = FIELDS[Op.EXIT]
        m.d.comb += [self.arm.eq(field(self._word, fields["arm"])), self.draining.eq(~self._was_idle)]
        with m.If(self._was_idle):
            m.d.comb += self.exit.eq(1)
            with m.If(~self.leave):
                self._advance(m)
            with m.Elif(self._loops.depth == 0):
                m.d.comb += self._halt.eq(Cause.LOOP)
            with m.Else():
                m.d.comb += [self.left.eq(1), self._loops.leave.eq(1)]
                self._go(m, field(self._word, fields["end"]))

    def _count(self, m: Module) -> None:
        """The loop that a LOOP enters, whatever the instruction is."""
        loop = FIELDS[Op.LOOP]
        register, count = field(self._word, loop["register"]), field(self._word, loop["count"])
        m.d.comb += [self._loops.count.eq(Mux(register == 0, count, self.loops[(register - 1)[:2]])),
                     self._loops.start.eq(self.pc + 1)]

    def _enter(self, m: Module) -> None:
        loop = FIELDS[Op.LOOP]
        register, count = field(self._word, loop["register"]), field(self._word, loop["count"])
        empty = named(m, Mux(register == 0, count == 0, self._empty.bit_select((register - 1)[:2], 1)), "no_round")
        with m.If((self._loops.depth == LOOP_DEPTH) | (register > LOOP_REGISTERS)):
            m.d.comb += self._halt.eq(Cause.LOOP)
        with m.Elif(empty):
            self._go(m, field(self._word, loop["end"]))
        with m.Else():
            self._advance(m)
            m.d.comb += self._loops.enter.eq(1)

    def _repeat(self, m: Module) -> None:
        loops = self._loops
        with m.If(loops.depth == 0):
            m.d.comb += self._halt.eq(Cause.LOOP)
        with m.Elif(loops.last):
            self._advance(m)
            m.d.comb += loops.leave.eq(1)
        with m.Else():
            self._go(m, loops.loop.start)
            m.d.comb += loops.again.eq(1)

    def _break(self, m: Module) -> None:
        fields, loops = FIELDS[Op.BREAK], self._loops
        always = named(m, field(self._word, fields["always"]), "always")
        with m.If(loops.depth == 0):
            m.d.comb += self._halt.eq(Cause.LOOP)
        with m.Elif(loops.last | always):
            self._go(m, field(self._word, fields["end"]))
            m.d.comb += loops.leave.eq(1)
        with m.Else():
            self._advance(m)
            m.d.comb += loops.again.eq(field(self._word, fields["counts"]))
