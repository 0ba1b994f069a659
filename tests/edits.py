"""Edits of the RTL that a suite of random programs does not notice, each with the test that must.

``hebbar bench strangers`` plants every one in a copy of the sources; a suite that grew by its own taste is seen here
to find what others have tried on it. Families of one kind (a check blind to bit n, a counter of n bits) are
written out bit by bit.
"""

from planted import Defect

__all__ = ["EDITS"]

BIT, TRANSFER, REGISTERS = ("tests/test_every_bit.py", "tests/test_every_transfer.py", "tests/test_registers.py")
NEURON, ROWS = "tests/test_neuron.py::test_hw_equals_golden", "tests/test_row_engine.py::test_random_sweeps"
SEQUENCER = "tests/test_sequencer.py"
SEPARATION, STREAMER = "tests/test_separation.py::test_every_bit_of_beta_weighs", "tests/test_streamer.py"
DESCRIPTORS = BIT + "::test_every_limit_of_a_descriptor_holds_in_every_bit"
COUNTERS = BIT + "::test_every_counter_counts_on_in_every_bit"
TOTALS, BUS = "tests/test_counters.py::test_hw_totals_follow_the_addends", "tests/test_bus.py"
LOOPS, WATCHDOG = (BIT + "::test_" + n for n in ("a_loop_runs_as_often_as_it_says_in_every_bit",
                                               "the_watchdog_counts_to_every_bit_of_its_limit"))
PACKET, MOVE = (TRANSFER + f"::test_a_{n}_is_taken_where_it_fits_and_nowhere_else" for n in ("packet", "transfer"))
WORDS = BIT + "::test_every_bit_of_an_instruction_reaches_its_unit"
STALLS = REGISTERS + "::test_a_stall_is_a_cycle_in_which_the_machine_waits_for_the_host"
STATUS = REGISTERS + "::test_status_in_every_state_of_the_machine"
CAUSES = REGISTERS + "::test_every_cause_address_and_count_is_read_as_it_is"
WIRES = REGISTERS + "::test_every_bit_of_a_register_reaches_its_unit"

PORTS, ENTRIES, WRITES, LENGTHS, SEGMENTS = (f"tests/test_wide_fields.py::test_{name}" for name in (
    "every_bit_of_a_descriptor_reaches_its_place", "every_bit_of_a_map_entry_acts",
    "every_bit_of_a_row_reaches_tables_and_memories", "a_row_is_as_long_and_a_block_as_high_as_it_says",
    "every_table_and_every_segment_has_an_entry_of_its_own"))


def blind(file: str, old: str, value: str, bits: range, test: str) -> list[Defect]:
    """``old`` without one bit of the ``value`` that it names last, for each of the bits."""
    head, found, tail = old.rpartition(value)
    assert found, old
    return [Defect(file, old, f"{head}(({value}) & ~(1 << {bit})){tail}", test) for bit in bits]


def narrow(file: str, old: str, widths: list[int], test: str) -> list[Defect]:
    """A signal of fewer bits: ``old`` ends in its width."""
    head, mark, tail = old.rpartition("(")
    return [Defect(file, old, f"{head}{mark}{width}{tail.lstrip('0123456789')}", test) for width in widths]


