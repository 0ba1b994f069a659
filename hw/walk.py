"""The walk of a row engine: from a sweep to the words that it visits, one a cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.fifos import address_bits, group_bits
from hebbar.contract.isa import WEIGHT_FLAGS
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import MAP

from .fields import asks
from .fixed import named
from .tile import Shapes, rows_in_use

__all__ = ["Walk"]


class Walk(wiring.Component):
    """Column after column of a row group, row group after row group, without a cycle between them; without weights word
    after word of W rows.

    Latency: 1 cycle from a sweep to its first word. Throughput: a word a cycle; the next sweep is taken with the last
    word. That a word is the last is found a cycle ahead, because the sequencer goes on by it.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories and the most columns of a row.

    Attributes
    ----------
    sweep : stream.Signature(Shapes.command), in
        The next sweep: flags, gain and a block descriptor that fits.
    active : Signal(1), out
        There is a word; what follows is said of it.
    first, last : Signal(1), out
        It is in the first column of its row, in the last.
    map_address : Signal(12), out
        The map entry of its column.
    address : Signal(self.address_bits), out
        Where its weights are.
    tag : Signal(Shapes.tag), out
        What travels with its row group.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shapes, self.address_bits = machine, Shapes(machine), address_bits(machine)
        super().__init__({
            "sweep": In(stream.Signature(self.shapes.command)), "active": Out(1), "first": Out(1), "last": Out(1),
            "map_address": Out(MAP["source"].width), "address": Out(self.address_bits),
            "tag": Out(self.shapes.tag)})

    def elaborate(self, platform):
        m, following = Module(), self.sweep.payload
        command = Signal(self.shapes.command)
        # A descriptor that fits has no more columns and groups than the machine.
        columns, groups = self.machine.max_columns.bit_length(), self.machine.groups.bit_length()
        column = Signal(range(self.machine.max_columns))
        group = Signal(group_bits(self.machine))
        row_start = Signal(self.address_bits)
        last_group = Signal()
        count, next_count = command.groups[:groups], following.groups[:groups]
        if self.machine.parts > 1:
            next_count = named(m, self._turns(following, next_count), "next_turns")
            count = Signal.like(next_count, name="turns")
            with m.If(self.sweep.ready):
                m.d.sync += count.eq(next_count)
        # What is said of the next word goes to registers: the sequencer goes on by it.
        ready = Signal(init=1)
        next_last, next_last_group = Signal(name="next_last"), Signal(name="next_last_group")
        m.d.comb += self.sweep.ready.eq(ready)
        m.d.sync += [self.last.eq(next_last), last_group.eq(next_last_group), ready.eq(next_last & next_last_group)]
        with m.If(ready):
            m.d.comb += [next_last.eq(following.columns[:columns] == 1), next_last_group.eq(next_count == 1)]
            m.d.sync += [self.active.eq(self.sweep.valid), command.eq(following), column.eq(0), group.eq(0),
                         row_start.eq(following.weight_base),
                         ready.eq(~self.sweep.valid | (next_last & next_last_group))]
        with m.Elif(self.last):
            m.d.comb += [next_last.eq(command.columns[:columns] == 1), next_last_group.eq(group + 2 == count)]
            m.d.sync += [column.eq(0), group.eq(group + 1), row_start.eq(row_start + command.stride)]
        with m.Else():
            m.d.comb += [next_last.eq(column + 2 == command.columns[:columns]), next_last_group.eq(last_group)]
            m.d.sync += column.eq(column + 1)
        tag, rows = self.tag, rows_in_use(command.last_rows, last_group, self.machine.row_tiles)
        m.d.comb += [
            self.first.eq(column == 0), self.map_address.eq(command.map_base + column),
            self.address.eq(row_start + column), tag.flags.eq(command.flags), tag.gain.eq(command.gain),
            *(tag[name].eq(command[name]) for name in ("function", "precision", "align")),
            tag.group.eq(command.group_base + group), tag.first.eq(group == 0)]
        if self.machine.parts > 1:
            rows = self._in_word(m, command, group, last_group, rows)
        m.d.comb += tag.valid_rows.eq(rows)
        return m

    def _turns(self, command: data.View, groups: Value) -> Value:
        """How many row groups, or words of W rows where there are no weights, reach the neuron unit one by one."""
        bits = self.machine.part_bits
        words = (command.group_base[:bits] + groups + self.machine.parts - 1) >> bits
        return Mux(asks(command.flags, WEIGHT_FLAGS), groups, words)[:len(groups)]

    def _in_word(self, m: Module, command: data.View, turn: Value, last: Value, rows: Value) -> Value:
        """The rows in use of a word of W, which has several row groups: with weights ``rows`` in the part of the word
        that is the row group, without them those of all parts from the first one of the block to its last."""
        bits, tiles, group = self.machine.part_bits, self.machine.row_tiles, self.tag.group
        weights = asks(command.flags, WEIGHT_FLAGS)
        begins = command.group_base[:bits]
        ends = named(m, (begins + command.groups - 1)[:bits], "ends")
        with m.If(~weights):
            m.d.comb += group.eq(((command.group_base >> bits) + turn) << bits)
        in_use = []
        for part in range(self.machine.parts):
            # No part is behind the last, or before the first, of a word.
            from_first = (turn != 0) | (begins <= part) if part < self.machine.parts - 1 else Const(1)
            to_last = ~last | (ends >= part) if part else Const(1)
            there, ending = named(m, from_first & to_last, f"part_{part}"), last & (ends == part)
            in_use += [Mux(weights, (group[:bits] == part) & rows[p], there & (~ending | (command.last_rows > p)))
                       for p in range(tiles)]
        return Cat(in_use)
