"""The array macro: a crossbar whose rows all fire at once, with digital control around it."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hebbar.machine import MachineConfig
from hebbar.cycles import ArrayTiming
from hebbar.isa import ISSUE_FLAGS, WEIGHT_FLAGS, Sweep
from hebbar.memories import BLOCK

from .crossbar import Crossbar
from .fields import asks
from .fixed import named, pipe
from .tile import Shapes, TileSignature, live_rows, mac_count

__all__ = ["ArrayMacro", "Phase"]

LATER = Sweep.TRN | Sweep.UPD
"""The flags that use errors, and so come after them."""


@dataclass(frozen=True)
class Phase:
    """A phase of a sweep, entered when ``asked``: ``steps`` steps of ``ticks`` cycles."""

    name: str
    asked: Value
    steps: Value | int
    ticks: Value | int = 1


class ArrayMacro(wiring.Component):
    """FWD, TRN and UPD of a whole block at once; a word and a row group a cycle at its edges.

    A sweep of n columns and G row groups walks through these phases, those it has flags for:

    * ``load``, n + 2 cycles: map entries and activities into the column registers;
    * ``fire``, FWD: all row sums; ``convert``, G cycles: a row group a cycle to the neuron unit;
    * ``settle``, TRN or UPD: the last errors arrive; ``feed``, TRN: all column sums;
    * ``back``, TRN, n cycles: a word a cycle to the back sums; ``learn``, UPD: all weights.

    A sweep without weights only converts. The next sweep is accepted in the last cycle of a sweep.
    Cycles: ``hebbar.cycles.ArrayTiming``. ``weight_base`` names a cell word (row group times
    ``array_stride`` plus column); cells that a block would have outside the array do not exist. There
    are no identity columns: one with ``lanes`` 0 adds nothing and learns nothing.

    Ports: see TileSignature.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shapes = machine, Shapes(machine)
        self.timing = ArrayTiming(machine)
        super().__init__(TileSignature(machine))

    def elaborate(self, platform):
        m = Module()
        m.submodules.crossbar = self._array = array = Crossbar(self.machine)
        wiring.connect(m, wiring.flipped(self.host), array.host)
        self._control(m)
        return m

    def _control(self, m: Module) -> None:
        """Everything around the array."""
        self._command = Signal(self.shapes.command)
        self._step = Signal(BLOCK["groups"].width)
        self._tick = Signal(16)
        self._flags = self._command.flags
        self._first_row = Signal(20)
        self._first_column = Signal(BLOCK["columns"].width)
        self._lanes = {f: Signal(20, name=f"lanes_{f.name.lower()}")
                       for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD)}
        busy = self._walk(m)
        self._load(m)
        self._convert(m)
        self._back(m)
        self._count(m, busy)
        m.d.comb += self.idle.eq(~(busy | self.row_valid))

    def phases(self) -> list[Phase]:
        """The phases of a sweep in their order; the first is entered by every sweep with weights."""
        flags, command, t = self._flags, self._command, self.timing
        later, trn, upd = (asks(flags, f) for f in (LATER, Sweep.TRN, Sweep.UPD))
        return [Phase("load", Const(1), command.columns + t.load_latency), Phase("fire", asks(flags, Sweep.FWD), 1),
                Phase("convert", Const(1), command.groups), Phase("settle", later, t.settle), Phase("feed", trn, 1),
                Phase("back", trn, command.columns), Phase("learn", upd, 1)]

    def _walk(self, m: Module) -> Value:
        """Walk through the phases of a sweep; returns whether there is one."""
        phases, self._ends = self.phases(), {}
        stride = self.machine.array_stride
        base = self.sweep.payload.weight_base
        self._place = named(m, base // stride, "taken_row"), named(m, base % stride, "taken_column")
        self._next_step = named(m, self._step + 1, "next_step")
        with m.FSM() as fsm:
            with m.State("idle"):
                self._take(m)
            for i, phase in enumerate(phases):
                with m.State(phase.name):
                    last = self._ticked(m, phase.ticks)
                    with m.If(last):
                        m.d.sync += self._step.eq(self._next_step)
                    with m.If(last & (self._next_step == phase.steps)):
                        m.d.sync += self._step.eq(0)
                        self._leave(m, phases[i + 1:])
                self._ends[phase.name] = fsm.ongoing(phase.name) & last
        self._in = {phase.name: fsm.ongoing(phase.name) for phase in phases}
        return ~fsm.ongoing("idle")

    def _ticked(self, m: Module, ticks: Value | int) -> Value:
        """Count the cycles of a step where it has several; true in the last of them."""
        if isinstance(ticks, int) and ticks == 1:
            return Const(1)
        last = named(m, self._tick + 1 == ticks, "last_tick")
        m.d.sync += self._tick.eq(Mux(last, 0, self._tick + 1))
        return last

    def _leave(self, m: Module, later: list) -> None:
        """Enter the first of the ``later`` phases that is asked for, else take the next sweep."""
        if not later:
            self._take(m)
            return
        with m.If(later[0].asked):
            m.next = later[0].name
        with m.Else():
            self._leave(m, later[1:])

    def _take(self, m: Module) -> None:
        """Take the next sweep if there is one; nothing of the old one stays in the registers."""
        payload, (row, column) = self.sweep.payload, self._place
        m.d.comb += self.sweep.ready.eq(1)
        m.d.sync += [self._command.eq(payload), self._array.columns.eq(0), self._array.errors.eq(0),
                     self._first_row.eq(row), self._first_column.eq(column),
                     *(lanes.eq(0) for lanes in self._lanes.values())]
        with m.If(~self.sweep.valid):
            m.next = "idle"
        with m.Elif(asks(payload.flags, WEIGHT_FLAGS)):
            m.next = "load"
        with m.Else():
            m.next = "convert"

    def _load(self, m: Module) -> None:
        """Column k: map entry at step k + 1, activities at step k + 2."""
        entry = Signal(self.shapes.map)
        command = self._command
        per_word = self.machine.lanes // self.machine.row_tiles
        home = named(m, self._first_row - command.group_base, "home")
        used = named(m, entry.lanes != 0, "used")
        rate = named(m, self.rates[entry.rate], "entry_rate")
        own = named(m, entry.source * per_word + home, "entry_own")
        activity = [named(m, Mux(entry.lanes > i, a, 0), f"loaded_{i}") for i, a in enumerate(self.activity)]
        m.d.sync += entry.eq(self.map)
        m.d.comb += [self.map_address.eq(command.map_base + self._step),
                     self.activity_address.eq(self.map.source)]
        with m.If(self._in["load"] & (self._step >= self.timing.load_latency)):
            at = self._first_column + self._step - self.timing.load_latency
            with m.Switch(at[:len(self._step)]):
                for k, column in enumerate(self._array.columns):
                    with m.Case(k):
                        m.d.sync += [column.entry.eq(entry),
                                     column.entry.feedback.eq(entry.feedback & used),
                                     column.entry.plastic.eq(entry.plastic & used),
                                     column.rate.eq(rate), column.own.eq(own)]
                        m.d.sync += [column.activity[i].eq(a) for i, a in enumerate(activity)]
            for verb, counts in ((Sweep.FWD, 1), (Sweep.TRN, entry.feedback),
                                 (Sweep.UPD, entry.plastic)):
                lanes = self._lanes[verb]
                m.d.sync += lanes.eq(lanes + Mux(counts, entry.lanes, 0))

    def _convert(self, m: Module) -> None:
        """A row group a cycle: its sums to the neuron unit, two cycles later its errors back."""
        command, tiles = self._command, self.machine.row_tiles
        last = self._next_step == command.groups
        place = pipe(m, self._first_row + self._step, 2, "place")
        valid = pipe(m, self._ends["convert"], 2, "converted", reset=True)
        later = pipe(m, asks(self._flags, LATER), 2, "later")[2]
        m.d.comb += [self.early_group.eq(command.group_base + self._step),
                     self.row_valid.eq(valid[1])]
        m.d.sync += [self.row.flags.eq(command.flags), self.row.gain.eq(command.gain),
                     *(self.row[name].eq(command[name]) for name in ("function", "precision", "align")),
                     self.row.group.eq(self.early_group),
                     self.row.live.eq(live_rows(command.tail, last, tiles)),
                     self.row.first.eq(self._step == 0), self.sums.eq(0)]
        with m.If(self._ends["convert"] & asks(self._flags, Sweep.FWD)):
            self._converted(m, place[0])
        with m.If(valid[2] & later), m.Switch(place[2]):
            for g in range(self._array.groups):
                with m.Case(g):
                    m.d.sync += self._array.errors[g].eq(self.error)

    def _converted(self, m: Module, group: Value) -> None:
        """The sums of a row group."""
        with m.Switch(group):
            for g in range(self._array.groups):
                with m.Case(g):
                    m.d.sync += self.sums.eq(self._array.sums[g])

    def _back(self, m: Module) -> None:
        """A column a step to the back sums of its source."""
        with m.Switch((self._first_column + self._step)[:len(self._step)]):
            for k, column in enumerate(self._array.columns):
                with m.Case(k):
                    m.d.comb += [self.back_valid.eq(self._ends["back"] & column.entry.feedback),
                                 self.back_word.eq(column.entry.source),
                                 self.back_fresh.eq(column.entry.fresh),
                                 self.back_sums.eq(self._backs(k))]

    def _backs(self, column: int) -> Value:
        """The back sums of a column."""
        return self._array.backs[column]

    def _count(self, m: Module, busy: Value) -> None:
        """Cycles and work of this cycle; a strobe works on the whole block at once."""
        array, command, phase = self._array, self._command, self._in
        rows = Signal(20)
        weights = asks(self._flags, WEIGHT_FLAGS)
        end = named(m, self._first_row + command.groups, "end_row")
        work = {f: mac_count(rows, self._lanes[f], strobe) for f, strobe in
                ((Sweep.FWD, array.fire), (Sweep.TRN, array.feed), (Sweep.UPD, array.learn))}
        m.d.comb += [
            array.fire.eq(phase["fire"]), array.feed.eq(phase["feed"]),
            array.learn.eq(phase["learn"]), self.saturated.eq(array.saturated),
            rows.eq((command.groups - 1) * self.machine.row_tiles + command.tail),
            array.block.eq(Cat((g >= self._first_row) & (g < end)
                               for g in range(array.groups))),
            self.mac_fwd.eq(work[Sweep.FWD]), self.mac_trn.eq(work[Sweep.TRN]),
            self.mac_upd.eq(work[Sweep.UPD]), self.writes.eq(work[Sweep.UPD]),
            self.reads.eq(mac_count(rows, self._lanes[Sweep.FWD], array.fire | array.feed)),
            self.issue.eq(busy & weights), self.slot.eq(busy & ~weights),
            self.set.eq(Cat(asks(self._flags, f) for f in ISSUE_FLAGS))]

    @staticmethod
    def public(machine: MachineConfig, module: str) -> list[str]:
        """What a testbench reads to see the weights, as ``module.name``: one register a cell."""
        return [f"{module}.crossbar.w{word}_{lane}" for word in range(machine.weight_words)
                for lane in range(machine.row_tiles * machine.lanes)]

    def image(self, ctx) -> list[list[int]]:
        """The weights in an Amaranth simulation, word by word."""
        return [[ctx.get(weight) for weight in word] for word in self._array.words]
