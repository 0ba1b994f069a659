"""The sequencer: fetches instructions, hands out sweeps and transfers, loops, halts."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hebbar.contract.isa import FIELDS, LOOP_DEPTH, LOOP_REGISTERS, WEIGHT_FLAGS, Into, Op
from hebbar.contract.machine import MachineConfig
from hebbar.contract.registers import Cause

from .fields import descriptor, field, fits, illegal
from .sequencer_signature import SequencerSignature

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """One instruction a cycle; a SWEEP takes two and waits while the tile is busy.

    ``decode`` holds the instruction at ``pc`` and waits while ``hold``; WAIT, IN, OUT, SEPARATE and EXIT stay there
    until ``idle``. ``issue`` offers the sweep whose descriptor was read in decode, ``population`` starts the separation
    unit on the rows of one and ``separate`` waits for it. ``stream`` waits for a transfer. HALT, STOP and faults set
    the cause and ``drain`` before halting. STOP, also of a halted machine, and faults set ``aborted``, which CLEAR
    resets, with the cause, in a halted machine. START begins at ``entry`` unless ``aborted``. A HALT that finds
    ``leftover`` input or an open packet on either stream is a fault of cause STREAM. SEPARATE and EXIT are illegal
    without their unit. A destination that does not exist is cause ILLEGAL_SWEEP, a population larger than the unit
    takes ILLEGAL_BLOCK, leaving no loop LOOP.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories, and which of the units there are.

    Attributes
    ----------
    * : see hw.sequencer_signature.SequencerSignature
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__(SequencerSignature(machine))

    def elaborate(self, platform):
        m = Module()
        self._next_pc, self._halt = Signal(13, name="_next_pc"), Signal(4, name="_halt")
        self._retire, self._stopping, self._expired = (Signal(name=n) for n in ("_retire", "_stopping", "_expired"))
        self._flags, self._gain = (Signal(FIELDS[Op.SWEEP][n].width, name=f"sweep_{n}") for n in ("flags", "gain"))
        self._mode, self._into = (Signal(FIELDS[Op.SEPARATE][n].width, name=n) for n in ("mode", "into"))
        self._block = Signal(FIELDS[Op.SWEEP]["block"].width)
        self._b, self._fits = descriptor(self.block), Signal(name="_fits")
        self._depth = Signal(range(LOOP_DEPTH + 1))
        self._starts = Array(Signal(13, name=f"start_{i}") for i in range(LOOP_DEPTH))
        self._left = Array(Signal(32, name=f"left_{i}") for i in range(LOOP_DEPTH))
        # The program memory answers a cycle late: it is asked for the next instruction while this one retires. STOP
        # lasts a cycle and is kept, because issue, population and separate first finish what they began.
        m.d.comb += [self._next_pc.eq(self.pc), self.program_address.eq(self._next_pc),
                     self.fault.eq(self.cause >= Cause.ILLEGAL_OP),
                     self._fits.eq(fits(self._b, (self._flags & WEIGHT_FLAGS).any(), self.machine))]
        m.d.sync += [self.pc.eq(self._next_pc), self._stopping.eq((self._stopping | self.stop) & self.running)]
        with m.FSM() as fsm:
            with m.State("halted"):
                self._halted(m)
            with m.State("decode"):
                with m.If(self._stopping):
                    m.d.comb += self._halt.eq(Cause.STOPPED)
                with m.Elif(self.pc >= self.machine.program_words):
                    m.d.comb += self._halt.eq(Cause.ADDRESS)
                with m.Elif(~self.hold):
                    self._decode(m)
                self._guard(m)
            with m.State("issue"):
                self._issue(m)
                self._guard(m)
            if self.machine.separation:
                with m.State("population"):
                    self._population(m)
                    self._guard(m)
                with m.State("separate"):
                    m.d.comb += self.separating.eq(1)
                    with m.If(self.separated):
                        self._advance(m, self.pc + 1)
                        m.next = "decode"
                    self._guard(m)
            with m.State("stream"):
                m.d.comb += self.streaming.eq(1)
                with m.If(self.transfer_done):
                    self._advance(m, self.pc + 1)
                    m.next = "decode"
                with m.Elif(self._stopping):
                    m.d.comb += self._halt.eq(Cause.STOPPED)
                self._guard(m)
            with m.State("drain"):
                m.d.comb += self.draining.eq(1)
                with m.If(self.idle):
                    with m.If(self.cause == Cause.DONE):
                        self._finish(m)
                    m.next = "halted"
            m.d.comb += self.running.eq(~fsm.ongoing("halted"))
        with m.If(self.stop | (self.transfer_fault != 0) | (self._halt > Cause.DONE)):
            m.d.sync += self.aborted.eq(1)
        self._watch(m)
        return m

    def _halted(self, m: Module) -> None:
        with m.If(self.clear):
            m.d.sync += [self.cause.eq(Cause.NONE), self.aborted.eq(0)]
        with m.If(self.transfer_fault != 0):
            m.d.sync += self.cause.eq(self.transfer_fault)
        with m.Elif(self.start & ~self.aborted):
            m.d.comb += self._next_pc.eq(Mux(self.entry[len(self.pc):].any(), ~0, self.entry))  # never back to 0
            m.d.sync += [self.cause.eq(Cause.NONE), self._depth.eq(0)]
            m.next = "decode"

    def _guard(self, m: Module) -> None:
        """Leave for drain when anything in this state, the streamer or the watchdog asks to."""
        # Of several assignments the last counts: this overrules where the state itself would go.
        with m.If(self._expired):
            m.d.comb += self._halt.eq(Cause.WATCHDOG)
        with m.If(self.transfer_fault != 0):
            m.d.comb += self._halt.eq(self.transfer_fault)
        with m.If(self._halt != Cause.NONE):
            m.d.comb += self._next_pc.eq(self.pc)
            m.d.sync += self.cause.eq(self._halt)
            m.next = "drain"

    def _advance(self, m: Module, to: Value) -> None:
        m.d.comb += [self._next_pc.eq(to), self._retire.eq(1)]

    def _finish(self, m: Module) -> None:
        """The end of a HALT. What is left over on a stream would be taken for a header next."""
        with m.If(self.leftover & ~self.aborted):
            m.d.sync += [self.cause.eq(Cause.STREAM), self.aborted.eq(1)]
        with m.Else():
            m.d.sync += [self.barrier.eq(~self.barrier), self.barrier_pc.eq(self.pc)]

    def _decode(self, m: Module) -> None:
        word, sweep = self.word, FIELDS[Op.SWEEP]
        block = field(word, sweep["block"])
        m.d.comb += [self.block_address.eq(block), self.transfer_word.eq(word)]
        # Without flags the block of a SEPARATE is checked as that of a sweep without weights.
        m.d.sync += [self._block.eq(block), self._flags.eq(0)]
        with m.Switch(word[28:]):
            with m.Case(Op.HALT):
                m.d.comb += self._halt.eq(Cause.DONE)
            with m.Case(Op.SWEEP):
                m.d.sync += [self._flags.eq(field(word, sweep["flags"])), self._gain.eq(field(word, sweep["gain"]))]
                with m.If(illegal(field(word, sweep["flags"]))):
                    m.d.comb += self._halt.eq(Cause.ILLEGAL_SWEEP)
                with m.Elif(block >= self.machine.blocks):
                    m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
                with m.Else():
                    m.next = "issue"
            with m.Case(Op.IN, Op.OUT):
                m.d.comb += [self.transfer_out.eq(word[28:] == Op.OUT), self.draining.eq(~self.idle),
                             self.transfer.eq(self.idle)]
                with m.If(self.idle):
                    m.next = "stream"
            with m.Case(Op.LOOP):
                self._enter(m, word)
            with m.Case(Op.NEXT):
                self._repeat(m)
            with m.Case(Op.WAIT):
                m.d.comb += self.draining.eq(~self.idle)
                with m.If(self.idle):
                    self._advance(m, self.pc + 1)
                    m.d.sync += [self.barrier.eq(~self.barrier), self.barrier_pc.eq(self.pc)]
            if self.machine.separation:
                with m.Case(Op.SEPARATE):
                    self._gather(m, word, block)
            if self.machine.energy:
                with m.Case(Op.EXIT):
                    self._exit(m, word)
            with m.Default():
                m.d.comb += self._halt.eq(Cause.ILLEGAL_OP)

    def _gather(self, m: Module, word: Value, block: Value) -> None:
        """Drain, then leave for ``population``."""
        mode, into = (field(word, FIELDS[Op.SEPARATE][name]) for name in ("mode", "into"))
        m.d.sync += [self._mode.eq(mode), self._into.eq(into)]
        with m.If(into >= len(Into)):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_SWEEP)
        with m.Elif(block >= self.machine.blocks):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
        with m.Else():
            m.d.comb += self.draining.eq(~self.idle)
            with m.If(self.idle):
                m.next = "population"

    def _exit(self, m: Module, word: Value) -> None:
        """Drain, ask, and go on behind the innermost loop when told to leave."""
        fields = FIELDS[Op.EXIT]
        m.d.comb += [self.arm.eq(field(word, fields["arm"])), self.draining.eq(~self.idle)]
        with m.If(self.idle):
            m.d.comb += self.exit.eq(1)
            with m.If(~self.leave):
                self._advance(m, self.pc + 1)
            with m.Elif(self._depth == 0):
                m.d.comb += self._halt.eq(Cause.LOOP)
            with m.Else():
                m.d.comb += self.left.eq(1)
                self._advance(m, field(word, fields["end"]))
                m.d.sync += self._depth.eq(self._depth - 1)

    def _enter(self, m: Module, word: Value) -> None:
        loop = FIELDS[Op.LOOP]
        register, count = field(word, loop["register"]), Signal(32, name="count")
        m.d.comb += count.eq(Mux(register == 0, field(word, loop["count"]), self.loops[(register - 1)[:2]]))
        with m.If((self._depth == LOOP_DEPTH) | (register > LOOP_REGISTERS)):
            m.d.comb += self._halt.eq(Cause.LOOP)
        with m.Elif(count == 0):
            self._advance(m, field(word, loop["end"]))
        with m.Else():
            self._advance(m, self.pc + 1)
            m.d.sync += [self._starts[self._depth].eq(self.pc + 1), self._left[self._depth].eq(count),
                         self._depth.eq(self._depth + 1)]

    def _repeat(self, m: Module) -> None:
        top = (self._depth - 1)[:len(self._depth)]
        with m.If(self._depth == 0):
            m.d.comb += self._halt.eq(Cause.LOOP)
        with m.Elif(self._left[top] == 1):
            self._advance(m, self.pc + 1)
            m.d.sync += self._depth.eq(top)
        with m.Else():
            self._advance(m, self._starts[top])
            m.d.sync += self._left[top].eq(self._left[top] - 1)

    def _issue(self, m: Module) -> None:
        payload = self.sweep.payload
        # The address stays, so that the descriptor does for as long as the tile keeps the sweep waiting.
        m.d.comb += [payload.flags.eq(self._flags), payload.gain.eq(self._gain), self.block_address.eq(self._block),
                     *(getattr(payload, name).eq(value) for name, value in self._b.items())]
        with m.If(~self._fits):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
        with m.Else():
            m.d.comb += self.sweep.valid.eq(1)
            with m.If(self.sweep.ready):
                self._advance(m, self.pc + 1)
                m.next = "decode"

    def _population(self, m: Module) -> None:
        payload, rows = self.population, (self._b["groups"] - 1) * self.machine.row_tiles + self._b["last_rows"]
        m.d.comb += [payload.mode.eq(self._mode), payload.into.eq(self._into), payload.rows.eq(rows),
                     payload.group.eq(self._b["group_base"])]
        with m.If(~self._fits | (rows > self.machine.separation)):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
        with m.Else():
            m.d.comb += self.separate.eq(1)
            m.next = "separate"

    def _watch(self, m: Module) -> None:
        """Count cycles without progress."""
        quiet = self._quiet = Signal(32)
        m.d.comb += self._expired.eq((self.watchdog != 0) & (quiet >= self.watchdog))
        m.d.sync += quiet.eq(Mux(self._retire | self.progress | ~self.running, 0, quiet + 1))
