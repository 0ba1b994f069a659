"""The crossbar: the ideal array inside the array macro, every weight a register."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem

from .bank import HostPort
from .fixed import popcount, round_variable, saturate, tree
from .tile import Shapes

__all__ = ["Crossbar"]


class Crossbar(wiring.Component):
    """The ideal array: every weight is a register, every line has its own exact converter.

    Line r is row p of row group g; its column k holds the C weights ``w[r][k]`` of row p of
    weight word ``g * array_stride + k``.

        sums[r]     = sum over k, i of w[r][k][i] * activity[k][i] << shift[k]        fire
        backs[k][i] = sum over r of w[r][k][i] * errors[r]                            feed
        w[r][k][i]  = sat(w + round(errors[r] * activity[k][i] >> rate[k]))           learn

    ``learn`` leaves columns alone that are not plastic, and with ``diagonal`` the weights from a
    neuron to itself: lane i of column k comes from row i mod P of row group ``own[k] + i // P``. In the
    row groups of ``block`` a plastic ``positive`` column clips to 0 .. the largest weight, also where
    nothing changes.
    Latency: 1 cycle from a strobe to its results, which hold until the next strobe; ``saturated``,
    how many weights were clipped, holds one cycle. Throughput: the whole array a cycle. Rows that
    are to stay out of ``feed`` and ``learn`` have error 0, lanes that are to stay out of ``fire``
    activity 0. Weights survive a reset, as in a memory.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes and the size of the array.

    Attributes
    ----------
    fire, feed, learn : Signal(1), in
        Strobes: row sums, column sums, new weights.
    columns : Signal(Shapes.columns), in
        Activities, map entry, shift of the update and own row group of every column word.
    errors : Signal(Shapes.line_errors), in
        The errors of every row group.
    block : Signal(machine.array_rows // P), in
        Row groups in which positive weights are clipped.
    sums : Signal(ArrayLayout(Shapes.sums, machine.array_rows // P)), out
        The row sums of the last ``fire``.
    backs : Signal(ArrayLayout(Shapes.backs, machine.array_stride)), out
        The column sums of the last ``feed``.
    saturated : Signal(20), out
        Weights that a ``learn`` in the cycle before clipped.
    host : HostPort(), in
        The weights on the stream; words outside of the array are 0 and cannot be written.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s = machine, Shapes(machine)
        self.groups = machine.weight_words // machine.array_stride
        super().__init__({
            "fire": In(1), "feed": In(1), "learn": In(1),
            "columns": In(s.columns), "errors": In(s.line_errors), "block": In(self.groups),
            "sums": Out(data.ArrayLayout(s.sums, self.groups)),
            "backs": Out(data.ArrayLayout(s.backs, machine.array_stride)),
            "saturated": Out(20), "host": In(HostPort())})

    def elaborate(self, platform):
        m, lanes = Module(), self.machine.row_tiles * self.machine.lanes
        weight = signed(self.machine.weight_bits)
        self.words = [[Signal(weight, name=f"w{a}_{lane}", reset_less=True)
                       for lane in range(lanes)]
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
        """A beat at a time, packed as in ``Bank``."""
        port = ports(self.machine)[Mem.WEIGHT]
        host = self.host
        number = Signal(24)
        per, share = port.lanes_per_beat, port.element_bits
        beats = [word[at:at + per] for word in self.words for at in range(0, port.lanes, per)]
        m.d.comb += [number.eq(host.address * port.beats_per_word + host.sub), host.ready.eq(1)]
        with m.If(host.select):
            m.d.sync += host.read_beat.eq(0)
            with m.Switch(number):
                for n, beat in enumerate(beats):
                    with m.Case(n):
                        m.d.sync += [host.read_beat[i * share:(i + 1) * share].eq(weight)
                                     for i, weight in enumerate(beat)]
        with m.If(host.select & host.write):
            for n, beat in enumerate(beats):
                with m.If(number == n):
                    m.d.sync += [weight.eq(host.beat[i * share:i * share + port.bits])
                                 for i, weight in enumerate(beat)]

    def _fire(self, m: Module) -> None:
        """Sums along the rows, one a row."""
        for g in range(self.groups):
            for p in range(self.machine.row_tiles):
                parts = []
                for k, column in enumerate(self.columns):
                    products = [self._cell(g, p, k, i) * a for i, a in enumerate(column.activity)]
                    parts.append(tree(m, products, "") << column.entry.shift)
                m.d.sync += self.sums[g][p].eq(tree(m, parts, ""))

    def _feed(self, m: Module) -> None:
        """Sums along the columns, one a lane."""
        rows = [(g, p) for g in range(self.groups) for p in range(self.machine.row_tiles)]
        for k in range(self.machine.array_stride):
            for i in range(self.machine.lanes):
                products = [self._cell(g, p, k, i) * self.errors[g][p] for g, p in rows]
                m.d.sync += self.backs[k][i].eq(tree(m, products, ""))

    def _learn(self, m: Module) -> None:
        """New weights in place, and how many were clipped."""
        clipped = Signal(self.machine.weight_words * self.machine.row_tiles * self.machine.lanes)
        cells = [(g, p, k, i) for g in range(self.groups) for p in range(self.machine.row_tiles)
                 for k in range(self.machine.array_stride) for i in range(self.machine.lanes)]
        new = []
        for n, cell in enumerate(cells):
            learned, clips = self._step(m, *cell)
            m.d.comb += clipped[n].eq(clips)
            new.append(self._cell(*cell).eq(learned))
        m.d.sync += self.saturated.eq(0)
        with m.If(self.learn):
            m.d.sync += [self.saturated.eq(popcount(m, clipped, "clips")), *new]

    def _step(self, m: Module, g: int, p: int, k: int, i: int) -> tuple[Value, Value]:
        """One weight learned, and whether it is clipped."""
        weight, column, tiles = self._cell(g, p, k, i), self.columns[k], self.machine.row_tiles
        change = round_variable(self.errors[g][p] * column.activity[i], column.rate)
        learns = column.entry.plastic
        if i % tiles == p:
            learns &= ~(column.entry.diagonal & (column.self_connection == g - i // tiles))
        grown = Signal((weight + change).shape(), name=f"grown{g}_{p}_{k}_{i}")
        positive = self.block[g] & column.entry.plastic & column.entry.positive
        m.d.comb += grown.eq(weight + Mux(learns, change, 0))
        return saturate(m, grown, self.machine.formats.weight, f"new{g}_{p}_{k}_{i}", positive)
