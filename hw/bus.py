"""The AXI4-Lite port of the machine, generated from the register table."""

from enum import IntEnum

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.counters import COUNTERS
from hebbar.contract.registers import (
    ADDRESS_BITS,
    COUNTER_BASE,
    LIVE,
    REGISTERS,
    Access,
    Control,
    Register,
    counter_address,
)

from .fixed import named

__all__ = ["AXI_LITE", "Bus", "Response"]

COUNTER_END = counter_address(len(COUNTERS))
"""The addresses from COUNTER_BASE up to here are the halves of counters."""

AXI_LITE = {f"s_axil_{name}": member for name, member in {
    "awaddr": In(ADDRESS_BITS), "awprot": In(3), "awvalid": In(1), "awready": Out(1),
    "wdata": In(32), "wstrb": In(4), "wvalid": In(1), "wready": Out(1),
    "bresp": Out(2), "bvalid": Out(1), "bready": In(1),
    "araddr": In(ADDRESS_BITS), "arprot": In(3), "arvalid": In(1), "arready": Out(1),
    "rdata": Out(32), "rresp": Out(2), "rvalid": Out(1), "rready": In(1)}.items()}


class Response(IntEnum):
    """What bresp and rresp say."""

    OKAY = 0
    SLVERR = 2


class Bus(wiring.Component):
    """AXI4-Lite slave in front of the registers of ``hebbar.contract.registers``.

    A write changes the byte lanes of ``wstrb``; a read returns the word. An address that is not in
    the table, is not a multiple of four or cannot be accessed that way answers SLVERR, changes
    nothing and reads as zero; so does a write to a register outside LIVE while ``locked``, and a write to
    control of more than one of START, STOP and CLEAR, of START unless ``startable``, of CLEAR while
    ``locked`` or of LATCH without counters: a command is carried out or refused. No lane enabled is a legal write of
    nothing.

    Address and data of a write come in any order; each direction takes the next request after the
    answer to the last one was taken, and but for START and LATCH neither direction waits for the other.

    Latency: ``bvalid`` and ``rvalid`` rise ``latency`` cycles after the (last) request handshake. A
    written register shows its new value, and ``control`` its pulse, in the cycle ``bvalid`` rises.
    A read returns, and ``locked`` and ``startable`` count, as it was one cycle before that; so a read that finishes
    together with a write sees the old value. Two things take longer: a counter is returned in the cycle after
    ``counter_ready``, and START and LATCH wait until ``counting`` is low and no read is on its way: they are answered
    at most ``COUNTERS_WAIT`` cycles later. Throughput: one access every ``interval``
    cycles in each direction.

    Parameters
    ----------
    counters : bool
        There are counters; without them their addresses are not in the table.

    Attributes
    ----------
    s_axil_awaddr, s_axil_araddr : Signal(ADDRESS_BITS), in
        Address of a write and of a read, in bytes.
    s_axil_awprot, s_axil_arprot : Signal(3), in
        Ignored.
    s_axil_awvalid, s_axil_wvalid, s_axil_arvalid : Signal(1), in
        An address, the data of a write, the address of a read is there.
    s_axil_awready, s_axil_wready, s_axil_arready : Signal(1), out
        It is taken.
    s_axil_wdata : Signal(32), in
        What is written.
    s_axil_wstrb : Signal(4), in
        Which of its bytes are.
    s_axil_bresp, s_axil_rresp : Signal(2), out
        The answer to a write and to a read, a Response.
    s_axil_bvalid, s_axil_rvalid : Signal(1), out
        It is there.
    s_axil_bready, s_axil_rready : Signal(1), in
        It is taken.
    s_axil_rdata : Signal(32), out
        What is read, 0 where nothing can be.
    locked : Signal(1), in
        The machine runs.
    startable : Signal(1), in
        A START one cycle later finds the machine ready.
    counting : Signal(1), in
        The counters carry out a LATCH or START. It and the four ports after it are there with ``counters`` alone.
    counter_read : Signal(1), out
        A latched counter is asked for.
    counter_index : Signal(range(len(COUNTERS))), out
        Its place in COUNTERS.
    counter : Signal(64), in
        That counter, in a cycle in which ``counter_ready``.
    counter_ready : Signal(1), in
        It is there.
    <read register> : Signal(register.bits), in
        What a READ register of ``hebbar.contract.registers``, that is no counter, shows.
    <read-write register> : Signal(register.bits), out
        What was written to it last.
    control : Signal(len(Control)), out
        The bits of Control, high for one cycle where a one was written to byte lane 0.
    """

    latency = 2
    interval = 3

    def __init__(self, counters: bool = True) -> None:
        self._counters = counters
        counting = {"counting": In(1), "counter_read": Out(1), "counter_index": Out(range(len(COUNTERS))),
                    "counter": In(64), "counter_ready": In(1)}
        super().__init__({
            **AXI_LITE, "locked": In(1), "startable": In(1), **(counting if counters else {}),
            **{name: self._member(register)
               for name, register in REGISTERS.items()
               if not COUNTER_BASE <= register.address < COUNTER_END}})

    @staticmethod
    def _member(register: Register) -> wiring.Member:
        match register.access:
            case Access.READ:
                return In(register.bits)
            case Access.READ_WRITE:
                return Out(register.bits, init=register.reset)
            case Access.COMMAND:
                return Out(register.bits)

    def elaborate(self, platform):
        m = Module()
        self._have_read = Signal()
        self._write_channels(m)
        self._read_channels(m)
        return m

    def _write_channels(self, m: Module) -> None:
        self._have_address = have_address = Signal()
        self._have_data = have_data = Signal()
        self._address = address = Signal(ADDRESS_BITS, reset_less=True)
        self._word = word = Signal(32, reset_less=True)
        self._strobe = strobe = Signal(4, reset_less=True)
        m.d.comb += [self.s_axil_awready.eq(~have_address & ~self.s_axil_bvalid),
                     self.s_axil_wready.eq(~have_data & ~self.s_axil_bvalid)]
        with m.If(self.s_axil_awvalid & self.s_axil_awready):
            m.d.sync += [have_address.eq(1), address.eq(self.s_axil_awaddr)]
        with m.If(self.s_axil_wvalid & self.s_axil_wready):
            m.d.sync += [have_data.eq(1), word.eq(self.s_axil_wdata), strobe.eq(self.s_axil_wstrb)]
        with m.If(self.s_axil_bready):
            m.d.sync += self.s_axil_bvalid.eq(0)
        m.d.sync += self.control.eq(0)
        waits: Value = Const(0)
        if self._counters:
            # A read may be of a counter, and which was latched before: which, its address tells too late in a cycle.
            waits = named(m, (self.counting | self._have_read) & (address == REGISTERS["control"].address) & strobe[0]
                          & (word & (Control.START | Control.LATCH)).any(), "waits")
        with m.If(have_address & have_data & ~waits):
            m.d.sync += [have_address.eq(0), have_data.eq(0), self.s_axil_bvalid.eq(1)]
            self._write(m, address, word, strobe)

    def _write(self, m: Module, address: Signal, word: Signal, strobe: Signal) -> None:
        """Change the register at ``address``, if there is one and it may change."""
        refused = Signal()
        m.d.comb += refused.eq(strobe[0] & self._refused(word))
        m.d.sync += self.s_axil_bresp.eq(Response.SLVERR)
        writable = {name: register for name, register in REGISTERS.items() if register.access is not Access.READ}
        commands = {name for name, register in writable.items() if register.access is Access.COMMAND}
        kinds = ((named(m, ~refused, "carried_out"), commands), (Const(1), LIVE - commands),
                 (named(m, ~self.locked, "unlocked"), writable.keys() - LIVE - commands))
        for may, names in kinds:
            addresses = {name: register.address for name, register in writable.items() if name in names}
            with m.Switch(address), m.Case(*addresses.values()), m.If(may):
                m.d.sync += self.s_axil_bresp.eq(Response.OKAY)
            for name, at in addresses.items():
                # One Switch over all of them would write all addresses out again for each register.
                with m.Switch(address), m.Case(at), m.If(may):
                    self._take(m, getattr(self, name), word, strobe)

    @staticmethod
    def _take(m: Module, target: Signal, word: Signal, strobe: Signal) -> None:
        """Write the lanes of a word that are enabled."""
        for lane in range(-(-len(target) // 8)):
            byte = slice(8 * lane, 8 * lane + 8)
            with m.If(strobe[lane]):
                m.d.sync += target[byte].eq(word[byte])

    def _refused(self, word: Signal) -> Value:
        """Whether the commands in a word written to control cannot be carried out."""
        start, stop, clear = ((word & c).any() for c in (Control.START, Control.STOP, Control.CLEAR))
        several = (start & stop) | (start & clear) | (stop & clear)
        if not self._counters:
            several |= (word & Control.LATCH).any()
        return several | (start & ~self.startable) | (clear & self.locked)

    def _read_channels(self, m: Module) -> None:
        self._read_address = address = Signal(ADDRESS_BITS, reset_less=True)
        have_address = self._have_read
        m.d.comb += self.s_axil_arready.eq(~have_address & ~self.s_axil_rvalid)
        with m.If(self.s_axil_arvalid & self.s_axil_arready):
            m.d.sync += [have_address.eq(1), address.eq(self.s_axil_araddr)]
        with m.If(self.s_axil_rready):
            m.d.sync += self.s_axil_rvalid.eq(0)
        if not self._counters:
            with m.If(have_address):
                m.d.sync += [have_address.eq(0), self.s_axil_rvalid.eq(1)]
                self._read(m, address)
            return
        counter = named(m, (address >= COUNTER_BASE) & (address < COUNTER_END) & (address[:2] == 0), "counter_asked")
        m.d.comb += [self.counter_read.eq(have_address & counter), self.counter_index.eq((address - COUNTER_BASE)[3:])]
        with m.If(have_address & (~counter | self.counter_ready)):
            m.d.sync += [have_address.eq(0), self.s_axil_rvalid.eq(1)]
            self._read(m, address)
            with m.If(counter):
                m.d.sync += [self.s_axil_rdata.eq(self.counter.word_select(address[2], 32)),
                             self.s_axil_rresp.eq(Response.OKAY)]

    def _read(self, m: Module, address: Signal) -> None:
        """Register the word of the register at ``address``; the select is wide, so it gets a cycle of its own."""
        m.d.sync += [self.s_axil_rdata.eq(0), self.s_axil_rresp.eq(Response.SLVERR)]
        with m.Switch(address):
            for name, register in REGISTERS.items():
                if register.access is Access.COMMAND or COUNTER_BASE <= register.address < COUNTER_END:
                    continue
                with m.Case(register.address):
                    m.d.sync += [self.s_axil_rdata.eq(getattr(self, name)), self.s_axil_rresp.eq(Response.OKAY)]
