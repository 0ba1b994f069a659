"""The array macro: a crossbar whose rows all fire at once, with digital control around it."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.config import MachineConfig
from hebbar.cycles import ArrayTiming
from hebbar.geometry import ports
from hebbar.isa import Sweep
from hebbar.memories import Mem

from .bank import HostPort
from .fixed import round_variable, saturate, tree
from .tile import Shapes, TileSignature, live_rows, mac_count

__all__ = ["Crossbar", "ArrayMacro"]

LATER = Sweep.TRN | Sweep.UPD


class Crossbar(wiring.Component):
    """The ideal array: every weight is a register, every line has its own exact converter.

    Row r of row group g and column k hold the C weights of word ``g * array_stride + k``, tile r.

        sums[r]     = sum over k, i of w[r][k][i] * activity[k][i] << shift[k]        fire
        backs[k][i] = sum over r of w[r][k][i] * errors[r]                            feed
        w[r][k][i]  = sat(w + round(errors[r] * activity[k][i] >> rate[k]))           learn

    ``learn`` leaves columns alone that are not plastic, and with ``diagonal`` the weights from a
    neuron to itself: lane i of column k comes from row i mod P of row group ``own[k] + i // P``.
    Results hold from the cycle after their strobe until the next one; ``saturated``, the clipped
    weights, only in that cycle. A row takes no part in ``feed`` and ``learn`` when its error is 0,
    a column in ``fire`` when its activities are.

    Ports: strobes ``fire``, ``feed``, ``learn``; ``columns``, ``errors``; ``sums``, ``backs``,
    ``saturated``; ``host`` (words outside the array read as zero).
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s = machine, Shapes(machine)
        self.groups = machine.weight_words // machine.array_stride
        self.column = data.StructLayout(
            {"activity": s.activities, "entry": s.map, "rate": 5, "own": signed(20)})
        super().__init__({
            "fire": In(1), "feed": In(1), "learn": In(1),
            "columns": In(data.ArrayLayout(self.column, machine.array_stride)),
            "errors": In(data.ArrayLayout(s.errors, self.groups)),
            "sums": Out(data.ArrayLayout(s.sums, self.groups)),
            "backs": Out(data.ArrayLayout(s.backs, machine.array_stride)),
            "saturated": Out(20), "host": In(HostPort())})

    def elaborate(self, platform):
        m, lanes = Module(), self.machine.row_tiles * self.machine.lanes
        weight = signed(self.machine.weight_bits)
        self.words = [[Signal(weight, name=f"w{a}_{lane}") for lane in range(lanes)]
                      for a in range(self.machine.weight_words)]
        self._host(m)
        with m.If(self.fire):
            self._fire(m)
        with m.If(self.feed):
            self._feed(m)
        self._learn(m)
        return m

    def _cell(self, group: int, tile: int, column: int, lane: int) -> Signal:
        word = self.words[group * self.machine.array_stride + column]
        return word[tile * self.machine.lanes + lane]

    def _host(self, m: Module) -> None:
        """A beat at a time, lanes packed as in ``Bank``."""
        port, host = ports(self.machine)[Mem.WEIGHT], self.host
        per, bits = port.lanes_per_beat, port.element_bits
        with m.If(host.select), m.Switch(host.address * port.beats_per_word + host.sub):
            for a, word in enumerate(self.words):
                for beat in range(port.beats_per_word):
                    with m.Case(a * port.beats_per_word + beat):
                        lanes = word[beat * per:beat * per + per]
                        shares = [Value.cast(w).shape().signed and w for w in lanes]
                        m.d.sync += [host.read_beat[i * bits:(i + 1) * bits].eq(w)
                                     for i, w in enumerate(shares)]
                        with m.If(host.write):
                            m.d.sync += [w.eq(host.beat[i * bits:i * bits + port.bits])
                                         for i, w in enumerate(lanes)]
            with m.Default():
                m.d.sync += host.read_beat.eq(0)
