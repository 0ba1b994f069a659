"""Planted defects: one changed line each, and the test that must fail because of it. This is the one list of them.

A suite that passes says little until it is seen to fail. ``tests/test_planted.py`` plants DEFECTS in a copy of the
sources and expects the test of each to fail; ``hebbar bench strangers`` plants EDITS, which take longer, and
``hebbar bench house`` all of them. Those that ``hebbar simulate --break`` plants stand in ``sim/defects.py``, because
they are installed.
"""

from sim.defects import DEFECTS as SHOWN, Defect

__all__ = ["DEFECTS", "EDITS", "PLANTED"]

PROGRAMS, ROWS = "tests/test_programs.py", "tests/test_row_engine.py"
ARRAY, BUS, DATA = "tests/test_array_macro.py", "tests/test_bus.py", "tests/test_datasets.py"
REF = "golden/reference/"
THEOREMS, THEORY = "tests/test_reference_theorems.py", "tests/test_reference_theory.py"
BEHAVIOUR = "tests/test_reference_behaviour.py"
COMPILED, API, ENERGY = "tests/test_compiled.py", "tests/test_api.py", "tests/test_energy.py"
TRAINING = "tests/test_training.py"
SEPARATION, ENERGY_SUM, SEQUENCER = "tests/test_separation.py", "tests/test_energy_sum.py", "tests/test_sequencer.py"
RANDOM = "tests/test_random_programs.py"
ANALOG, WIRES, ENDS = "tests/test_analog_", "tests/test_wires.py", "tests/test_line_ends.py"
NEURON, FIXED, TABLE = "tests/test_neuron.py", "tests/test_fixed.py", "tests/test_table.py"

BIT, TRANSFER, REGISTERS = ("tests/test_every_bit.py", "tests/test_every_transfer.py", "tests/test_registers.py")
TWINS, SWEEPS = "tests/test_neuron.py::test_hw_equals_golden", "tests/test_row_engine.py::test_random_sweeps"
BETA, STREAMER = "tests/test_separation.py::test_every_bit_of_beta_weighs", "tests/test_streamer.py"
DESCRIPTORS = BIT + "::test_every_limit_of_a_descriptor_holds_in_every_bit"
COUNTERS = BIT + "::test_every_counter_counts_on_in_every_bit"
TOTALS = "tests/test_counters.py::test_hw_totals_follow_the_addends"
LOOPS, WATCHDOG = (BIT + "::test_" + n for n in ("a_loop_runs_as_often_as_it_says_in_every_bit",
                                               "the_watchdog_counts_to_every_bit_of_its_limit"))
PACKET, MOVE = (TRANSFER + f"::test_a_{n}_is_taken_where_it_fits_and_nowhere_else" for n in ("packet", "transfer"))
WORDS = BIT + "::test_every_bit_of_an_instruction_reaches_its_unit"
STALLS = REGISTERS + "::test_a_stall_is_a_cycle_in_which_the_machine_waits_for_the_host"
STATUS = REGISTERS + "::test_status_in_every_state_of_the_machine"
CAUSES = REGISTERS + "::test_every_cause_address_and_count_is_read_as_it_is"
REACHES = REGISTERS + "::test_every_bit_of_a_register_reaches_its_unit"

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


