"""The sequencer: fetches instructions, hands out sweeps and transfers, loops, halts."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from hebbar.contract.isa import FIELDS, WEIGHT_FLAGS, Into, Op
from hebbar.contract.registers import Cause
from hebbar.contract.timing import DESCRIPTOR_LATENCY, IDLE_LATENCY

from .descriptor import Descriptor
from .fetch import Fetch
from .fields import descriptor, field, illegal
from .fixed import named, pipe
from .loops import Loops
from .pipeline import check_latency
from .transfer_instructions import TransferInstructions
from .watchdog import Watchdog

__all__ = ["Sequencer"]

LOOKS = ("read", "measure", "compare")
"""The states that wait for the descriptor."""
check_latency("DESCRIPTOR_LATENCY", DESCRIPTOR_LATENCY, len(LOOKS))
check_latency("IDLE_LATENCY", IDLE_LATENCY, 1)  # one register, was_idle


class Sequencer(TransferInstructions):
    """One instruction a cycle; a SWEEP takes more and waits while the tile is busy (``hebbar.contract.timing``).

    ``decode`` holds the instruction at ``pc`` in a register, the program memory shows the one behind it; where the
    program does not go on there, ``fetch`` waits for the other. ``decode`` waits while ``hold``; WAIT without a gap,
    IN, OUT, SEPARATE and EXIT stay there until ``was_idle``, but for an IN behind a WAIT with a gap, beside which the
    program goes on (``hw.transfer_instructions``). The descriptor of a SWEEP or SEPARATE is read in ``decode``,
    kept in ``read``, measured in ``measure`` and compared in ``compare``. ``issue`` offers the sweep once ``held`` is
    0, which counts the gap of a WAIT before it while the tile could take a sweep, ``population`` starts the separation
    unit on the rows and ``separate`` waits for it. ``stream`` waits for a transfer. HALT, STOP and faults set the cause
    and ``drain`` before halting. STOP, also of a halted machine, and faults set ``aborted``, which CLEAR resets, with
    the cause, in a halted machine. START begins at ``entry`` unless ``aborted``. A HALT that finds ``leftover`` input
    or an open packet on either stream is a fault of cause STREAM. SEPARATE and EXIT are illegal without their unit. A
    destination that does not exist is cause ILLEGAL_SWEEP, a population larger than the unit takes ILLEGAL_BLOCK,
    leaving no loop LOOP.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories, and which of the units there are.

    Attributes
    ----------
    * : see hw.sequencer_signature.SequencerSignature
    """

    def elaborate(self, platform):
        m = Module()
        m.submodules.fetch = self._fetch = Fetch(self.machine)
        self._word, self._op = self._fetch.instruction, Signal(4)
        self._halt, self._stopping = Signal(4, name="_halt"), Signal(name="_stopping")
        gap = FIELDS[Op.WAIT]["gap"]
        self._gap, self._held = Signal(gap.width, name="gap"), Signal(gap.width, name="held")
        self._flags = Signal(FIELDS[Op.SWEEP]["flags"].width, name="sweep_flags")
        m.submodules.loops, m.submodules.descriptor = self._loops, self._descriptor = Loops(), Descriptor(self.machine)
        m.submodules.watchdog = self._watchdog = Watchdog()
        self._empty = pipe(m, Cat(rounds == 0 for rounds in self.loops), 1, "empty")[1]
        self._wire(m)
        # STOP lasts a cycle and is kept, because what was begun is finished first.
        m.d.sync += self._stopping.eq((self._stopping | self.stop) & self.running)
        with m.FSM() as fsm:
            with m.State("halted"):
                self._halted(m)
            with self._state(m, "fetch"), m.If(self._fetch.arrives):
                m.next = "decode"
            with self._state(m, "decode"):
                with m.If(self._stopping):
                    m.d.comb += self._halt.eq(Cause.STOPPED)
                with m.Elif(self._fetch.outside):
                    m.d.comb += self._halt.eq(Cause.ADDRESS)
                with m.Elif(~self._stays):
                    self._decode(m)
            self._look(m)
            self._issue(m)
            if self.machine.separation:
                self._separate(m)
            with self._state(m, "stream"):
                self._stream(m)
            with m.State("drain"):
                m.d.comb += self.draining.eq(1)
                with m.If(self._was_idle):
                    with m.If(self.cause == Cause.DONE):
                        self._finish(m)
                    m.next = "halted"
            m.d.comb += [self.running.eq(~fsm.ongoing("halted")),
                         self.streaming.eq(fsm.ongoing("stream") | (fsm.ongoing("decode") & self._waits))]
        with m.If(self.stop | self._failed | (self._halt > Cause.DONE)):
            m.d.sync += self.aborted.eq(1)
        return m

    def _wire(self, m: Module) -> None:
        """What is so in every state, with no choice before it."""
        sweep, payload = FIELDS[Op.SWEEP], self.sweep.payload
        with m.If(self._op == Op.SWEEP):
            m.d.comb += self._flags.eq(field(self._word, sweep["flags"]))
        self._holds, self._gaps = named(m, self._held != 0, "holds"), named(m, self._gap != 0, "gaps")
        # Idle comes late in a cycle, from every unit. What is begun in this cycle will be in flight in the next one.
        self._was_idle = Signal(name="was_idle")
        m.d.sync += self._was_idle.eq(self.idle & ~(self.sweep.valid | self.separate | self.start))
        self._failed = named(m, self.transfer_fault != 0, "failed")
        self._goes = named(m, self._was_idle | self._gaps, "goes")
        self._takes = named(m, self.sweep.ready & ~self._holds, "takes")
        self._follow(m)
        with m.If(self.sweep.ready & self._holds):
            m.d.sync += self._held.eq(self._held - 1)
        with m.If(self._fetch.advance & (self._op == Op.WAIT)):
            m.d.sync += self._held.eq(self._gap)
        with m.If(self.start):
            m.d.sync += self._held.eq(0)
        # Without flags the block of a SEPARATE is checked as that of a sweep without weights.
        m.d.comb += [
            self._op.eq(self._word[28:]), self.program_address.eq(self._fetch.program_address),
            self._gap.eq(field(self._word, FIELDS[Op.WAIT]["gap"])),
            self._fetch.word.eq(self.word), self.pc.eq(self._fetch.pc),
            self.block_address.eq(field(self._word, sweep["block"])), self.transfer_word.eq(self._word),
            self.transfer_out.eq(self._op == Op.OUT), self._descriptor.block.eq(self.block),
            self._descriptor.weights.eq((self._flags & WEIGHT_FLAGS).any()),
            payload.flags.eq(self._flags), payload.gain.eq(field(self._word, sweep["gain"])),
            *(getattr(payload, name).eq(value) for name, value in descriptor(self._descriptor.kept).items()),
            self._watchdog.limit.eq(self.watchdog), self.fault.eq(self.cause >= Cause.ILLEGAL_OP),
            self._watchdog.quiet.eq(self.running & ~(self._fetch.advance | self._fetch.jump | self.progress))]
        self._count(m)
        if self.machine.separation:
            for name in ("mode", "into"):
                m.d.comb += getattr(self.population, name).eq(field(self._word, FIELDS[Op.SEPARATE][name]))
            m.d.comb += [self.population.rows.eq(self._descriptor.rows), self.population.group.eq(payload.group_base)]

    def _halted(self, m: Module) -> None:
        with m.If(self.clear):
            m.d.sync += [self.cause.eq(Cause.NONE), self.aborted.eq(0)]
        with m.If(self._failed):
            m.d.sync += self.cause.eq(self.transfer_fault)
        with m.Elif(self.start & ~self.aborted):
            self._go(m, Mux(self.entry[len(self.pc):].any(), ~0, self.entry))  # never back to 0
            m.d.comb += self._loops.clear.eq(1)
            m.d.sync += self.cause.eq(Cause.NONE)

    @contextmanager
    def _state(self, m: Module, name: str) -> Iterator[None]:
        """A state that is left for drain when anything in it, the streamer or the watchdog asks to."""
        with m.State(name):
            yield
            # Of several assignments the last counts: this overrules where the state itself would go.
            with m.If(self._watchdog.expired):
                m.d.comb += self._halt.eq(Cause.WATCHDOG)
            with m.If(self._failed):
                m.d.comb += self._halt.eq(self.transfer_fault)
            with m.If(self._watchdog.expired | self._failed):  # a state's own faults do not go on
                m.d.comb += self._fetch.stay.eq(1)
            with m.If(self._halt != Cause.NONE):
                m.d.sync += self.cause.eq(self._halt)
                m.next = "drain"

    def _advance(self, m: Module) -> None:
        """Go on to the next instruction, which is there."""
        m.d.comb += self._fetch.advance.eq(1)
        m.next = "decode"

    def _go(self, m: Module, to: Value) -> None:
        """Go on to another one, which has to be fetched."""
        m.d.comb += [self._fetch.jump.eq(1), self._fetch.target.eq(to)]
        m.next = "fetch"

    def _finish(self, m: Module) -> None:
        """The end of a HALT. What is left over on a stream would be taken for a header next."""
        with m.If(self.leftover & ~self.aborted):
            m.d.sync += [self.cause.eq(Cause.STREAM), self.aborted.eq(1)]
        with m.Else():
            m.d.sync += [self.barrier.eq(~self.barrier), self.barrier_pc.eq(self.pc)]

    def _decode(self, m: Module) -> None:
        with m.Switch(self._op):
            with m.Case(Op.HALT):
                m.d.comb += self._halt.eq(Cause.DONE)
            with m.Case(Op.SWEEP):
                with m.If(illegal(field(self._word, FIELDS[Op.SWEEP]["flags"]), self.machine)):
                    m.d.comb += self._halt.eq(Cause.ILLEGAL_SWEEP)
                with m.Else():
                    self._look_up(m)
            with m.Case(Op.IN, Op.OUT):
                self._move(m)
            with m.Case(Op.LOOP):
                self._enter(m)
            with m.Case(Op.NEXT):
                self._repeat(m)
            with m.Case(Op.BREAK):
                self._break(m)
            with m.Case(Op.WAIT):
                m.d.comb += self.draining.eq(~self._goes)
                with m.If(self._goes):
                    self._advance(m)
                    m.d.sync += [self.barrier.eq(self.barrier ^ ~self._gaps), self.barrier_pc.eq(self.pc)]
            if self.machine.separation:
                with m.Case(Op.SEPARATE):
                    self._gather(m)
            if self.machine.energy:
                with m.Case(Op.EXIT):
                    self._exit(m)
            with m.Default():
                m.d.comb += self._halt.eq(Cause.ILLEGAL_OP)

    def _look_up(self, m: Module) -> None:
        """Leave for ``read`` when there is such a block."""
        with m.If(self.block_address >= self.machine.blocks):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
        with m.Else():
            m.next = "read"

    def _gather(self, m: Module) -> None:
        """Drain, then look up the rows."""
        with m.If(field(self._word, FIELDS[Op.SEPARATE]["into"]) >= len(Into)):
            m.d.comb += self._halt.eq(Cause.ILLEGAL_SWEEP)
        with m.Else():
            m.d.comb += self.draining.eq(~self._was_idle)
            with m.If(self._was_idle):
                self._look_up(m)

    def _issue(self, m: Module) -> None:
        with self._state(m, "issue"):
            m.d.comb += self.draining.eq(self._holds)
            with m.If(~self._descriptor.fits):
                m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
            with m.Else():
                m.d.comb += self.sweep.valid.eq(~self._holds)
                with m.If(self._takes):
                    self._advance(m)

    def _look(self, m: Module) -> None:
        for state, after in pairwise((*LOOKS, "issue")):
            with self._state(m, state):
                m.next = after
                if self.machine.separation and after == "issue":
                    with m.If(self._op == Op.SEPARATE):
                        m.next = "population"

    def _separate(self, m: Module) -> None:
        with self._state(m, "population"):
            with m.If(~self._descriptor.fits | (self._descriptor.rows == 0)):
                m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)
            with m.Else():
                m.d.comb += self.separate.eq(1)
                m.next = "separate"
        with self._state(m, "separate"):
            m.d.comb += self.separating.eq(1)
            with m.If(self.separated):
                self._advance(m)