LISTED = [
    Defect("hw/neuron.py", "live[Stage.ROW] & takes & start_clip", "takes & start_clip", NEURON),
    Defect("hw/row_engine.py", "product = row.error[p] * head.activity[i]\n",
           "product = ((row.error[p] * head.activity[i]) >> 1 << 1) if i == 0 else row.error[p] * "
           "head.activity[i]\n", ROWS),
    Defect("hw/streamer.py", "self.stall_in.eq(~self.s_axis_tvalid)", "self.stall_in.eq(self.s_axis_tvalid)", STALLS),
    Defect("hw/streamer.py", "self.stall_out.eq(~self.m_axis_tready)", "self.stall_out.eq(1)", STALLS),
    Defect("hw/streamer.py", "ended = ~self._in_open | (self._beat_in & self.s_axis_tlast)",
           "ended = ~self._beat_in | self.s_axis_tlast", STREAMER),
    Defect("hw/streamer.py", "self._spare.eq(Mux(packed, -count, 0))", "self._spare.eq(0)", STREAMER),
    Defect("hw/sequencer.py", "(self._depth == LOOP_DEPTH) | (register > LOOP_REGISTERS)",
           "(register > LOOP_REGISTERS)", SEQUENCER + "::test_every_fault_has_its_cause_and_address"),
    Defect("hw/sequencer.py", "with m.Elif(block >= self.machine.blocks):\n                    "
           "m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)\n                with m.Else():\n                    "
           "m.next = \"issue\"", "with m.Elif(block >= self.machine.blocks - 1):\n                    "
           "m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)\n                with m.Else():\n                    "
           "m.next = \"issue\"", WORDS),
    Defect("hw/sequencer.py", "with m.Elif(block >= self.machine.blocks):\n            "
           "m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)\n        with m.Else():\n            m.d.comb += "
           "self.draining", "with m.Elif(block >= self.machine.blocks - 1):\n            "
           "m.d.comb += self._halt.eq(Cause.ILLEGAL_BLOCK)\n        with m.Else():\n            m.d.comb += "
           "self.draining", WORDS),
    Defect("hw/fields.py", "(b[\"tail\"] != 0) & ", "", DESCRIPTORS),
    Defect("hw/machine.py", "self.tile.idle & ~self.neuron.busy & ~self._separates",
           "self.tile.idle & ~self.neuron.busy", REGISTERS + "::test_a_separation_that_the_watchdog_meets_ends_before_"
           "the_machine_halts"),
    Defect("hw/machine.py", "self.tile.idle & ~self.neuron.busy & ~self._separates",
           "self.tile.idle & ~self._separates", ROWS),
    Defect("hw/machine.py", "Mux(seq.fault, Status.FAULT, 0)", "0", STATUS),
    Defect("hw/energy_sum.py", "Mux(total[ENERGY_BITS:].any(), (1 << ENERGY_BITS) - 1, total)", "total",
           "tests/test_energy_sum.py::test_hw_stays_at_its_largest")]
"""The edits as they were tried."""