DEFECTS = (
    Defect("golden/fixed.py", "half = (1 << np.asarray(shift, dtype=np.int64)) >> 1",
           "half = 0 * ((1 << np.asarray(shift, dtype=np.int64)) >> 1)", FIXED),
    Defect("golden/neuron.py", "operand = gain * (scaled - (rows.error", "operand = gain * (scaled + (rows.error",
           NEURON),
    Defect("golden/neuron.py", "free = rows.clamp == 0\n            moved", "free = rows.clamp >= 0\n            moved",
           NEURON),
    Defect("golden/feedback_sums.py", "feed.overwrite and rows.start == 0", "feed.overwrite",
           "tests/test_feedback_sums.py"),
    Defect("golden/machine.py", "self.tile.update(weights, plan, operand, activity, self.rates",
           "self.tile.update(weights, plan, operand, activity, self.rates + 1", PROGRAMS),
    Defect("golden/sequencer.py", "        if not count:\n            return fields[\"end\"]",
           "        if not count:\n            return address + 1", "tests/test_sequencer.py"),
    Defect("golden/table.py", "fraction = unsigned >> self._frac, unsigned & ((1 << self._frac) - 1)",
           "fraction = unsigned >> self._frac, unsigned & ((1 << self._frac) - 2)", TABLE),
    Defect("hw/neuron.py", "on[Stage.ROW][Sweep.INIT] & ~self.clamp[p]", "on[Stage.ROW][Sweep.INIT]",
           NEURON),
    Defect("hw/neuron.py", "Mux(on[Stage.ROW][Sweep.BASE], self.base[p], 0)", "self.base[p]", NEURON),
    Defect("hw/row_engine.py", "Mux(slot[\"first\"][at.tree], 0, total)", "total", ROWS),
    Defect("hw/row_engine.py", "overwrite = staged(m, entry.overwrite & first,",
           "overwrite = staged(m, entry.overwrite,", ROWS),
    Defect("hw/row_engine.py", "Mux(entry.lanes > i, a, 0)", "Mux(entry.lanes >= i, a, 0)", ROWS),
    Defect("hw/row_engine.py", "self.rates[entries[Back.PRODUCT].rate]",
           "self.rates[entries[Back.WRITE].rate]", ROWS),
    Defect("hw/row_engine.py", "row_start.eq(row_start + command.stride)]",
           "row_start.eq(row_start + command.columns)]", ROWS),
    Defect("hw/row_engine.py", "self.idle.eq(~(self._active | words[\"busy\"] | busy_back))",
           "self.idle.eq(~(self._active | words[\"busy\"]))", ROWS),
    Defect("hw/fixed.py", "((value << 1 >> shift) + 1) >> 1", "((value << 1 >> shift) + 2) >> 1", FIXED),
    Defect("hw/fixed.py", "high, low = ~sign & above.any(), sign & ~above.all()",
           "high, low = ~sign & above.any(), sign & ~above.any()", FIXED),
    Defect("hw/fields.py", "| (flags & Sweep.DELTA).any() & (flags & both).any())", ")",
           "tests/test_sequencer.py"),
    Defect("hw/streamer.py", "with m.If(self.s_axis_tlast != (final & self._last)):",
           "with m.If(self.s_axis_tlast & ~final):", "tests/test_streamer.py"),
    Defect("hw/streamer.py", "with m.If((end > self._depths[memory]) | (beats == 0)):",
           "with m.If(beats == 0):", "tests/test_streamer.py"),
    Defect("hebbar/contract/timing.py", "self._back = max(self._back + slots, ready + slots)",
           "self._back = ready + slots", ROWS),
    Defect("hebbar/compiler/schedule.py", "return bool(op.reads() & self.writes or op.writes() & self.reads",
           "return bool(op.writes() & self.reads", PROGRAMS),
    Defect("hebbar/compiler/rules/builder.py", "overwrite = reached - fed", "overwrite = reached", PROGRAMS),
    Defect("hebbar/compiler/rules/builder.py", "ready = all(r in swept and r is not b for",
           "ready = all(True for", PROGRAMS),
    Defect("hebbar/compiler/assembler.py", "last_rows=block.rows - (block.groups - 1) * tiles)",
           "last_rows=tiles)", "tests/test_workload.py"),
    Defect("hebbar/compiler/assembler.py", "+ m.state_frac + source.activity_frac - m.weight_frac",
           "+ m.state_frac + m.activity_frac - m.weight_frac", PROGRAMS),
    Defect("hebbar/compiler/layout.py", "not self.fixed(e.source), e.identity is not self.fixed(e.source)))",
           "0,))", PROGRAMS),
    Defect("hebbar/compiler/rules/predictive.py", "else s.rule.steps + 1", "else s.rule.steps",
           "tests/test_workload.py"),
    Defect("hebbar/compiler/rules/predictive.py", "        steps = s.rule.steps - 1\n",
           "        steps = s.rule.steps\n", PROGRAMS),
    Defect("hebbar/contract/isa.py", "word |= field.put(values.get(name, 0), f\"{op.name} {name}\")",
           "word = field.put(values.get(name, 0), f\"{op.name} {name}\")", "tests/test_sequencer.py"),
    Defect("hw/crossbar.py", "(column.self_connection == g - i // tiles)", "(column.self_connection == g)",
           ARRAY + "::test_random_sweeps_agree"),
    Defect("hw/crossbar.py", " << column.entry.shift)", ")", ARRAY),
    Defect("hw/phase_control.py", "self._array.errors.eq(0),", "", ARRAY),
    Defect("hw/phase_control.py", "self._tile.idle.eq(~(busy | self._tile.row_valid))", "self._tile.idle.eq(~busy)",
           ARRAY + "::test_random_sweeps_agree"),
    Defect("hebbar/contract/timing.py", "settle = 2", "settle = 1", ARRAY),
    Defect("hebbar/contract/tiles.py", "crossbar.w{word}_{lane}", "crossbar.w{lane}_{word}",
           "tests/test_tiles.py::test_a_record_agrees_with_the_machine_that_is_built"),
    Defect("sim/backends/registry.py", "if waves and not self.waves:", "if waves and not self.name:",
           "tests/test_backends.py::test_what_its_entry_does_not_promise_is_refused"),
    Defect("hw/bus.py", "with m.If(self.s_axil_bready):", "with m.If(1):", BUS),
    Defect("hw/bus.py", "with m.If(strobe[lane]):", "with m.If(strobe[0]):", BUS),
    Defect("hw/bus.py", "s_axil_bresp.eq(Response.SLVERR)", "s_axil_bresp.eq(Response.OKAY)", BUS),
    Defect("hw/bus.py", "word_select(address[2], 32)", "word_select(~address[2], 32)", BUS),
    Defect(REF + "energy.py", "(x >= -1) & (x < 1)", "(x >= -1) & (x <= 1)", BEHAVIOUR),
    Defect(REF + "plan.py", "activities.get(edge.source, source.a)", "source.a", BEHAVIOUR),
    Defect("golden/reference/reverse.py", "if depth[n.name] == step:",
           "if depth[n.name] == step and now[n.name].all():", "tests/test_reference_reverse.py"),
    Defect("golden/reference/inference.py", "return states, *assess(network, weights, states)",
           "return states, *assess(network, weights, states | {n: 0 * x for n, x in list(states.items())[1:2]})",
           THEOREMS),
    Defect("golden/reference/rules.py", "states = move(graph, current, states, error, 1.0, held)",
           "states = move(graph, _added(graph, current, delta), states, error, 1.0, held)",
           THEOREMS),
    Defect("golden/reference/rules.py", "if levels[key[1]] == t}",
           "if levels[key[1]] == max(levels.values()) - t}", "tests/test_reference_theorems.py"),
    Defect("golden/reference/energy.py", "for e in network.outgoing(name):\n        total = total + (error",
           "for e in network.outgoing(name)[:1]:\n        total = total + (error", "tests/test_reference_theorems.py"),
    Defect("golden/reference/theory.py", "_jacobian(network, weights, names, states), 2) ** 2",
           "_jacobian(network, weights, names, states)) ** 2", "tests/test_reference_theory.py"),
    Defect("golden/reference/state.py", "np.sqrt(3.0 / columns)",
           "np.sqrt(3.0 / shape[0])", "tests/test_reference_behaviour.py"),
    Defect("golden/reference/state.py", "(~gone).sum(axis=1, keepdims=True)",
           "(~gone).sum(axis=0).max()", "tests/test_reference_elements.py"),
    Defect("golden/reference/energy.py", "2.0 ** -(p.precision + 1)",
           "2.0 ** -1", "tests/test_reference_elements.py"),
    Defect("golden/reference/rules.py", "new[e.source, e.target] = np.maximum(new[e.source, e.target], 0.0)",
           "pass", "tests/test_reference_elements.py"),
    Defect("golden/reference/hopfield.py", "return np.where(z >= 0, 1.0, -1.0) if retrieval.sign else z",
           "return z", "tests/test_reference_hopfield.py"),
    Defect("golden/reference/reward_bases.py", "later = np.zeros_like(now) if step.after is None else",
           "later =", "tests/test_reference_reward_bases.py"),
    Defect("golden/reference/divergence.py", "_spread(softmax(x), log_softmax(x) - log_softmax(mu))",
           "(log_softmax(x) - log_softmax(mu))", "tests/test_reference_divergence.py"),
    Defect("golden/learning/weights.py", "gone is not None and gone & (matrix != 0)", "None", "tests/test_weights.py"),
    Defect("golden/learning/weights.py", "edge.positive and matrix < 0", "None", "tests/test_weights.py"),
    Defect("hebbar/contract/formats.py", "> allowance * abs(value)", "> abs(value)", "tests/test_parameters.py"),
    Defect("hebbar/compiler/parameters.py", "if not bound <= end:", "if False:", "tests/test_parameters.py"),
    Defect("hebbar/contract/analog.py", "named if isinstance(named, dict) else known[part]", "known[part]",
           "tests/test_config.py"),
    Defect("golden/learning/datasets.py", "return rows[:-count], rows[-count:]", "return rows[count:], rows[:count]",
           DATA),
    Defect("golden/learning/datasets.py", "default_rng([seed, epoch])", "default_rng(seed + epoch)", DATA),
    Defect("golden/learning/datasets.py", "        codes += 128\n", "", "tests/test_idx.py"),
    Defect("golden/learning/weights.py", "(codes < f.lo) | (codes > f.hi)", "(codes < f.lo)", "tests/test_weights.py"),
    Defect("golden/learning/weights.py", "return matrix if matrix.dtype == np.float32 else matrix.astype(np.float64)",
           "return matrix.astype(np.float16)", "tests/test_weights.py"),
    Defect("golden/compiled/tile.py", "narrow = size * -limits.weight_lo <= TOP",
           "narrow = size * -limits.weight_lo <= TOP + 1", COMPILED),
    Defect("golden/compiled/neuron.py", "        clips += free and kept != exact\n",
           "        clips += kept != exact\n", COMPILED),
    Defect("golden/compiled/machine.py", "plan.count * bool(flags & (Sweep.STEP | Sweep.DELTA)),",
           "plan.count * bool(flags & Sweep.STEP),", COMPILED),
    Defect("hebbar/api.py", "self._image, h = curve.weights, curve.health", "h = curve.health", API),
    Defect("golden/learning/health.py", "shares[kind] >= CLIPPED", "shares[kind] > 2", "tests/test_health.py"),
    Defect("golden/learning/weights.py", "if HASH in meta and meta[HASH]", "if HASH not in meta and meta[HASH]",
           "tests/test_weights.py"),
    Defect("hebbar/compiler/workload.py", "three[cause] - two[cause]", "three[cause]", API),
    Defect("golden/learning/answers.py", "input_codes(inputs, source.activity_frac,",
           "input_codes(inputs, program.config.network.input_frac,", API),
    Defect("hebbar/contract/record.py", "if not check.passed:", "if False:", "tests/test_record.py"),
    Defect("hebbar/doctor.py", "Verdict.OPTIONAL if extra else Verdict.MISSING, cure", "Verdict.OPTIONAL, cure",
           "tests/test_doctor.py"),
    Defect("hebbar/energy/accesses.py", "{name: groups * (access in done)", "{name: rows * (access in done)", ENERGY),
    Defect("hebbar/energy/components.py", "* (1 / m.lanes)", "* (1 / m.row_tiles)", ENERGY),
    Defect("hebbar/energy/technology.py", "if not text.strip():", "if not text:",
           ENERGY + "::test_a_table_that_cannot_be_trusted_is_refused"),
    Defect("hebbar/report/figures.py", "axes.barh([0], [value], left=left,", "axes.barh([0], [value], left=0,",
           "tests/test_report.py"),
    Defect("hebbar/report/template.html", "{% elif wrong == 0 %}", "{% elif wrong is not none %}",
           "tests/test_report.py"),
    Defect("sim/shell/shell.cpp", "for (int m : {STATE, ERROR, ACTIVITY})", "for (int m : {STATE, ACTIVITY, ERROR})",
           "tests/test_shell.py"),
    Defect("sim/shell/host.py", "if why == DONE or", "if why in (DONE, SLICED) or",
           "tests/test_shell.py::test_small_buffers_and_short_slices_change_nothing"),
    Defect("sim/checkpoint.py", "if key != _key(program):", "if False:",
           TRAINING + "::test_a_checkpoint_is_not_overwritten_or_mixed_up"),
    Defect("sim/training.py", "            state.answers = {}", "            pass", TRAINING),
    Defect("hw/tidy.py", "SOURCE.sub(\"\", verilog)", "verilog", "tests/test_package.py"),
    Defect("hebbar/verify/structure/drivers.py", "ways += [] if _complete(module, node) else [None]", "ways += []",
           "tests/test_structure.py"),
    Defect("hebbar/verify/equivalence.py", "if gold.get(place) != gate.get(place):", "if False:",
           "tests/test_equivalence.py::test_a_changed_first_value_is_found"),
    Defect("golden/neuron.py", "back = back + (total << finer - f.row_sum.frac)", "back = back + total", NEURON),
    Defect("golden/neuron.py", "return ends(-value, self._f.error) if", "return -value if", NEURON),
    Defect("golden/neuron.py", "old, total = rows.activity, rows.sum",
           "old, total = to.function(rows.state), rows.sum", NEURON),
    Defect("golden/feedback_sums.py", "neurons[neurons % self._lanes == 0]", "neurons[:1]",
           "tests/test_feedback_sums.py"),
    Defect("golden/plan.py", "step = groups * machine.row_tiles if alone or",
           "step = groups * machine.row_tiles if True or", ROWS),
    Defect("golden/tile.py", "total += activity[column.neurons[:plan.count]] * self.one << column.shift",
           "total += activity[column.neurons[:plan.count]] * self.one", ROWS),
    Defect("golden/tile.py", "least = np.where(plan.plastic & plan.positive, 0, limits.lo)",
           "least = np.where(plan.positive, 0, limits.lo)", ROWS),
    Defect("golden/separation.py", "(1 << DISTANCE_BITS) - 1)", "2 << DISTANCE_BITS)", SEPARATION),
    Defect("golden/separation.py", "return round_half_up(power * reciprocal, RECIPROCAL_FRAC - frac)",
           "return power * reciprocal >> RECIPROCAL_FRAC - frac", SEPARATION),
    Defect("golden/energy_sum.py", "self.previous - energy < tolerance",
           "self.previous - energy <= tolerance", ENERGY_SUM),
    Defect("golden/counters.py", "self._work[\"separations\"] += rows",
           "self._work[\"separations\"] += 1", "tests/test_counters.py"),
    Defect("hw/neuron.py", "fires = on[Stage.WRITE][Sweep.FIRE] & ~clamp[Stage.WRITE] & (x_new >= 1 << f.state.frac)",
           "fires = on[Stage.WRITE][Sweep.FIRE] & ~clamp[Stage.WRITE] & (x_new > 1 << f.state.frac)", NEURON),
    Defect("hw/neuron.py", "negative, _ = saturate(m, -chosen, f.error, f\"row{p}_negative\")",
           "negative = (-chosen)[:f.error.bits].as_signed()", NEURON),
    Defect("hw/neuron.py", "saturate(m, self.old_activity[p] << tag[Stage.ROW].align",
           "saturate(m, self.old_activity[p] << tag[Stage.ERROR].align", NEURON),
    Defect("hw/neuron.py", "Mux(on[Stage.FEEDBACK][Sweep.GATE], totals[Stage.FEEDBACK], 0)",
           "Mux(on[Stage.FEEDBACK][Sweep.GATE], totals[Stage.ERROR], 0)", NEURON),
    Defect("hw/row_engine.py", "for name in (\"function\", \"precision\", \"align\")",
           "for name in (\"function\", \"align\")", ROWS),
    Defect("hw/row_engine.py", "Mux(parts[i // tiles], one, 0)", "one", ROWS),
    Defect("hw/row_engine.py", "entry.plastic & ~identity\n", "entry.plastic\n", ROWS),
    Defect("hw/row_engine.py", "~row.tag.group[:self._part_bits].any(), row.tag.first",
           "row.tag.first, row.tag.first", ROWS),
    Defect("hw/row_engine.py", "entries[Back.WRITE].positive)", "entries[Back.PRODUCT].positive)", ROWS),
    Defect("hw/crossbar.py", "positive = self.block[g] & column", "positive = column", ARRAY),
    Defect("hw/machine.py", "bank.read_address[1].eq(tile.early_group >> part_bits)",
           "bank.read_address[1].eq(tile.row.group >> part_bits)", ROWS),
    Defect("hw/machine.py", "| self.streamer.moving | self._separates)]", "| self.streamer.moving)]", RANDOM),
    Defect("hw/separation.py", "((at == 0) | (self._sum > self._best))",
           "((at == 0) | (self._sum >= self._best))", SEPARATION),
    Defect("hw/separation.py", "rest.eq(1 << RECIPROCAL_FRAC - RECIPROCAL_BITS)", "rest.eq(0)", SEPARATION),
    Defect("hw/separation.py", "pipe(m, exponent[INDEX_BITS:], 1, \"octave\")[1]",
           "exponent[INDEX_BITS:]", SEPARATION),
    Defect("hw/energy_sum.py", "Mux(self.mask[p], (e * e).as_unsigned(), 0)", "(e * e).as_unsigned()", ENERGY_SUM),
    Defect("hw/energy_sum.py", "with m.If(~self.leave):", "with m.If(1):", ENERGY_SUM),
    Defect("hw/sequencer.py", "m.d.sync += self._depth.eq(self._depth - 1)", "pass", SEQUENCER),
    Defect("hw/sequencer.py", "with m.If(~self._fits | (rows > self.machine.separation)):",
           "with m.If(~self._fits):", SEQUENCER),
    Defect("hw/sequencer.py", "with m.If(self.idle):\n            m.d.comb += self.exit.eq(1)",
           "with m.If(1):\n            m.d.comb += self.exit.eq(1)", SEQUENCER),
    Defect("hebbar/compiler/cycles.py", "self._counts[\"separate\"] += cycles\n        self.now += 1 + cycles",
           "self._counts[\"separate\"] += cycles\n        self.now += cycles", RANDOM),
    Defect("hebbar/contract/exponentials.py", "return (root + 1) // 2", "return root // 2", SEPARATION),
    Defect("hebbar/verify/random_programs.py", "wrong = words + result.total_words, wrong + result.total_mismatches",
           "wrong = words + result.total_words, wrong", RANDOM),
    Defect("golden/analog/converters.py", "np.floor(held + 0.5)", "np.floor(held)", ANALOG + "converters.py"),
    Defect("golden/analog/array.py", "2 * (a.read.additive / c.unit) ** 2", "(a.read.additive / c.unit) ** 2",
           ANALOG + "noise.py"),
    Defect("golden/analog/laws.py", "-0.0125 * log - 0.0059", "0.0125 * log - 0.0059", ANALOG + "devices.py"),
    Defect("golden/analog/stepping.py", "up - from_minus, from_plus", "up, from_plus", ANALOG + "update.py"),
    Defect("golden/analog/pin_driver.py", "(plus - minus) << self._bit", "(plus - minus)", ANALOG + "pin_driver.py"),
    Defect("golden/analog_macro.py", "<< self._step) - self._offset", "<< self._step) + self._offset",
           "tests/test_calibration.py"),
    Defect("golden/analog/wires.py", "return self.sense_resistance + self.bit_resistance",
           "return self.bit_resistance", WIRES),
    Defect("golden/analog/wires.py",
           "return Wires(self.bit_resistance, self.word_resistance, self.driver_resistance, self.sense_resistance)",
           "return Wires(self.bit_resistance, self.word_resistance, self.sense_resistance, self.driver_resistance)",
           ENDS),
    Defect("golden/analog/array.py", "self._driven(siemens.T, self._wires.transposed).T",
           "self._driven(siemens, self._wires)", ENDS),
    Defect("golden/analog/array.py", "self._one_way = a.wires.model == \"off\" or a.wires.driver == a.wires.sense",
           "self._one_way = True", ENDS),
    Defect("golden/analog/elimination.py", "np.eye(columns), wires.reciprocal).T",
           "np.eye(columns), wires.transposed).T", ENDS),
    Defect("golden/analog/transfer.py", "self.wires.driver_resistance == self.wires.sense_resistance",
           "self.wires.driver_resistance >= 0", ENDS),
    Defect("golden/analog/array.py", "self._aged, self._seen = None, {}", "self._aged = None", ENDS),
    Defect("golden/analog/converters.py", "(held < -most - 0.5) | (held >= most - 0.5)",
           "(held < -most) | (held >= most)", ANALOG + "limits.py"),
    Defect("sim/analog/spice.py", "return self.driven(i) if self.crossbar.verb == \"TRN\" else self.sensed(i)",
           "return self.driven(i)", "tests/test_spice.py"),
    Defect("sim/analog/transient.py", "read = replace(read, word_farad=read.bit_farad, bit_farad=read.word_farad)",
           "pass", "tests/test_transient.py"),
    Defect("hw/pulses.py", "(13, -17, 5)", "(13, -17, 6)", "tests/test_pulses.py"),
    Defect("hw/sar_logic.py", "self.search & self.above[i]", "self.search & ~self.above[i]", "tests/test_pulses.py"),
    Defect("hebbar/contract/effects.py", "Resource.CLAMP, Where.ROWS, _CHANGES",
           "Resource.CLAMP, Where.ROWS, Sweep.STEP", "tests/test_effects.py"),
    Defect("hebbar/contract/effects.py", "OPERAND_FLAGS, unless=Sweep.ERR | Sweep.POST",
           "OPERAND_FLAGS, unless=Sweep.ERR", "tests/test_effects.py"),
    Defect("hebbar/contract/effects.py", "Sweep.FWD | Sweep.UPD),", "Sweep.FWD),", "tests/test_effects.py"),
    Defect("hebbar/compiler/control_flow.py", "        if loops[-1][1]:\n", "        if loops[-1][1] > 1:\n",
           "tests/test_effects.py"),
    *SHOWN.values(),
)
"""Defects of every package."""

