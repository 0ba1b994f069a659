"""A memory with a unit on one side and the host stream on the other."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, WritePort
from amaranth.lib.wiring import In, Out

from hebbar.contract.memories import READ_PORTS, Port

__all__ = ["Bank", "HostPort", "read_late"]


def read_late(m: Module, memory: Memory, address: ValueLike, name: str) -> Signal:
    """The word at an address, a cycle later; of a word that is written at the same edge, what was there before."""
    # Yosys merges the register into the memory, and only then regards the memory's attributes.
    reader, word = memory.read_port(domain="comb"), Signal(memory.shape, name=name, reset_less=True)
    m.d.comb += reader.addr.eq(address)
    m.d.sync += word.eq(reader.data)
    return word


class HostPort(wiring.Signature):
    """Access to a memory of the machine a beat at a time, from the streamer.

    Members
    -------
    select : Out(1)
        The streamer reads or, with ``write``, writes this memory: the unit's own writes are shut out, but where it has
        the port first, and where the streamer reads, its reads. Between the beats of an IN the unit has its memory. One
        that packets alone reach stays selected while the machine is halted, also between beats.
    address, sub : Out(24), Out(16)
        The word, and the number of the beat in it.
    write, read : Out(1)
        An access is asked for and held until ``ready``, in which cycle it happens.
    ready : In(1)
        It happens: always, but where the unit has the port first, in the cycles in which that writes.
    beat : Out(32)
        What is written, at the clock edge.
    padding : Out(4)
        Elements of the beat that are not, in an IN of activities.
    read_beat : In(32)
        What is read, a cycle after ``address`` and ``sub``; it holds.
    """

    def __init__(self) -> None:
        super().__init__({
            "select": Out(1), "address": Out(24), "sub": Out(16), "write": Out(1),
            "read": Out(1), "ready": In(1), "beat": Out(32), "padding": Out(4),
            "read_beat": In(32)})


class Bank(wiring.Component):
    """``depth`` words of ``lanes`` elements.

    Read: ``read_data[i]`` follows ``read_address[i]`` by one cycle. Write: the lanes of ``write_mask`` at the clock
    edge. Throughput: one read per reader and one write a cycle; there is a copy of the memory for every ``READ_PORTS``
    readers. A word that is read and written at the same edge is read as it was before; without ``exact`` in simulation
    only, as a block RAM may then show anything: whoever reads such a word must not use it. To show the old word takes
    a register a bit and a comparison of addresses behind every block RAM.

    Parameters
    ----------
    port : Port
        Depth, lanes, element width and packing into beats.
    readers : int
        Read ports; the host has the first while it reads the memory.
    exact : bool
        Whether a word that is read and written at the same edge is used.
    writable : bool
        Whether the unit writes; if not, the host alone does, and nothing is chosen on the way of its words.
    beside : bool
        Whether the unit may read and write while the host writes; if not, the host has the memory to itself then.

    Attributes
    ----------
    read_address : Signal(ArrayLayout(max(1, (self.port.depth - 1).bit_length()), self.readers)), in
        The word that each reader wants.
    read_data : Signal(ArrayLayout(self.word, self.readers)), out
        These words, a cycle later.
    write_address : Signal(max(1, (self.port.depth - 1).bit_length())), in
        The word that is written.
    write_data : Signal(self.word), in
        Its new elements.
    write_mask : Signal(self.port.lanes), in
        Which of its elements are written.
    writes : Signal(1), in
        The unit writes, before the host does; where it is ``beside`` and ``writable``.
    host : HostPort(), in
        The memory on the stream.
    """

    def __init__(self, port: Port, readers: int = 1, exact: bool = False, writable: bool = True,
                 beside: bool = False) -> None:
        self.port, self.readers, self.exact, self.writable, self.beside = port, readers, exact, writable, beside
        self.host_has = Signal()
        """The host has the port through which the memory is written."""
        self.element = signed(port.bits) if port.signed else unsigned(port.bits)
        self.word = data.ArrayLayout(self.element, port.lanes)
        address = max(1, (port.depth - 1).bit_length())
        super().__init__({
            "read_address": In(data.ArrayLayout(unsigned(address), readers)),
            "read_data": Out(data.ArrayLayout(self.word, readers)),
            "write_address": In(address), "write_data": In(self.word),
            "write_mask": In(port.lanes), "host": In(HostPort()),
            **({"writes": In(1)} if beside and writable else {})})

    def elaborate(self, platform):
        m, port, host = Module(), self.port, self.host
        # A block RAM takes the place of a LUT for every 16 bits and of the multiplexers between them.
        attributes = {} if self.exact else {"no_rw_check": 1, "ram_style": "block" if port.bits > 1 else "auto"}
        memories = [Memory(shape=self.word, depth=port.depth, init=[], attrs=attributes)
                    for _ in range(0, self.readers, READ_PORTS)]
        self.memory, *self.copies = memories
        m.submodules.memory = self.memory
        for n, memory in enumerate(self.copies, 1):
            m.submodules[f"copy_{n}"] = memory
        writer = self.memory.write_port(granularity=1)  # by this name simulations find its signals: hw.verilog.PORT
        writers = [writer, *(memory.write_port(granularity=1) for memory in self.copies)]
        for i in range(self.readers):
            reads = host.select & ~host.write if self.beside else host.select
            pick = Mux(reads, host.address, self.read_address[i]) if i == 0 else self.read_address[i]
            m.d.comb += self.read_data[i].eq(self._read(m, memories[i // READ_PORTS], pick, f"read_{i}"))
        self._write(m, *writers)
        self._read_beat(m)
        return m

    def _write(self, m: Module, writer: WritePort, *others: WritePort) -> None:
        """The host's or the unit's element of every lane, into all copies of the memory."""
        port, host = self.port, self.host
        places = [divmod(lane, port.lanes_per_beat) for lane in range(port.lanes)]
        sub = host.sub[:port.sub_bits]
        host_mask = Cat(host.write & (sub == beat) & ~host.padding[element] for beat, element in places)
        ready = ~self.writes if self.beside and self.writable else 1
        m.d.comb += [
            host.ready.eq(ready), self.host_has.eq(host.select & ready),
            writer.addr.eq(Mux(self.host_has, host.address, self.write_address) if self.writable else host.address),
            writer.en.eq(Mux(self.host_has, host_mask, self.write_mask))]
        for lane in range(port.lanes):
            at = lane % port.lanes_per_beat * port.element_bits
            beat = host.beat[at:at + port.bits]
            m.d.comb += writer.data[lane].eq(Mux(self.host_has, beat, self.write_data[lane]) if self.writable else beat)
        for copy in others:
            m.d.comb += [copy.addr.eq(writer.addr), copy.en.eq(writer.en), copy.data.eq(writer.data)]

    def _read(self, m: Module, memory: Memory, address: Value, name: str) -> Value:
        """The word at an address, a cycle later."""
        if self.exact:
            reader = memory.read_port()
            m.d.comb += reader.addr.eq(address)
            return reader.data
        return read_late(m, memory, address, name)

    def _read_beat(self, m: Module) -> None:
        """Pack the selected lanes of the word just read, sign extended to their share."""
        port = self.port
        sub = Signal(port.sub_bits, reset_less=True)
        m.d.sync += sub.eq(self.host.sub)  # the word comes a cycle after its address; the choice of its beat must too
        with m.Switch(sub):
            for beat in range(port.beats_per_word):
                with m.Case(beat):
                    for i in range(port.lanes_per_beat):
                        lane = self.read_data[0][beat * port.lanes_per_beat + i]
                        share = self.host.read_beat[i * port.element_bits:(i + 1) * port.element_bits]
                        m.d.comb += share.eq(lane)
