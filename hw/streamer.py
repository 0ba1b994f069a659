"""The streamer: moves beats between the AXI4-Stream ports and every memory of the machine."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.geometry import ports
from hebbar.contract.isa import FIELDS, Op
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import HEADER, Mem
from hebbar.contract.registers import Cause
from hebbar.contract.timing import RANGE_LATENCY

from .bank import HostPort
from .fields import field
from .fixed import named
from .pipeline import check_latency
from .range_check import RangeCheck

__all__ = ["Streamer", "AXI_STREAM"]

CHECKS = ("size", "range", "answer")
check_latency("RANGE_LATENCY", RANGE_LATENCY, len(CHECKS))
STREAM = {"tdata": 32, "tvalid": 1, "tlast": 1}
AXI_STREAM = {
    **{f"s_axis_{n}": In(w) for n, w in STREAM.items()}, "s_axis_tready": Out(1),
    **{f"m_axis_{n}": Out(w) for n, w in STREAM.items()}, "m_axis_tready": In(1)}


class Streamer(wiring.Component):
    """Halted: takes packets (``hebbar.contract.memories``). Running: moves what IN and OUT ask for. Aborted: discards.

    Latency: RANGE_LATENCY of ``hebbar.contract.timing`` before the first beat, in which the range is checked.
    Throughput: one beat a cycle in, one every two cycles out. What an IN has left over in its last beat is not
    written. A wrong TLAST, an unknown memory or a range outside the memory is a ``fault``, to which the sequencer
    answers with ``aborted`` in the next cycle.

    While ``aborted``, which STOP and every fault set, nothing is written and no packet begins: input is taken
    and discarded, and after CLEAR on to the end of the packet that is under way. A beat on offer stays as it is
    until it is taken; an output packet that was begun then ends with a closing beat, zero with TLAST.

    Parameters
    ----------
    machine : MachineConfig
        Sizes and packing of the memories.

    Attributes
    ----------
    s_axis_tdata : Signal(32), in
        A beat from the host.
    s_axis_tvalid, s_axis_tlast : Signal(1), in
        It is on offer; it is the last of its packet.
    s_axis_tready : Signal(1), out
        It is taken.
    m_axis_tdata : Signal(32), out
        A beat to the host.
    m_axis_tvalid, m_axis_tlast : Signal(1), out
        It is on offer; it is the last of its packet.
    m_axis_tready : Signal(1), in
        It is taken.
    running : Signal(1), in
        A program has the streams: no header is taken.
    aborted : Signal(1), in
        STOP or a fault: input is discarded, output is closed.
    transfer, transfer_out : Signal(1), in
        An IN or OUT begins; it is an OUT.
    transfer_word : Signal(32), in
        Its instruction.
    done : Signal(1), out
        The last beat of a transfer or packet moves in this cycle.
    fault : Signal(4), out
        Cause of a fault, for one cycle; 0 for none.
    host : HostPort(), out
        The access to the memory that ``memory`` names.
    memory : Signal(4), out
        Its number (``hebbar.contract.memories.Mem``).
    active : Signal(1), out
        A packet or transfer is under way, or what is left of one is discarded.
    free : Signal(1), out
        A program may start: nothing is under way, and no header is taken in this cycle.
    leftover : Signal(1), out
        A beat is on offer or a packet is under way in either direction.
    moving, stall_in, stall_out : Signal(1), out
        For the counters: a transfer gets on in this cycle, waits for input, waits for the output to be taken.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__({
            **AXI_STREAM, "running": In(1), "aborted": In(1), "transfer": In(1), "transfer_out": In(1),
            "transfer_word": In(32), "done": Out(1), "fault": Out(4),
            "host": Out(HostPort()), "memory": Out(4), "active": Out(1), "free": Out(1), "leftover": Out(1),
            "moving": Out(1), "stall_in": Out(1), "stall_out": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.check = self._check = RangeCheck(self.machine)
        self._place = Signal(len(self._check.word))
        self._sub = Signal(len(self._check.last))
        self._left = Signal(24)
        self._spare = Signal(ports(self.machine)[Mem.ACTIVITY].lanes_per_beat.bit_length() - 1)
        self._far, self._final, self._last, self._read = (Signal(name=n) for n in ("far", "final", "last", "read"))
        self._packets(m)
        with m.FSM() as fsm:
            self._fsm = fsm
            for state in ("ready", "address", "write", "send", "discard"):
                with m.State(state):
                    getattr(self, f"_{state}")(m)
            self._range(m)
            with m.State("fetch"):  # a memory answers a cycle late, so a beat out takes two
                m.d.comb += [self.moving.eq(1), self.host.read.eq(~self.aborted)]
                with m.If(self.aborted):
                    m.next = "discard"
                with m.Elif(self.host.ready):
                    m.next = "send"
            for state in ("withdraw", "close"):  # AXI4-Stream: what was offered must stay until it is taken
                with m.State(state):
                    m.d.comb += self.m_axis_tvalid.eq(1)
                    with m.If(self.m_axis_tready):
                        m.next = "discard"
            closing, ready = fsm.ongoing("close"), fsm.ongoing("ready")
            m.d.comb += [self.active.eq(~ready), self.free.eq(ready & ~self._beat_in),
                         self.m_axis_tdata.eq(Mux(closing, 0, self.host.read_beat)),
                         self.m_axis_tlast.eq(closing | (self._last & self._final)),
                         self.host.select.eq(self.host.write | fsm.ongoing("fetch")
                                             | fsm.ongoing("send") | fsm.ongoing("withdraw"))]
        with m.If(self.aborted):
            m.d.comb += self.s_axis_tready.eq(1)
        return m

    def _packets(self, m: Module) -> None:
        """Follow where packets begin and end on both streams."""
        self._beat_in = Signal()
        self._in_open = Signal()
        self._out_open = Signal()
        check = self._check
        m.d.comb += [check.memory.eq(self.memory), check.word.eq(self._place), check.beats.eq(self._left),
                     self.host.address.eq(self._place), self.host.sub.eq(self._sub),
                     self.host.beat.eq(self.s_axis_tdata), self._beat_in.eq(self.s_axis_tvalid & self.s_axis_tready),
                     self.leftover.eq(self.s_axis_tvalid | self._in_open | self._out_open)]
        with m.If(self._beat_in):
            m.d.sync += self._in_open.eq(~self.s_axis_tlast)
        with m.If(self.m_axis_tvalid & self.m_axis_tready):
            m.d.sync += self._out_open.eq(~self.m_axis_tlast)

    def _begin(self, m: Module, memory: Value, word: Value, beats: Value, read: Value) -> None:
        """Take a memory, the word to begin at and the beats to move, and look at them."""
        word, bits = named(m, word, "word"), len(self._place)
        m.d.sync += [self.memory.eq(memory), self._place.eq(word), self._far.eq(word[bits:].any()), self._sub.eq(0),
                     self._left.eq(beats), self._read.eq(read)]
        m.next = CHECKS[0]

    def _range(self, m: Module) -> None:
        """Count the words, compare them with those that there are, go on by that; each takes a cycle."""
        for state, after in pairwise(CHECKS):
            with m.State(state):
                m.d.comb += self.moving.eq(1)
                m.d.sync += self._final.eq(self._left == 1)
                m.next = after
                with m.If(self.aborted):
                    m.next = "discard"
        with m.State(CHECKS[-1]):
            m.d.comb += self.moving.eq(1)
            with m.If(self.aborted):
                m.next = "discard"
            with m.Elif(self._far | self._check.outside):
                self._fail(m, Cause.RANGE)
            with m.Elif(self._read):
                m.next = "fetch"
            with m.Else():
                m.next = "write"

    def _fail(self, m: Module, cause: Cause) -> None:
        m.d.comb += self.fault.eq(cause)
        m.next = "discard"

    def _ready(self, m: Module) -> None:
        fields = {n: field(self.transfer_word, f) for n, f in FIELDS[Op.IN].items()}
        m.d.comb += self.s_axis_tready.eq(~self.running)
        with m.If(self.aborted):
            m.next = "discard"
        with m.Elif(self.transfer):
            memory, count = fields["memory"], fields["count"]
            groups = (self.machine.lanes // self.machine.pass_rows - 1).bit_length()
            packed, per = memory == Mem.ACTIVITY, 1 << len(self._spare)
            m.d.sync += [self._last.eq(fields["last"]), self._spare.eq(Mux(packed, -count, 0))]
            with m.If(memory > Mem.CLAMP):
                self._fail(m, Cause.RANGE)
            with m.Else():
                self._begin(m, memory, Mux(packed, fields["address"], fields["address"] << groups),
                            Mux(packed, (count + per - 1) >> len(self._spare), count), self.transfer_out)
        with m.Elif(self._beat_in):
            m.d.sync += [self.memory.eq(field(self.s_axis_tdata, HEADER["memory"])),
                         self._left.eq(field(self.s_axis_tdata, HEADER["beats"])),
                         self._read.eq(field(self.s_axis_tdata, HEADER["read"])),
                         self._last.eq(1), self._spare.eq(0)]
            with m.If(self.s_axis_tlast):
                self._fail(m, Cause.STREAM)
            with m.Else():
                m.next = "address"

    def _address(self, m: Module) -> None:
        m.d.comb += self.s_axis_tready.eq(1)
        with m.If(self.aborted):
            m.next = "discard"
        with m.Elif(self.s_axis_tvalid):
            with m.If(self.s_axis_tlast != self._read):  # a packet that reads ends with its address
                self._fail(m, Cause.STREAM)
            with m.Else():
                self._begin(m, self.memory, self.s_axis_tdata, self._left, self._read)

    def _write(self, m: Module) -> None:
        final = self._final
        most = 1 << (1 << len(self._spare))  # a beat's elements, as a mask and one
        m.d.comb += self.host.padding.eq(Mux(final, most * (most - 1) >> self._spare, 0))
        m.d.comb += [self.s_axis_tready.eq(self.host.ready), self.stall_in.eq(~self.s_axis_tvalid),
                     self.moving.eq(self.s_axis_tvalid), self.host.write.eq(self.s_axis_tvalid & ~self.aborted)]
        with m.If(self.aborted):
            m.next = "discard"
        with m.Elif(self._beat_in):
            self._step(m)
            with m.If(self.s_axis_tlast != (final & self._last)):
                self._fail(m, Cause.STREAM)
            with m.Elif(final):
                m.d.comb += self.done.eq(1)
                m.next = "ready"

    def _send(self, m: Module) -> None:
        m.d.comb += [self.m_axis_tvalid.eq(1), self.stall_out.eq(~self.m_axis_tready),
                     self.moving.eq(self.m_axis_tready)]
        with m.If(self.aborted):
            with m.If(self.m_axis_tready):
                m.next = "discard"
            with m.Else():
                m.next = "withdraw"
        with m.Elif(self.m_axis_tready):
            self._step(m)
            m.next = "fetch"
            with m.If(self._final):
                m.d.comb += self.done.eq(1)
                m.next = "ready"

    def _discard(self, m: Module) -> None:
        """Take beats until CLEAR and the end of the packet; what was begun on the output is closed first."""
        m.d.comb += self.s_axis_tready.eq(self._in_open)
        ended = ~self._in_open | (self._beat_in & self.s_axis_tlast)
        with m.If(self._out_open):
            m.next = "close"
        with m.Elif(ended & ~self.aborted):
            m.next = "ready"

    def _step(self, m: Module) -> None:
        """Go to the next beat of the memory."""
        m.d.sync += [self._left.eq(self._left - 1), self._final.eq(self._left == 2)]
        with m.If(self._sub == self._check.last):
            m.d.sync += [self._sub.eq(0), self._place.eq(self._place + 1)]
        with m.Else():
            m.d.sync += self._sub.eq(self._sub + 1)