LISTED = [
    Defect("hw/neuron.py", "valid_rows[Stage.ROW] & takes & start_clip", "takes & start_clip", TWINS),
    Defect("hw/row_engine.py", "product = row.error[p] * head.activity[i]\n",
           "product = ((row.error[p] * head.activity[i]) >> 1 << 1) if i == 0 else row.error[p] * "
           "head.activity[i]\n", SWEEPS),
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
    Defect("hw/fields.py", "(b[\"last_rows\"] != 0) & ", "", DESCRIPTORS),
    Defect("hw/machine.py", "self.tile.idle & ~self.neuron.busy & ~self._separates",
           "self.tile.idle & ~self.neuron.busy", REGISTERS + "::test_a_separation_that_the_watchdog_meets_ends_before_"
           "the_machine_halts"),
    Defect("hw/machine.py", "self.tile.idle & ~self.neuron.busy & ~self._separates",
           "self.tile.idle & ~self._separates", SWEEPS),
    Defect("hw/machine.py", "Mux(seq.fault, Status.FAULT, 0)", "0", STATUS),
    Defect("hw/energy_sum.py", "Mux(total[ENERGY_BITS:].any(), (1 << ENERGY_BITS) - 1, total)", "total",
           "tests/test_energy_sum.py::test_hw_stays_at_its_largest")]