SIBLINGS = [
    *blind("hw/streamer.py", "with m.If((end > self._depths[memory])", "end", range(22), PACKET),
    *blind("hw/streamer.py", "with m.If((end > self._depths[memory])", "end", range(5), MOVE),
    *blind("hw/fields.py", "(b[\"map_base\"] + b[\"columns\"] <=", "b[\"map_base\"] + b[\"columns\"]", range(13),
           DESCRIPTORS),
    *blind("hw/fields.py", "inside = (end <=", "end", range(27), DESCRIPTORS),
    *blind("hw/fields.py", "& (b[\"group_base\"] + b[\"groups\"] <=", "b[\"group_base\"] + b[\"groups\"]", range(15),
           DESCRIPTORS),
    *blind("hw/fields.py", "(b[\"function\"] <", "b[\"function\"]", range(4), DESCRIPTORS),
    *blind("hw/fields.py", "(b[\"columns\"] <=", "b[\"columns\"]", range(12), DESCRIPTORS),
    *blind("hw/fields.py", "(b[\"tail\"] <=", "b[\"tail\"]", range(8), DESCRIPTORS),
    *blind("hw/separation.py", "product.eq(distance * self.beta)", "self.beta", range(16), SEPARATION),
    *(Defect("hw/counters.py", "TOTAL_BITS = 64", f"TOTAL_BITS = {bits}", COUNTERS) for bits in (32, 40, 48, 63)),
    *(Defect("hw/counters.py", "name: unsigned(width) for", f"name: unsigned(min(width, {bits})) for", COUNTERS)
      for bits in (8, 16, 19)),
    Defect("hw/counters.py", "UNATTENDED = 4 * COUNT + 4", "UNATTENDED = 2 * COUNT", TOTALS),
    Defect("hw/counters.py", "held.eq(rest)", "held.eq(live)", TOTALS),
    Defect("hw/counters.py", "mode[1].clearing & ~mode[1].latching", "mode[1].clearing", TOTALS),
    Defect("hw/counters.py", "mode[3].clearing & mode[3].latching", "0", TOTALS),
    Defect("hw/counters.py", "mode[1].wiping | ", "", "tests/test_counters.py::test_hw_counts_for_as_long_as_it_says"),
    Defect("hw/counters.py", "asked & ~self.counting & ~self._odd", "asked & ~self._odd", TOTALS),
    Defect("hw/counters.py", "asked & ~self.counting & ~self._odd", "asked & ~self.counting", TOTALS),
    *narrow("hw/bus.py", "\"counter\": In(64", [32, 40, 63], CAUSES),
    *(Defect("hw/bus.py", "Control.START | Control.LATCH", f"Control.{name}",
             BUS + "::test_start_and_latch_wait_for_the_counters")
      for name in ("START", "LATCH")),
    Defect("hw/bus.py", "(~counter | self.counter_ready)", "1", BUS + "::test_a_counter_is_returned_when_it_is_there"),
    *narrow("hw/sequencer.py", "quiet = self._quiet = Signal(32", [16, 24, 31], WATCHDOG),
    *narrow("hw/sequencer.py", "register, count = field(word, loop[\"register\"]), Signal(32", [12, 18, 31], LOOPS),
    *narrow("hw/sequencer.py", "self._left = Array(Signal(32", [12, 18, 31], LOOPS),
    *blind("hw/sequencer.py", "with m.Elif(self._left[top] == 1):", "self._left[top]", range(1, 32, 6), LOOPS),
    *blind("hw/sequencer.py", "self.loops[(register - 1)[:2]]", "(register - 1)[:2]", range(2), LOOPS),
    *blind("hw/sequencer.py", "m.d.sync += [self._block.eq(block)", "block", range(10), WORDS),
    *blind("hw/sequencer.py", "self._gain.eq(field(word, sweep[\"gain\"]))", "field(word, sweep[\"gain\"])", range(2),
           WORDS),
    *blind("hw/sequencer.py", "self.transfer_word.eq(word)", "word", range(28), WORDS),
    *blind("hw/sequencer.py", "self.pc >= self.machine.program_words", "self.pc", range(12, 13),
           BIT + "::test_every_bit_of_an_address_counts"),
    Defect("hw/sequencer.py", "Mux(self.entry[len(self.pc):].any(), ~0, self.entry)", "self.entry",
           BIT + "::test_an_entry_beyond_the_program_is_refused_in_every_bit"),
    *blind("hw/row_engine.py", "self.map_address.eq(command.map_base + column)", "command.map_base", range(0, 12, 4),
           PORTS),
    *blind("hw/row_engine.py", "row_start.eq(self.sweep.payload.weight_base)", "self.sweep.payload.weight_base",
           range(0, 16, 5), PORTS),
    *blind("hw/row_engine.py", "row_start.eq(row_start + command.stride)", "command.stride", range(0, 12, 4), PORTS),
    *blind("hw/row_engine.py", "tag.group.eq(command.group_base + group)", "command.group_base", range(0, 14, 4),
           PORTS),
    *blind("hw/row_engine.py", "column + 1 == command.columns", "column + 1", range(0, 10, 3), LENGTHS),
    *blind("hw/row_engine.py", "group + 1 == command.groups", "group + 1", range(0, 10, 3), LENGTHS),
    *blind("hw/row_engine.py", "self.back_word.eq(entries[Back.WRITE].source)", "entries[Back.WRITE].source",
           range(0, 12, 4), ENTRIES),
    *blind("hw/row_engine.py", "source.eq(self.map.source +", "self.map.source", range(0, 12, 4), ENTRIES),
    *blind("hw/row_engine.py", "self.rates[entries[Back.PRODUCT].rate]", "entries[Back.PRODUCT].rate", range(4),
           ENTRIES),
    *blind("hw/row_engine.py", "tree(m, products, f\"tree{p}\") << shift", "shift", range(3), ENTRIES),
    *blind("hw/neuron.py", "self.gains[tag[Stage.GAIN].gain]", "tag[Stage.GAIN].gain", range(2), WRITES),
    *blind("hw/neuron.py", "self.derivative_table.eq(tag[Stage.ERROR].function)", "tag[Stage.ERROR].function",
           range(4), WRITES),
    *blind("hw/neuron.py", "self.function_table.eq(tag[Stage.WRITE].function)", "tag[Stage.WRITE].function",
           range(4), WRITES),
    *blind("hw/table.py", "Cat(state[frac:], self.function)", "self.function", range(4), SEGMENTS),
    Defect("hw/machine.py", "Mux(seq.running, Status.RUNNING, 0)", "0", STATUS),
    Defect("hw/machine.py", "Mux(self.streamer.active, Status.STREAMING, 0)", "0", STATUS),
    Defect("hw/machine.py", " | Mux(seq.aborted, Status.ABORTED, 0)", "", STATUS),
    Defect("hw/machine.py", "bus.cause.eq(seq.cause)", "bus.cause.eq(seq.cause[:3])", CAUSES),
    Defect("hw/machine.py", "bus.pc.eq(seq.pc)", "bus.pc.eq(seq.pc[:12])", CAUSES),
    Defect("hw/machine.py", "unit.beta.eq(self.bus.beta)", "unit.beta.eq(self.bus.beta[:15])", WIRES),
    Defect("hw/machine.py", "unit.tolerance.eq(self.bus.tolerance)", "unit.tolerance.eq(self.bus.tolerance[:31])",
           WIRES),
    Defect("hw/machine.py", "seq.watchdog.eq(bus.watchdog)", "seq.watchdog.eq(bus.watchdog[:24])", WIRES),
    Defect("hw/machine.py", "seq.loops[i].eq(getattr(bus, f\"loop{i}\"))",
           "seq.loops[i].eq(getattr(bus, f\"loop{i & 2}\"))", WIRES),
    Defect("hw/machine.py", "self.neuron.gains[i].eq(getattr(bus, f\"gain{i}\"))",
           "self.neuron.gains[i].eq(getattr(bus, f\"gain{i}\")[:7])", WIRES),
    Defect("hw/machine.py", "self.tile.rates[i].eq(getattr(bus, f\"rate{i}\"))",
           "self.tile.rates[i].eq(getattr(bus, f\"rate{i & 7}\"))", WIRES),
    Defect("hw/machine.py", "unit.index.eq(bus.counter_index)", "unit.index.eq(bus.counter_index[:5])", CAUSES),
    Defect("hw/machine.py", "\"stall_out\": streamer.stall_out", "\"stall_out\": streamer.stall_in", STALLS),
    Defect("hw/machine.py", "\"stream\": rest & moving", "\"stream\": rest", STALLS),
    Defect("hw/sequencer.py", "self.fault.eq(self.cause >= Cause.ILLEGAL_OP)", "self.fault.eq(self.cause > "
           "Cause.ILLEGAL_OP)", CAUSES),
    Defect("hw/sequencer.py", "self.fault.eq(self.cause >= Cause.ILLEGAL_OP)", "self.fault.eq((self.cause >= "
           "Cause.ILLEGAL_OP) & (self.cause != Cause.WATCHDOG))", CAUSES)]
"""More of the same kind."""

EDITS = (*LISTED, *SIBLINGS)
