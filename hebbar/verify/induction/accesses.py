"""That a sweep reaches its memories when the timing table says, whatever is asked of the tile before and behind it.

``Rows`` follows words of the row engine from their slots, ``Neurons`` row groups from their sums to the memories,
``Sums`` what TRN adds. Sweeps, map entries and data are free in every cycle. What feeds back and learns waits in
queues, which no proof follows: in which of the cycles of the table it is written is held by simulation
(``tests/hw/test_access_times.py``).
"""

from typing import Any

from amaranth.hdl import Assume, Cat, Fragment, Module, Mux, Signal, Value
from amaranth.lib import data

from hebbar.contract.effects import EFFECTS, Access, Effect, Resource, Where
from hebbar.contract.fifos import entry_bits
from hebbar.contract.isa import Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.timing import ERROR_LATENCY, FEEDBACK_LATENCY, NEURON_LATENCY, ROW_ACCESSES, RowTiming
from hw.feedback_sums import FeedbackSums
from hw.neuron import Neuron
from hw.row_engine import RowEngine

from .harness import Harness, any_of, delayed, inputs_of, registers, table

__all__ = ["UNITS", "Neurons", "Rows", "Sums"]

IN_FLIGHT = "nothing is in flight where the unit says so"


def happens(effect: Effect, flags: Value) -> Value:
    """Whether a sweep with ``flags``, a signal, has an effect."""
    def which(wanted: Sweep) -> list[Value]:
        return [flags[i] for i in range(len(flags)) if wanted & 1 << i]
    given, unless = which(effect.given), which(effect.unless)
    return any_of(which(effect.flags)) & ~any_of(unless) & ~any_of(~bit for bit in given)


