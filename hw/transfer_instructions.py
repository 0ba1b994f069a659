"""IN and OUT, a part of the sequencer."""

from collections.abc import Iterable

from amaranth.hdl import Const, Module, Mux, Signal, Value

from hebbar.contract.beside import BESIDE, PASSING
from hebbar.contract.isa import FIELDS, Op
from hebbar.contract.registers import Cause

from .fields import field
from .fixed import named
from .loop_instructions import LoopInstructions

__all__ = ["TransferInstructions"]


class TransferInstructions(LoopInstructions):
    """What the states ``decode`` and ``stream`` of ``hw.sequencer.Sequencer`` do with IN and OUT.

    Both drain, begin the transfer, and ``stream`` waits for its end. An IN of BESIDE behind a WAIT with a gap begins
    when a sweep would, and the next instruction is decoded a cycle later; ``decode`` then waits for the end of the
    transfer with what does not pass it.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories, and which of the units there are.

    Attributes
    ----------
    * : see hw.sequencer_signature.SequencerSignature
    """

    _op: Signal
    _gaps: Value
    _takes: Value
    _failed: Value
    _stopping: Signal

    def _follow(self, m: Module) -> None:
        """What waits for an IN, and what stays in ``decode`` for that or for whoever holds the program."""
        self._gapped, self._streams = Signal(name="gapped", reset_less=True), Signal(name="streams", reset_less=True)
        asks = field(self._word, FIELDS[Op.WAIT]["input"])
        passes = _one_of(PASSING | {Op.SWEEP}, self._op) | ((self._op == Op.WAIT) & self._gaps & ~asks)
        self._waits = named(m, self._streams & ~passes, "waits_for_input")
        self._stays = named(m, self.hold | self._waits, "stays")
        self._may = named(m, self._gapped & (self._op == Op.IN)
                          & _one_of(BESIDE, field(self._word, FIELDS[Op.IN]["memory"])), "goes_on_beside")
        self._begins = named(m, Mux(self._may, self._takes, self._was_idle), "begins")
        m.d.comb += self.beside.eq(self.transfer & self._may)
        m.d.sync += [
            self._gapped.eq(Mux(self._fetch.advance, (self._op == Op.WAIT) & self._gaps,
                                self._gapped & ~self._fetch.jump)),
            self._streams.eq((self._streams | self.beside) & ~(self.transfer_done | self._failed | self.start))]

    def _move(self, m: Module) -> None:
        m.d.comb += [self.draining.eq(~self._begins), self.transfer.eq(self._begins)]
        with m.If(self.beside):
            self._advance(m)
        with m.Elif(self._begins):
            m.next = "stream"

    def _stream(self, m: Module) -> None:
        with m.If(self.transfer_done):
            self._advance(m)
        with m.Elif(self._stopping):
            m.d.comb += self._halt.eq(Cause.STOPPED)


def _one_of(numbers: Iterable[int], value: Value) -> Value:
    """Whether a value is one of these numbers, by a table."""
    return Const(sum(1 << number for number in numbers), 1 << len(value)).bit_select(value, 1)