"""Edits of the RTL that a suite of random programs does not notice, as they were tried."""

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
    *blind("hw/fields.py", "(b[\"last_rows\"] <=", "b[\"last_rows\"]", range(8), DESCRIPTORS),
    *blind("hw/separation.py", "product.eq(distance * self.beta)", "self.beta", range(16), BETA),
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
    Defect("hw/machine.py", "unit.beta.eq(self.bus.beta)", "unit.beta.eq(self.bus.beta[:15])", REACHES),
    Defect("hw/machine.py", "unit.tolerance.eq(self.bus.tolerance)", "unit.tolerance.eq(self.bus.tolerance[:31])",
           REACHES),
    Defect("hw/machine.py", "seq.watchdog.eq(bus.watchdog)", "seq.watchdog.eq(bus.watchdog[:24])", REACHES),
    Defect("hw/machine.py", "seq.loops[i].eq(getattr(bus, f\"loop{i}\"))",
           "seq.loops[i].eq(getattr(bus, f\"loop{i & 2}\"))", REACHES),
    Defect("hw/machine.py", "self.neuron.gains[i].eq(getattr(bus, f\"gain{i}\"))",
           "self.neuron.gains[i].eq(getattr(bus, f\"gain{i}\")[:7])", REACHES),
    Defect("hw/machine.py", "self.tile.rates[i].eq(getattr(bus, f\"rate{i}\"))",
           "self.tile.rates[i].eq(getattr(bus, f\"rate{i & 7}\"))", REACHES),
    Defect("hw/machine.py", "unit.index.eq(bus.counter_index)", "unit.index.eq(bus.counter_index[:5])", CAUSES),
    Defect("hw/machine.py", "\"stall_out\": streamer.stall_out", "\"stall_out\": streamer.stall_in", STALLS),
    Defect("hw/machine.py", "\"stream\": rest & moving", "\"stream\": rest", STALLS),
    Defect("hw/sequencer.py", "self.fault.eq(self.cause >= Cause.ILLEGAL_OP)", "self.fault.eq(self.cause > "
           "Cause.ILLEGAL_OP)", CAUSES),
    Defect("hw/sequencer.py", "self.fault.eq(self.cause >= Cause.ILLEGAL_OP)", "self.fault.eq((self.cause >= "
           "Cause.ILLEGAL_OP) & (self.cause != Cause.WATCHDOG))", CAUSES)]
"""More of the same kind."""

EDITS = (*LISTED, *SIBLINGS)
"""Edits of the RTL. Families of one kind (a check blind to bit n, a counter of n bits) are written out bit by bit."""

PLANTED = (*DEFECTS, *EDITS)