class Neurons(Harness):
    """Row groups go through the neuron unit: its reads and writes are in the cycles of ``ROW_ACCESSES``."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.unit = machine, Neuron(machine)
        super().__init__(inputs_of(self.unit))

    def wire(self, m: Module, platform: Any) -> None:
        unit = self.unit
        m.submodules.neuron = Fragment.get(unit, platform)
        layout = unit.row.shape()
        there = delayed(m, unit.row_valid, NEURON_LATENCY, "row_valid", reset=True)
        rows = [data.View(layout, row) for row in delayed(m, unit.row.as_value(), NEURON_LATENCY, "row")]
        per_word = (self.machine.lanes // self.machine.row_tiles - 1).bit_length()
        reads = {Resource.STATE: unit.state_group, Resource.CLAMP: unit.state_group, Resource.ERROR: unit.error_group,
                 Resource.FEEDBACK: unit.neuron_word, Resource.ACTIVITY: unit.neuron_word}
        writes = {Resource.BASE: unit.write_base, Resource.ERROR: unit.write_error,
                  Resource.STATE: unit.write_state, Resource.ACTIVITY: unit.write_activity}
        if self.machine.integral:
            reads[Resource.INTEGRAL], writes[Resource.INTEGRAL] = unit.error_group, unit.write_integral
        for resource, address in reads.items():
            at = ROW_ACCESSES[Access.READ, resource]
            inside = per_word if resource in (Resource.FEEDBACK, Resource.ACTIVITY) else self.machine.part_bits
            group = rows[at].group >> inside
            self.claim(m, f"read of {resource}", ~there[at] | (address == group))
        for resource, port in writes.items():
            at = ROW_ACCESSES[Access.WRITE, resource]
            due = there[at] & any_of(happens(e, rows[at].flags) for e in EFFECTS if (e.access, e.resource, e.where) == (
                Access.WRITE, resource, Where.ROWS))
            self.claim(m, f"write of {resource}", (port.mask == Mux(due, rows[at].valid_rows, 0))
                       & (~due | (port.group == rows[at].group >> self.machine.part_bits)))
        back = rows[ERROR_LATENCY]
        self.claim(m, "the error comes back", (unit.error_valid == there[ERROR_LATENCY])
                   & (~unit.error_valid | (Value.cast(unit.error_row) == back.as_value())))
        self.claim(m, IN_FLIGHT, unit.busy | ~any_of(there[1:NEURON_LATENCY]))


class Rows(Harness):
    """Words of a row engine on their way to the sums of their rows.

    Any sweep may be offered in any cycle; whatever comes back for errors, nobody is on the stream of the weights.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.unit, self.timing = machine, RowEngine(machine), RowTiming(machine)
        self.taken, offers = Signal(name="taken"), self.unit.sweep
        super().__init__([*inputs_of(self.unit), offers.valid, Value.cast(offers.payload)], [self.taken])

    def wire(self, m: Module, platform: Any) -> None:
        unit, machine, payload = self.unit, self.machine, self.unit.sweep.payload
        m.submodules.tile = tile = Fragment.get(unit, platform)
        block: dict[str, Value] = {"columns": payload.columns[:machine.max_columns.bit_length()],
                                   "groups": payload.groups[:machine.groups.bit_length()]}
        fits = ((payload.columns != 0) & (payload.columns <= machine.max_columns) & (payload.groups != 0)
                & (payload.group_base + payload.groups <= machine.groups))
        m.d.comb += [self.taken.eq(unit.sweep.valid & unit.sweep.ready), Assume(~unit.sweep.valid | fits),
                     Assume(~unit.host.select)]
        shapes = [{"columns": c, "groups": g} for c in range(1, machine.max_columns + 1)
                  for g in range(1, machine.groups + 1)]
        slots = table(m, Cat(*block.values()), {
            s["columns"] | s["groups"] << len(block["columns"]): RowTiming(machine).sweep(0, s, Sweep.FWD)
            for s in shapes}, "slots")
        self.follow(m, unit._walk, registers(tile, "walk"), self.taken, block, slots)
        self._words(m, registers(tile, "walk"))

    def _words(self, m: Module, inside: dict[str, Signal]) -> None:
        """A word is where the table says from its slot on."""
        unit, timing, machine = self.unit, self.timing, self.machine
        walk, to_sum, word = unit._walk, timing.sum_latency, timing.word_latency
        payload, entry_of = unit.sweep.payload, entry_bits(machine)
        block = {name: Signal(payload[name].shape(), name=f"at_{name}")
                 for name in ("weight_base", "stride", "map_base", "group_base", "flags")}
        with m.If(self.taken):
            m.d.sync += [kept.eq(payload[name]) for name, kept in block.items()]
        there = delayed(m, walk.active, to_sum, "active", reset=True)
        ends = delayed(m, walk.last, to_sum, "last")
        tags = [data.View(unit.shapes.tag, tag) for tag in delayed(m, walk.tag.as_value(), to_sum, "tag")]
        address = delayed(m, walk.address, word, "weight_address")
        entry = data.View(unit.shapes.map, delayed(m, Value.cast(unit.map), 1, "entry")[1])
        own = Mux(entry.lanes[:entry_of["lanes"]] == 0,
                  tags[word].group >> (machine.lanes // machine.row_tiles - 1).bit_length(), 0)
        base_early = -ROW_ACCESSES[Access.READ, Resource.BASE]
        for what, holds in (
                ("map entry and weight of a word", ~walk.active | (
                    (unit.map_address == (block["map_base"] + inside["column"])[:len(unit.map_address)])
                    & (walk.address == (inside["row_start"] + inside["column"])[:len(walk.address)]))),
                ("weights of a row group", ~walk.active | (inside["row_start"] == (
                    block["weight_base"] + block["stride"] * inside["group"])[:len(walk.address)])),
                ("row group and flags of a word", ~walk.active | (
                    (walk.tag.group == (block["group_base"] + inside["group"])[:len(walk.tag.group)])
                    & (walk.tag.flags == block["flags"]))),
                ("read of weight", ~there[word] | (unit._bank.read_address[0] == address[word])),
                ("read of activity of a source", ~there[word] | (
                    unit.activity_address == (entry.source + own)[:entry_of["source"]])),
                ("read of base", ~(there[to_sum - base_early] & ends[to_sum - base_early]) | (
                    unit.early_group == tags[to_sum - base_early].group)),
                ("a row has its sum", (unit.row_valid == (there[to_sum] & ends[to_sum])) & (
                    ~unit.row_valid | (Value.cast(unit.row) == tags[to_sum].as_value()))),
                (IN_FLIGHT, ~unit.idle | ~any_of(there))):
            self.claim(m, what, holds)


class Sums(Harness):
    """Feedback sums of a tile are written ``FEEDBACK_LATENCY`` cycles after they are there."""

    def __init__(self, machine: MachineConfig) -> None:
        self.unit = FeedbackSums(machine)
        super().__init__(inputs_of(self.unit))

    def wire(self, m: Module, platform: Any) -> None:
        unit = self.unit
        m.submodules.sums = Fragment.get(unit, platform)
        early = delayed(m, unit.early_word, 1 + FEEDBACK_LATENCY, "early")[-1]
        due = delayed(m, unit.valid, FEEDBACK_LATENCY, "valid_before", reset=True)[-1]
        for name, memory in (("added to", unit.memory), ("shown", unit.shown)):
            port, = memory.write_ports
            self.claim(m, f"write of feedback, {name}", (port.en == due) & (
                ~due | (port.addr == early[:len(port.addr)])))


UNITS: dict[type[Neurons | Rows | Sums], int] = {Rows: 10, Neurons: NEURON_LATENCY + 1, Sums: 2 + FEEDBACK_LATENCY}
"""Every proof, and the cycles of its induction: a value goes through the unit in fewer."""
