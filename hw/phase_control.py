"""The control of a tile whose sweeps go through phases, whatever the array is that it drives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hebbar.contract.isa import ISSUE_FLAGS, OPERAND_FLAGS, WEIGHT_FLAGS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK
from hebbar.contract.timing import ERROR_LATENCY, ArrayTiming

from .fields import asks
from .fixed import named
from .pipeline import check_latency, staged
from .tile import Shapes, mac_count, rows_in_use

__all__ = ["Lines", "Phase", "PhaseControl"]


class Stage(IntEnum):
    """Where a row group is on its way from its conversion to its errors."""

    CONVERT = 0
    ROW = 2
    ERROR = 7


check_latency("ERROR_LATENCY", ERROR_LATENCY, Stage.ERROR - Stage.ROW)


@dataclass(frozen=True)
class Phase:
    """A phase of a sweep, entered when ``asked``: ``steps`` steps of ``ticks`` cycles."""

    name: str
    asked: Value
    steps: Value | int
    ticks: Value | int = 1


class Lines:
    """What the control drives of an array, under the names of the ports of ``hw.crossbar.Crossbar``.

    For an array that is not RTL: ``columns`` and ``errors`` are the registers of its lines, ``fire``, ``feed`` and
    ``learn`` are high in the phases of these names, and it does not tell which weights it clips.
    """

    def __init__(self, machine: MachineConfig) -> None:
        shapes = Shapes(machine)
        self.columns = Signal(shapes.columns)
        self.errors = Signal(shapes.line_errors)
        self.block = Signal(len(self.errors))
        self.fire = Signal()
        self.feed = Signal()
        self.learn = Signal()
        self.saturated = Const(0, 20)


class PhaseControl:
    """Takes sweeps, walks through their phases and moves what goes in and out of an array at its edges.

    A part of a tile, in the module of the tile: it drives the ports of ``hw.tile.TileSignature`` but for ``host``,
    and the inputs of the array.

    Parameters
    ----------
    machine : MachineConfig
        The machine whose tile this is.
    timing : ArrayTiming
        Where the constant lengths of phases come from.
    tile : wiring.Component
        The component with the ports of a tile.
    array : wiring.Component or Lines
        What has ``columns``, ``errors``, ``block`` and the strobes ``fire``, ``feed`` and ``learn``.

    Attributes
    ----------
    command, flags : View, Value
        The sweep that is walked through, and its flags.
    step : Signal
        The step of the phase: a column, a row group or a bit of a code.
    tick : Signal
        The cycle of the step, where a step has several.
    sums : Signal
        Those of the row group that was converted in the cycle before, 0 unless ``take_sums`` sets them.
    first_row, first_column : Signal
        The row group and the column of the array at which the block of the sweep begins.
    inside, ends : dict of Value, by the name of a phase
        High in all cycles of a phase; high in the last cycle of each of its steps.
    """

    def __init__(self, machine: MachineConfig, timing: ArrayTiming, tile: wiring.Component, array) -> None:
        self._machine, self._timing, self._tile, self._array = machine, timing, tile, array
        check_latency("ArrayTiming.convert_latency", timing.convert_latency, Stage.ROW - Stage.CONVERT)
        check_latency("ArrayTiming.settle", timing.settle, Stage.ERROR - Stage.CONVERT)
        self._shapes = Shapes(machine)
        self.command = Signal(self._shapes.command)
        self.flags = self.command.flags
        self.step = Signal(BLOCK["groups"].width)
        self.tick = Signal(16)
        self.sums = Signal(self._shapes.sums)
        self.first_row = Signal(20)
        self.first_column = Signal(BLOCK["columns"].width)
        self._feeding = Signal(name="feeding")
        self.inside: dict[str, Value] = {}
        self.ends: dict[str, Value] = {}
        self._lanes = {f: Signal(20, name=f"lanes_{(f.name or '').lower()}") for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD)}

    def build(self, m: Module, phases: list[Phase], take_sums: Callable[[Value], None], backs: Sequence[Value]) -> None:
        """Add the control to the module of the tile.

        ``phases``: those of a sweep in their order; "load" is the first of a sweep with weights, "convert" of one
        without. ``take_sums(group)`` sets ``sums`` to those of a row group; ``backs``: the feedback sums of
        each column of the array.
        """
        busy = self._walk(m, phases)
        self._load(m)
        self._convert(m, take_sums)
        self._back(m, backs)
        self._count(m, busy)
        m.d.comb += self._tile.idle.eq(~(busy | self._leaving | self._feeding))

    def _walk(self, m: Module, phases: list[Phase]) -> Value:
        """Walk through the phases of a sweep; returns whether there is one."""
        stride = self._machine.array_stride
        base = self._tile.sweep.payload.weight_base
        self._place = named(m, base // stride, "taken_row"), named(m, base % stride, "taken_column")
        self._next_step = named(m, self.step + 1, "next_step")
        with m.FSM() as fsm:
            with m.State("idle"):
                self._take(m)
            for i, phase in enumerate(phases):
                with m.State(phase.name):
                    last = self._ticked(m, phase.ticks)
                    with m.If(last):
                        m.d.sync += self.step.eq(self._next_step)
                    with m.If(last & (self._next_step == phase.steps)):
                        m.d.sync += self.step.eq(0)
                        self._leave(m, phases[i + 1:])
                self.ends[phase.name] = fsm.ongoing(phase.name) & last
        self.inside.update({phase.name: fsm.ongoing(phase.name) for phase in phases})
        return ~fsm.ongoing("idle")

    def _ticked(self, m: Module, ticks: Value | int) -> Value:
        """Count the cycles of a step where it has several; true in the last of them."""
        if isinstance(ticks, int) and ticks == 1:
            return Const(1)
        last = named(m, self.tick + 1 == ticks, "last_tick")
        m.d.sync += self.tick.eq(Mux(last, 0, self.tick + 1))
        return last

    def _leave(self, m: Module, later: list[Phase]) -> None:
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
        payload, (row, column) = self._tile.sweep.payload, self._place
        m.d.comb += self._tile.sweep.ready.eq(1)
        m.d.sync += [self.command.eq(payload), self._array.columns.eq(0), self._array.errors.eq(0),
                     self.first_row.eq(row), self.first_column.eq(column),
                     *(lanes.eq(0) for lanes in self._lanes.values())]
        with m.If(~self._tile.sweep.valid):
            m.next = "idle"
        with m.Elif(asks(payload.flags, WEIGHT_FLAGS)):
            m.next = "load"
        with m.Else():
            m.next = "convert"

    def _load(self, m: Module) -> None:
        """Column k: map entry at step k + 1, activities at step k + 2."""
        entry = Signal(self._shapes.map)
        command = self.command
        per_word = self._machine.lanes // self._machine.row_tiles
        home = named(m, self.first_row - command.group_base, "home")
        used = named(m, entry.lanes != 0, "used")
        rate = named(m, self._tile.rates[entry.rate], "entry_rate")
        own = named(m, entry.source * per_word + home, "entry_own")
        activity = [named(m, Mux(entry.lanes > i, a, 0), f"loaded_{i}") for i, a in enumerate(self._tile.activity)]
        m.d.sync += entry.eq(self._tile.map)
        m.d.comb += [self._tile.map_address.eq(command.map_base + self.step),
                     self._tile.activity_address.eq(self._tile.map.source)]
        with m.If(self.inside["load"] & (self.step >= self._timing.load_latency)):
            at = self.first_column + self.step - self._timing.load_latency
            with m.Switch(at[:len(self.step)]):
                for k, column in enumerate(self._array.columns):
                    with m.Case(k):
                        m.d.sync += [column.entry.eq(entry), column.entry.feedback.eq(entry.feedback & used),
                                     column.entry.plastic.eq(entry.plastic & used),
                                     column.rate.eq(rate), column.self_connection.eq(own)]
                        m.d.sync += [column.activity[i].eq(a) for i, a in enumerate(activity)]
            for verb, counts in ((Sweep.FWD, 1), (Sweep.TRN, entry.feedback), (Sweep.UPD, entry.plastic)):
                lanes = self._lanes[verb]
                m.d.sync += lanes.eq(lanes + Mux(counts, entry.lanes, 0))

    def _convert(self, m: Module, take_sums: Callable[[Value], None]) -> None:
        """A row group a cycle: its sums to the neuron unit, later its errors back."""
        # Flags and place go along: when its errors are back, the control is in a later phase or in the next sweep.
        command, tile = self.command, self._tile
        last = self._next_step == command.groups
        place = staged(m, self.first_row + self.step, Stage.CONVERT, Stage.ERROR, "place")
        valid = staged(m, self.ends["convert"], Stage.CONVERT, Stage.ERROR, "converted", reset=True)
        later = staged(m, asks(self.flags, OPERAND_FLAGS), Stage.CONVERT, Stage.ERROR, "later")[Stage.ERROR]
        row = Signal(self._shapes.tag)
        m.d.comb += [row.flags.eq(command.flags), row.gain.eq(command.gain),
                     *(row[name].eq(command[name]) for name in ("function", "precision", "align")),
                     row.group.eq(tile.early_group),
                     row.valid_rows.eq(rows_in_use(command.last_rows, last, self._machine.row_tiles)),
                     row.first.eq(self.step == 0),
                     tile.early_group.eq(command.group_base + self.step), tile.row_valid.eq(valid[Stage.ROW]),
                     tile.row.eq(staged(m, row.as_value(), Stage.CONVERT, Stage.ROW, "row")[Stage.ROW])]
        self._leaving = Cat(there for stage, there in valid.items() if Stage.CONVERT < stage <= Stage.ROW).any()
        m.d.sync += [self.sums.eq(0), tile.sums.eq(self.sums)]
        with m.If(self.ends["convert"] & asks(self.flags, Sweep.FWD)):
            take_sums(place[Stage.CONVERT])
        with m.If(valid[Stage.ERROR] & later), m.Switch(place[Stage.ERROR]):
            for g in range(len(self._array.errors)):
                with m.Case(g):
                    m.d.sync += self._array.errors[g].eq(tile.error)

    def _back(self, m: Module, backs: Sequence[Value]) -> None:
        """A column a step to the feedback sums of its source, a cycle after the number of their word."""
        tile = self._tile
        there, replace, sums = Signal(), Signal(reset_less=True), Signal(self._shapes.backs, reset_less=True)
        m.d.comb += [tile.back_valid.eq(there), tile.feedback_overwrite.eq(replace), tile.feedback_sums.eq(sums)]
        m.d.sync += [there.eq(0), self._feeding.eq(self.ends["back"])]
        with m.Switch((self.first_column + self.step)[:len(self.step)]):
            for k, column in enumerate(self._array.columns):
                with m.Case(k):
                    m.d.comb += tile.early_word.eq(column.entry.source)
                    m.d.sync += [there.eq(self.ends["back"] & column.entry.feedback),
                                 replace.eq(column.entry.overwrite), sums.eq(backs[k])]

    def _count(self, m: Module, busy: Value) -> None:
        """Cycles and work of this cycle; a strobe works on the whole block at once."""
        tile, array, command, inside = self._tile, self._array, self.command, self.inside
        rows = Signal(20)
        weights = asks(self.flags, WEIGHT_FLAGS)
        end = named(m, self.first_row + command.groups, "end_row")
        work = {f: mac_count(rows, self._lanes[f], strobe) for f, strobe in
                ((Sweep.FWD, array.fire), (Sweep.TRN, array.feed), (Sweep.UPD, array.learn))}
        m.d.comb += [
            array.fire.eq(inside["fire"]), array.feed.eq(inside["feed"]),
            array.learn.eq(inside["learn"]), tile.saturated.eq(array.saturated),
            rows.eq((command.groups - 1) * self._machine.row_tiles + command.last_rows),
            array.block.eq(Cat((g >= self.first_row) & (g < end) for g in range(len(array.errors)))),
            tile.mac_fwd.eq(work[Sweep.FWD]), tile.mac_trn.eq(work[Sweep.TRN]),
            tile.mac_upd.eq(work[Sweep.UPD]), tile.writes.eq(work[Sweep.UPD]),
            tile.reads.eq(mac_count(rows, self._lanes[Sweep.FWD], array.fire | array.feed)),
            tile.issue.eq(busy & weights), tile.slot.eq(busy & ~weights),
            tile.set.eq(Cat(asks(self.flags, f) for f in ISSUE_FLAGS))]
