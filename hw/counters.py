"""The counters: 64-bit totals of what happened in every cycle, kept in one memory and latched together."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.counters import CAUSES, COUNTERS, ISSUE_SETS, UNATTENDED, WORK

from .fixed import named, pipe
from .tally import Tally

__all__ = ["Counters"]

TOTAL_BITS = 64
COUNT = len(COUNTERS)
LATCHED = 1 << (COUNT - 1).bit_length()
"""Address of the first latched total; the running totals begin at 0."""

MODE = data.StructLayout({"latching": 1, "clearing": 1, "wiping": 1})
"""What a round of visits does; none of them: it adds what has been counted to the totals."""

LAST = UNATTENDED - 2
"""Cycles in which something counted, known two cycles late, after which a round begins by itself."""


class Counters(wiring.Component):
    """``total[i] += what is counted`` every cycle; ``value`` is a total as it was at the last ``latch``.

    A register of 64 bits for each counter would be the largest part of a small machine. Here a counter has a narrow
    *live* part, which counts every cycle, and a word of a memory, its total. What has been counted is *held* from one
    cycle on, when the live part begins anew, and then visited: added to its total, a counter every other cycle. Such a
    round begins with ``latch``, ``clear``, or by itself before a live part could overflow, so never while nothing is
    counted; that of ``latch`` writes each sum as the latched total too.
    Flag sets and causes of cycles, of which a cycle has one each, are a ``hw.tally.Tally``; work is in registers.

    Latency: an event counts from the cycle after it. ``clear`` zeroes all totals as they are before this cycle; beside
    ``latch`` they are latched before. ``counting`` is high while a round is under way, as after a reset, for at most
    2 * COUNT + 4 cycles, and before one begins by itself; neither ``latch`` nor ``clear`` may come in the cycle after
    one in which it is or a total is asked for, and after a reset no event. ``ready`` rises 3 or 4 cycles after ``read``
    and is low while totals are latched.
    Throughput: one addend of each counter a cycle.

    Parameters
    ----------
    widths : Mapping[str, int]
        Bits of the addend of each counter of ``hebbar.contract.counters.WORK``, by its name.

    Attributes
    ----------
    visits, set : Signal(1), Signal(range(len(ISSUE_SETS))), in
        A slot of a sweep, and the place of its flag set in ISSUE_SETS.
    causes : Signal(len(CAUSES)), in
        A bit for the cause of this cycle in CYCLES and HOST, no bit in a cycle that does not count.
    add : Signal(StructLayout(widths)), in
        What each counter of work counts in this cycle.
    clear : Signal(1), in
        All totals become 0; what is counted in this cycle is the first.
    latch : Signal(1), in
        The totals as they are before this cycle are those that ``value`` shows from now on.
    counting : Signal(1), out
        A round is under way or about to begin.
    read : Signal(1), in
        A latched total is asked for; stays until ``ready``.
    index : Signal(range(COUNT)), in
        Its place in ``hebbar.contract.counters.COUNTERS``; holds while ``read``.
    value : Signal(64), out
        That total, in a cycle in which ``ready``.
    ready : Signal(1), out
        It is there.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        self.widths = {name: widths[name] for name in WORK}
        super().__init__({
            "visits": In(1), "set": In(range(len(ISSUE_SETS))), "causes": In(len(CAUSES)),
            "add": In(data.StructLayout({name: unsigned(width) for name, width in self.widths.items()})),
            "clear": In(1), "latch": In(1), "counting": Out(1), "read": In(1), "index": In(range(COUNT)),
            "value": Out(TOTAL_BITS), "ready": Out(1)})

    @staticmethod
    def live_bits(width: int) -> int:
        """Bits that hold the largest addend in every cycle for as long as no round begins."""
        return (((1 << width) - 1) * UNATTENDED).bit_length()

    def elaborate(self, platform):
        m = Module()
        m.submodules.totals = self._totals = memory = Memory(shape=unsigned(TOTAL_BITS), depth=2 * LATCHED, init=[])
        self._read, self._write = memory.read_port(), memory.write_port()
        # Even cycles read a total and write one, odd cycles read and write a latched one.
        self._odd, self._place = Signal(name="odd"), Signal(range(COUNT), name="place")
        self._begins, self._visit, self._settling = (Signal(name=n) for n in ("begins", "visit", "settling"))
        self._rounds(m)
        self._visits(m, self._live(m))
        return m

    def _rounds(self, m: Module) -> None:
        """When rounds begin and what they do; a reset leaves one, which zeroes memories and tallies."""
        busy, age = Signal(name="busy", init=1), Signal(range(UNATTENDED), name="age")
        self._mode = mode = Signal(MODE, init={"latching": 1, "clearing": 1, "wiping": 1}, name="mode")
        asked, self._wipes = named(m, self.latch | self.clear, "asked_for"), named(m, busy & mode.wiping, "wipes")
        # Nothing needs a round of its own while nothing is counted. What counts comes late in its cycle, and the bus
        # asks for ``counting`` late in its own.
        counts = Cat(self.visits, self.causes.any(), *(self.add[name].any() for name in self.widths))
        counted = pipe(m, pipe(m, counts, 1, "counts")[1].any(), 1, "counted")[1]
        m.d.comb += [self._begins.eq(asked | (age == LAST)), self._visit.eq(busy & ~self._odd)]
        m.d.sync += self._odd.eq(~self._odd)
        with m.If(counted):
            m.d.sync += age.eq(age + 1)
        with m.If(self._visit):
            m.d.sync += self._place.eq(self._place + 1)
            with m.If(self._place == COUNT - 1):
                m.d.sync += busy.eq(0)
        with m.If(self._begins):
            m.d.sync += [busy.eq(1), self._place.eq(0), age.eq(0), mode.latching.eq(self.latch),
                         mode.clearing.eq(self.clear), mode.wiping.eq(0)]
        # A latch comes a cycle after it was found free to come.
        m.d.comb += self.counting.eq(busy | (age == LAST) | (counted & (age == LAST - 1)))
        latching = named(m, busy & mode.latching, "latches")
        behind = Signal(4)
        m.d.sync += behind.eq(Cat(latching, behind))
        m.d.comb += self._settling.eq(latching | behind.any())

    def _live(self, m: Module) -> Value:
        """Counters at work; returns what the one that is visited has counted until this round began."""
        sets, first = ISSUE_SETS, COUNT - len(CAUSES)
        bits = {name: self.live_bits(width) for name, width in self.widths.items()}
        layout = data.StructLayout({name: unsigned(n) for name, n in bits.items()})
        live, held = Signal(layout, name="live"), Signal(layout, name="held", reset_less=True)
        m.d.sync += [live[name].eq(Mux(self._begins, 0, live[name]) + self.add[name]) for name in bits]
        with m.If(self._begins):
            m.d.sync += held.eq(live)
        m.submodules.sets = self._sets = tally = Tally(len(sets), self.live_bits(1))
        m.submodules.causes = self._causes = causes = Tally(len(CAUSES), self.live_bits(1))
        which = Cat(Cat(self.causes[i] for i in range(len(CAUSES)) if i >> bit & 1).any()
                    for bit in range((len(CAUSES) - 1).bit_length()))
        m.d.comb += [tally.counts.eq(self.visits), tally.which.eq(self.set), tally.place.eq(self._place),
                     causes.counts.eq(self.causes.any()), causes.which.eq(which), causes.place.eq(self._place - first),
                     *(signal.eq(value) for unit in (tally, causes) for signal, value in (
                         (unit.turn, self._begins), (unit.wipes, self._wipes)))]
        found = Signal(max(self.live_bits(1), *bits.values()))
        with m.Switch(self._place):
            with m.Case(*range(len(sets))):
                m.d.comb += [found.eq(tally.value), tally.empty.eq(self._visit)]
            for i, name in enumerate(bits, len(sets)):
                with m.Case(i):
                    m.d.comb += found.eq(held[name])
            with m.Default():
                m.d.comb += [found.eq(causes.value), causes.empty.eq(self._visit)]
        return found

    def _visits(self, m: Module, found: Value) -> None:
        """Cycle 0 reads a total, 1 keeps it, 2 adds, 3 writes the sum as the latched total and 4 as the total."""
        place = pipe(m, self._place, 4, "place")
        visit = pipe(m, self._visit, 4, "visit", reset=True)
        mode = [data.View(MODE, v) for v in pipe(m, self._mode.as_value(), 4, "mode")]
        total, base, taken = Signal(TOTAL_BITS), pipe(m, self._read.data, 1, "base")[1], pipe(m, found, 2, "taken")[2]
        # The upper half waits for one carry and not for one from bit to bit.
        half = TOTAL_BITS // 2
        lower, upper = named(m, base[:half] + taken, "lower"), named(m, base[half:] + 1, "upper")
        with m.If(visit[2]):
            m.d.sync += total.eq(Cat(lower[:half], Mux(lower[half], upper, base[half:])))
        with m.If((visit[2] & (mode[2].wiping | (mode[2].clearing & ~mode[2].latching)))
                  | (visit[3] & mode[3].clearing & mode[3].latching)):
            m.d.sync += total.eq(0)
        m.d.comb += [
            self._read.en.eq(~self._odd | self.read),
            self._read.addr.eq(Mux(self._odd, LATCHED + self.index, self._place)),
            self._write.addr.eq(Mux(self._odd, LATCHED + place[3], place[4])),
            self._write.data.eq(total), self._write.en.eq(visit[4] | (visit[3] & mode[3].latching))]
        # A block RAM takes half a cycle to answer, and the bus chooses among all its registers.
        asked = pipe(m, self.read & ~self._settling, 2, "asked", reset=True)[2]
        m.d.comb += [self.value.eq(base), self.ready.eq(asked & ~self._settling & self._odd)]
