"""Loading and reading single cells of an analog macro over the host stream."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem
from hebbar.contract.pins import MacroOp

from .bank import HostPort
from .fixed import named
from .sar_logic import SarLogic

__all__ = ["CellAccess"]


class CellAccess(wiring.Component):
    """Program-and-verify: the cells of a beat are written, read back, and written again where they are off.

    Write: 1 cycle; with ``verify`` attempts, 3 + weight bits cycles more for every look at the cells, which ends
    after that many rewrites or when all are within ``tolerance``. Read: 3 + weight bits cycles. An access that the
    streamer abandons ends at once: no cell is written without ``host.write``.

    Parameters
    ----------
    machine : MachineConfig
        The format of weights and the ``analog`` section.

    Attributes
    ----------
    host : HostPort(), in
        The weights on the stream.
    phase : Signal(4), out
        What the macro does in this cycle (``hebbar.contract.pins.MacroOp``).
    strobe : Signal(1), out
        The cycle counts.
    cell : Signal(24), out
        Number of the beat in the weight memory.
    mask : Signal(self.port.lanes_per_beat), out
        Which of its cells are written.
    code : Signal(ArrayLayout(signed(machine.weight_bits), self.port.lanes_per_beat)), out
        What is written to them.
    dac : Signal(ArrayLayout(signed(machine.weight_bits), self.port.lanes_per_beat)), out
        What the cells are compared with.
    above : Signal(self.port.lanes_per_beat), in
        A cell is not below that, in the same cycle.
    busy : Signal(1), out
        An access is under way, and the pins are its own.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.control = machine, machine.analog.control
        self.port = ports(machine)[Mem.WEIGHT]
        codes = data.ArrayLayout(signed(machine.weight_bits), self.port.lanes_per_beat)
        count = self.port.lanes_per_beat
        super().__init__({"host": In(HostPort()), "phase": Out(4), "strobe": Out(1), "cell": Out(24),
                          "mask": Out(count), "code": Out(codes), "dac": Out(codes), "above": In(count),
                          "busy": Out(1)})

    def elaborate(self, platform):
        m, host, port, bits = Module(), self.host, self.port, self.machine.weight_bits
        m.submodules.search = self._search = search = SarLogic(port.lanes_per_beat, bits)
        left = Signal(range(bits))
        tries = Signal(8)
        target = Signal(self.code.shape())
        m.d.comb += [self.dac.eq(search.dac), search.bit.eq(left), search.above.eq(self.above), self.code.eq(target),
                     self.cell.eq(host.address * port.beats_per_word + host.sub)]
        with m.FSM() as fsm:
            with m.State("idle"):
                m.d.sync += [tries.eq(0), self.mask.eq((1 << port.lanes_per_beat) - 1)]
                m.d.sync += [target[i].eq(host.beat[i * port.element_bits:][:bits])
                             for i in range(port.lanes_per_beat)]
                with m.If(host.select & host.write):
                    m.next = "write"
                with m.Elif(host.select & host.read):
                    m.next = "hold"
            with m.State("write"):
                with m.If(host.write):
                    self._ask(m, MacroOp.WRITE)
                    m.next = "hold" if self.control.verify else "done"
                with m.Else():
                    m.next = "idle"
            with m.State("hold"):
                self._ask(m, MacroOp.HOLD_CELLS)
                m.d.comb += search.start.eq(1)
                m.d.sync += left.eq(bits - 1)
                m.next = "compare"
                self._unless_abandoned(m)
            with m.State("compare"):
                self._ask(m, MacroOp.COMPARE_CELLS)
                m.d.comb += search.search.eq(1)
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.next = "look"
                self._unless_abandoned(m)
            with m.State("look"):
                self._look(m, target, tries)
                self._unless_abandoned(m)
            with m.State("done"):
                m.d.comb += host.ready.eq(1)
                m.next = "idle"
        m.d.comb += self.busy.eq(~fsm.ongoing("idle"))
        return m

    def _unless_abandoned(self, m: Module) -> None:
        with m.If(~(self.host.write | self.host.read)):
            m.next = "idle"

    def _ask(self, m: Module, phase: MacroOp) -> None:
        m.d.comb += [self.phase.eq(phase), self.strobe.eq(1)]

    def _look(self, m: Module, target: data.View, tries: Signal) -> None:
        """What was read goes to the host, or decides whether the cells are written again."""
        codes, share = self._search.codes, self.port.element_bits
        off = Signal(self.port.lanes_per_beat)
        for i in range(self.port.lanes_per_beat):
            m.d.sync += self.host.read_beat[i * share:(i + 1) * share].eq(codes[i])
            gap = named(m, codes[i] - target[i], f"gap_{i}")
            m.d.comb += off[i].eq(Mux(gap < 0, -gap, gap) > self.control.tolerance)
        again = self.host.write & off.any() & (tries != self.control.verify)
        m.d.sync += [tries.eq(tries + 1), self.mask.eq(off)]
        m.next = "done"
        with m.If(again):
            m.next = "write"
