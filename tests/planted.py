"""Planted defects: one changed line each, and the test that must fail because of it.

A suite that passes says little until it is seen to fail. ``tests/test_planted.py`` plants each one
in a copy of the sources and expects its test to fail.
"""

from dataclasses import dataclass

from sim.defects import Change

__all__ = ["Defect", "DEFECTS"]


@dataclass(frozen=True)
class Defect(Change):
    """A change that ``test`` must notice."""

    test: str


PROGRAMS, ROWS = "tests/test_programs.py", "tests/test_row_engine.py"
ARRAY, BUS, DATA = "tests/test_array_macro.py", "tests/test_bus.py", "tests/test_datasets.py"
REF = "golden/reference/"
THEOREMS, THEORY = "tests/test_reference_theorems.py", "tests/test_reference_theory.py"
BEHAVIOUR = "tests/test_reference_behaviour.py"
COMPILED, API, ENERGY = "tests/test_compiled.py", "tests/test_api.py", "tests/test_energy.py"
TRAINING = "tests/test_training.py"
NEURON, FIXED, TABLE = "tests/test_neuron.py", "tests/test_fixed.py", "tests/test_table.py"

DEFECTS = (
    Defect("golden/fixed.py", "half = (1 << np.asarray(shift, dtype=np.int64)) >> 1",
           "half = 0 * ((1 << np.asarray(shift, dtype=np.int64)) >> 1)", FIXED),
    Defect("golden/neuron.py", "drive = gain * (scaled - (rows.error", "drive = gain * (scaled + (rows.error",
           NEURON),
    Defect("golden/neuron.py", "free = rows.clamp == 0\n            moved", "free = rows.clamp >= 0\n            moved",
           NEURON),
    Defect("golden/back_sums.py", "(0 if fresh else self.values[source])", "self.values[source]",
           "tests/test_back_sums.py"),
    Defect("golden/machine.py", "self.tile.update(weights, plan, error, activity, self.rates",
           "self.tile.update(weights, plan, error, activity, self.rates + 1", PROGRAMS),
    Defect("golden/sequencer.py", "return fields[\"end\"]", "return address + 1",
           "tests/test_sequencer.py"),
    Defect("golden/table.py", "fraction = unsigned >> self._frac, unsigned & ((1 << self._frac) - 1)",
           "fraction = unsigned >> self._frac, unsigned & ((1 << self._frac) - 2)", TABLE),
    Defect("hw/neuron.py", "takes = on[0][Sweep.INIT] & ~self.clamp[p]", "takes = on[0][Sweep.INIT]",
           NEURON),
    Defect("hw/neuron.py", "drive = scaled[1] - (e[4] << f.derivative.frac)",
           "drive = scaled[1] - (e[5] << f.derivative.frac)", NEURON),
    Defect("hw/neuron.py", "Mux(on[0][Sweep.BASE], self.base[p], 0)", "self.base[p]", NEURON),
    Defect("hw/row_engine.py", "Mux(staged[\"first\"][at], 0, total)", "total", ROWS),
    Defect("hw/row_engine.py", "fresh = pipe(m, entry.fresh & row.tag.first, 2, \"fresh\")",
           "fresh = pipe(m, entry.fresh, 2, \"fresh\")", ROWS),
    Defect("hw/row_engine.py", "Mux(entry.lanes > i, a, 0)", "Mux(entry.lanes >= i, a, 0)", ROWS),
    Defect("hw/row_engine.py", "self.rates[entries[1].rate]", "self.rates[entries[2].rate]", ROWS),
    Defect("hw/row_engine.py", "row_start.eq(row_start + command.stride)]",
           "row_start.eq(row_start + command.columns)]", ROWS),
    Defect("hw/row_engine.py", "self.idle.eq(~(self._active | words[\"busy\"] | busy_back))",
           "self.idle.eq(~(self._active | words[\"busy\"]))", ROWS),
    Defect("hw/back_sums.py", "Mux(self.fresh, 0, old.data[i])", "old.data[i]",
           "tests/test_back_sums.py"),
    Defect("hw/fixed.py", "half = ((Const(1, 1) << shift) >> 1).as_unsigned()",
           "half = (Const(1, 1) << shift).as_unsigned()", FIXED),
    Defect("hw/fixed.py", "high, low = value > format.hi, value < format.lo",
           "high, low = value >= format.hi, value < format.lo", FIXED),
    Defect("hw/table.py", "round_half_up(exact, frac + ENTRY_BITS - self.format.bits)",
           "exact >> (frac + ENTRY_BITS - self.format.bits)", TABLE),
    Defect("hw/sequencer.py", "with m.Elif(self._left[top] == 1):", "with m.Elif(self._left[top] == 0):",
           "tests/test_sequencer.py"),
    Defect("hw/sequencer.py", "| (flags & Sweep.DELTA).any() & (flags & both).any())", ")",
           "tests/test_sequencer.py"),
    Defect("hw/streamer.py", "with m.If(self.s_axis_tlast != (final & self._last)):",
           "with m.If(self.s_axis_tlast & ~final):", "tests/test_streamer.py"),
    Defect("hw/streamer.py", "with m.If((end > self._depths[memory]) | (beats == 0)):",
           "with m.If(beats == 0):", "tests/test_streamer.py"),
    Defect("hw/counters.py", "totals[i].eq(totals[i] + self.add[i])", "totals[i].eq(totals[i] + (self.add[i] != 0))",
           "tests/test_counters.py"),
    Defect("hebbar/cycles.py", "self._back = max(self._back + slots, ready + slots)",
           "self._back = ready + slots", ROWS),
    Defect("hebbar/schedule.py", "return bool(op.reads() & self.writes or op.writes() & self.reads",
           "return bool(op.writes() & self.reads", PROGRAMS),
    Defect("hebbar/rules.py", "fresh = frozenset(moving - touched)", "fresh = frozenset(moving)", PROGRAMS),
    Defect("hebbar/rules.py", "ready = all(e.target in swept and e.target != name",
           "ready = all(True or e.target in swept and e.target != name", PROGRAMS),
    Defect("hebbar/compiler.py", "tail=population.size - (place.groups - 1) * tiles)",
           "tail=tiles)", "tests/test_workload.py"),
    Defect("hebbar/compiler.py", "shift = edge.alpha_shift + m.state_frac + source.activity_frac - m.weight_frac",
           "shift = edge.alpha_shift + m.state_frac + m.activity_frac - m.weight_frac", PROGRAMS),
    Defect("hebbar/layout.py", "edges = sorted(self.network.incoming(p.name), key=lambda e: not self.fixed(e.source))",
           "edges = self.network.incoming(p.name)", PROGRAMS),
    Defect("hebbar/workload.py", "return 2 if fixed else rule.steps + 1", "return 2 if fixed else rule.steps",
           "tests/test_workload.py"),
    Defect("hebbar/rules.py", "loop = [LoopOp(body, s.rule.steps - 1)] if s.rule.steps > 1 else []\n    return start",
           "loop = [LoopOp(body, s.rule.steps)] if s.rule.steps > 1 else []\n    return start", PROGRAMS),
    Defect("hebbar/isa.py", "word |= field.put(values.get(name, 0), f\"{op.name} {name}\")",
           "word = field.put(values.get(name, 0), f\"{op.name} {name}\")", "tests/test_sequencer.py"),
    Defect("hw/crossbar.py", "(column.own == g - i // tiles)", "(column.own == g)", ARRAY),
    Defect("hw/crossbar.py", " << column.entry.shift)", ")", ARRAY),
    Defect("hw/array_macro.py", "self._array.errors.eq(0),", "", ARRAY),
    Defect("hw/array_macro.py", "self.idle.eq(~(busy | self.row_valid))", "self.idle.eq(~busy)", ARRAY),
    Defect("hebbar/cycles.py", "settle = 2", "settle = 1", ARRAY),
    Defect("hw/bus.py", "with m.If(self.s_axil_bready):", "with m.If(1):", BUS),
    Defect("hw/bus.py", "with m.If(strobe[lane]):", "with m.If(strobe[0]):", BUS),
    Defect("hw/bus.py", "s_axil_bresp.eq(Response.SLVERR)", "s_axil_bresp.eq(Response.OKAY)", BUS),
    Defect("hw/bus.py", "word_select(half, 32)", "word_select(1 - half, 32)", BUS),
    Defect(REF + "energy.py", "(x >= -1) & (x < 1)", "(x >= -1) & (x <= 1)", BEHAVIOUR),
    Defect(REF + "inference.py", "error.append(errors(network, weights, states[-1]))",
           "error.append(errors(network, weights, states[-2]))", THEOREMS),
    Defect(REF + "rules.py", "states.append(move(network, current, states[-1], error[-1], 1.0, held))",
           "states.append(move(network, _added(current, delta), states[-1], error[-1], 1.0, held))", THEOREMS),
    Defect(REF + "rules.py", "learning = chain[len(chain) - 1 - t]", "learning = chain[1 + t]", THEOREMS),
    Defect(REF + "rules.py", "slope(network, name, x[name]) * sum(back,",
           "slope(network, name, x[name]) * sum(back[:1],", THEOREMS),
    Defect(REF + "online.py", "x.update(later)", "x.update(plan.moved(x, e, rule.gamma))", BEHAVIOUR),
    Defect(REF + "theory.py", "np.linalg.norm(np.vstack(rows), 2) ** 2", "np.linalg.norm(np.vstack(rows)) ** 2",
           THEORY),
    Defect(REF + "state.py", "np.sqrt(3.0 / shape[1])", "np.sqrt(3.0 / shape[0])", BEHAVIOUR),
    Defect("golden/datasets.py", "return rows[:-count], rows[-count:]", "return rows[count:], rows[:count]", DATA),
    Defect("golden/datasets.py", "default_rng([seed, epoch])", "default_rng(seed + epoch)", DATA),
    Defect("golden/datasets.py", "+ 128) >> 8", ") >> 8", "tests/test_idx.py"),
    Defect("golden/weights.py", "(codes < f.lo) | (codes > f.hi)", "(codes < f.lo)", "tests/test_weights.py"),
    Defect("golden/weights.py", "return matrix if matrix.dtype == np.float32 else matrix.astype(np.float64)",
           "return matrix.astype(np.float16)", "tests/test_weights.py"),
    Defect("golden/compiled/tile.py", "narrow = size * -limits.weight_lo <= TOP",
           "narrow = size * -limits.weight_lo <= TOP + 1", COMPILED),
    Defect("golden/compiled/plan.py", "return _runs(plan, plan.used & plan.plastic, lanes",
           "return _runs(plan, plan.used, lanes", COMPILED),
    Defect("golden/compiled/neuron.py", "        clips += free and kept != exact\n",
           "        clips += kept != exact\n", COMPILED),
    Defect("golden/compiled/machine.py", "plan.count * bool(flags & (Sweep.STEP | Sweep.DELTA)),",
           "plan.count * bool(flags & Sweep.STEP),", COMPILED),
    Defect("hebbar/api.py", "        self._image = curve.weights\n", "", API),
    Defect("hebbar/api.py", "three[cause] - two[cause]", "three[cause]", API),
    Defect("hebbar/api.py", "input_codes(inputs, source.activity_frac,",
           "input_codes(inputs, self.config.network.input_frac,", API),
    Defect("hebbar/record.py", "if not check.passed:", "if False:", "tests/test_record.py"),
    Defect("sim/doctor.py", "Verdict.OPTIONAL if extra else Verdict.MISSING, cure", "Verdict.OPTIONAL, cure",
           "tests/test_doctor.py"),
    Defect("sim/energy/accesses.py", "\"state_write\": when(Sweep.INIT | Sweep.STEP)",
           "\"state_write\": when(Sweep.STEP)", ENERGY),
    Defect("sim/energy/components.py", "* (1 / m.lanes)", "* (1 / m.row_tiles)", ENERGY),
    Defect("sim/energy/technology.py", "if not text.strip():", "if not text:", ENERGY),
    Defect("sim/network_energy.py", "if flags & (Sweep.FWD | Sweep.BASE) or not columns:", "if True:",
           "tests/test_network_energy.py"),
    Defect("sim/html/figures.py", "axes.barh([0], [value], left=left,", "axes.barh([0], [value], left=0,",
           "tests/test_report.py"),
    Defect("sim/html/template.html", "{% elif wrong == 0 %}", "{% elif wrong is not none %}", "tests/test_report.py"),
    Defect("sim/shell/shell.cpp", "for (int m : {STATE, ERROR, ACTIVITY})", "for (int m : {STATE, ACTIVITY, ERROR})",
           "tests/test_shell.py"),
    Defect("sim/shell/host.py", "if why == DONE or", "if why in (DONE, SLICED) or", "tests/test_shell.py"),
    Defect("sim/checkpoint.py", "if key != _key(program):", "if False:", TRAINING),
    Defect("sim/training.py", "= standing.epoch + 1, 0, 0", "= standing.epoch + 1, 0, standing.correct", TRAINING),
    Defect("hw/verilog.py", "return SOURCE.sub(\"\", text)", "return text", "tests/test_package.py"),
    Defect("sim/structure/drivers.py", "ways += [] if _complete(module, node) else [None]", "ways += []",
           "tests/test_structure.py"),
    Defect("sim/equivalence.py", "if gold.get(place) != gate.get(place):", "if False:", "tests/test_equivalence.py"),
)
