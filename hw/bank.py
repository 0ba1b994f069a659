"""A memory with a unit on one side and the host stream on the other."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.memories import Port

__all__ = ["Bank", "HostPort"]


class HostPort(wiring.Signature):
    """Access a beat at a time: ``beat`` number ``sub`` of word ``address``.

    ``write`` and ``read`` ask for an access and hold until ``ready``, in which cycle it happens: written at the
    clock edge; ``read_beat`` follows ``address`` and ``sub`` by one cycle and holds. While ``select`` the unit's own
    accesses are shut out. Memories are always ready. ``padding``: elements of the beat that are not written.
    """

    def __init__(self) -> None:
        super().__init__({
            "select": Out(1), "address": Out(24), "sub": Out(16), "write": Out(1),
            "read": Out(1), "ready": In(1), "beat": Out(32), "padding": Out(4),
            "read_beat": In(32)})


class Bank(wiring.Component):
    """``depth`` words of ``lanes`` elements.

    Read: ``read_data[i]`` follows ``read_address[i]`` by one cycle and shows the word as it was
    before a write at the same edge. Write: the lanes of ``write_mask`` at the clock edge.
    Throughput: one read per reader and one write a cycle.

    Ports: ``read_address[readers]``, ``read_data[readers]``, ``write_address``, ``write_data``,
    ``write_mask``, and ``host`` (see HostPort; it uses reader 0).
    """

    def __init__(self, port: Port, readers: int = 1) -> None:
        self.port, self.readers = port, readers
        self.element = signed(port.bits) if port.signed else unsigned(port.bits)
        self.word = data.ArrayLayout(self.element, port.lanes)
        address = max(1, (port.depth - 1).bit_length())
        super().__init__({
            "read_address": In(data.ArrayLayout(unsigned(address), readers)),
            "read_data": Out(data.ArrayLayout(self.word, readers)),
            "write_address": In(address), "write_data": In(self.word),
            "write_mask": In(port.lanes), "host": In(HostPort())})

    def elaborate(self, platform):
        m, port, host = Module(), self.port, self.host
        m.submodules.memory = self.memory = memory = Memory(shape=self.word, depth=port.depth, init=[])
        writer = memory.write_port(granularity=1)
        for i in range(self.readers):
            reader = memory.read_port()
            pick = Mux(host.select, host.address, self.read_address[i]) if i == 0 \
                else self.read_address[i]
            m.d.comb += [reader.addr.eq(pick), self.read_data[i].eq(reader.data)]
        places = [divmod(lane, port.lanes_per_beat) for lane in range(port.lanes)]
        host_mask = Cat(host.write & (host.sub == beat) & ~host.padding[element] for beat, element in places)
        m.d.comb += [
            host.ready.eq(1),
            writer.addr.eq(Mux(host.select, host.address, self.write_address)),
            writer.en.eq(Mux(host.select, host_mask, self.write_mask))]
        for lane in range(port.lanes):
            at = lane % port.lanes_per_beat * port.element_bits
            m.d.comb += writer.data[lane].eq(
                Mux(host.select, host.beat[at:at + port.bits], self.write_data[lane]))
        self._read_beat(m)
        return m

    def _read_beat(self, m: Module) -> None:
        """Pack the selected lanes of the word just read, sign extended to their share."""
        port = self.port
        sub = Signal(16)
        m.d.sync += sub.eq(self.host.sub)
        with m.Switch(sub):
            for beat in range(port.beats_per_word):
                with m.Case(beat):
                    for i in range(port.lanes_per_beat):
                        lane = self.read_data[0][beat * port.lanes_per_beat + i]
                        share = self.host.read_beat[i * port.element_bits:(i + 1) * port.element_bits]
                        m.d.comb += share.eq(lane)
