"""The neuron unit: what happens to a row once its sum is known."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.isa import GAINS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION
from hebbar.contract.timing import ERROR_LATENCY, NEURON_LATENCY

from .delay import Delay
from .fields import asks
from .fixed import named, pipe, popcount, round_half_up, round_saturate, saturate
from .neuron_parts import add_product, integrate, operand, step, write_integral
from .neuron_stages import Stage
from .pipeline import busy_behind, staged
from .tile import GroupWrite, Shapes, part_of_word, word_of

__all__ = ["Neuron"]

LARGEST_PRECISION = (1 << BLOCK["precision"].width) - 1 - UNIT_PRECISION
"""log2 of the largest precision."""


class Neuron(wiring.Component):
    """``mu = round(sum + base)``, then ERR, STEP or DELTA, ACT, FIRE as the flags say.

    With f' from the derivative table, pi = 2**(precision - 8) and fb = sat(round(back)); with GATE
    the sum is part of the feedback instead, mu = 0 and fb = sat(round(back + sum + base)):

        e  = sat(round(pi (x - mu)))                       ERR
        l, e = sat(l + c), sat(l + w)                      ERR with INTEGRATE, of the l from before, 0 with INIT
        x  = sat(x + round(gain * (f'(x) * fb - e)))       STEP, rows not clamped
        e  = sat(round(f'(x) * fb))                        DELTA
        a  = f(x)                                          ACT
        x  = 0 where x >= 1                                FIRE, rows not clamped

    One rounding each for mu, pi (x - mu), fb, the step and a. ``back + sum`` is added at the finer
    fraction of the two, so exactly. TRN and UPD take e, or sat(a << align) with POST, a from before
    ACT; its negative, saturated once more, with NEG. The clips of POST and NEG are the ends of the
    error format and count as no saturation. c and w: ``integrate``.

    The row group of a sweep with weights, P rows, is in its part of a word of W; of a sweep without weights all W rows
    are in use.

    Latency: as ``Stage`` numbers them; what is counted comes a cycle later. Throughput: P or W rows a cycle.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes, W rows of a sweep without weights.

    Attributes
    ----------
    row_valid : Signal(1), in
        A row group arrives from the tile: ``row`` to ``old_activity`` are of it.
    row : Signal(Shapes.tag), in
        Its flags and descriptor, its number and which of its rows are in use.
    sums : Signal(Shapes.sums), in
        Its row sums.
    base : Signal(Shapes.bases), in
        The word of bases with it.
    state_group, neuron_word, error_group : Signal(14), Signal(12), Signal(14), out
        The words that are read with the row group in stage ROW, COMPARE and WEIGH: of W rows, of C neurons, of W rows.
    state, clamp : Signal(Shapes.states), Signal(ArrayLayout(1, W)), in
        What the memories hold of ``state_group`` and the rows whose state stays as it is, a cycle later.
    old_activity : Signal(Shapes.activities), in
        The ``neuron_word`` of activities before ACT, for POST, a cycle later.
    old_error, old_integral : Signal(Shapes.error_words), Signal(Shapes.error_words), in
        Errors and, with ``machine.integral``, integrals, a cycle later.
    gains : Signal(ArrayLayout(8, GAINS)), in
        The GAIN registers; a sweep names one.
    error_valid : Signal(1), out
        A row group is in stage ERROR.
    error_row : Signal(Shapes.tag), out
        Its flags and descriptor.
    error : Signal(Shapes.errors), out
        What TRN and UPD take for it.
    back : Signal(Shapes.backs), in
        The ``neuron_word`` of the feedback sums, a cycle later.
    derivative_table, function_table : Signal(4), out
        Which f' the row group in stage COMPARE has, and which f the one in stage WRITE.
    derivative_state, function_state : Signal(Shapes.states), out
        The states at which they are looked up.
    derivative, function : Signal(Shapes.derivatives), Signal(Shapes.row_activities), in
        f' and f of these states, TABLE_LATENCY cycles later.
    write_base : GroupWrite(Shapes.bases), out
        Sums of rows to the base memory, with HOIST.
    write_state : GroupWrite(Shapes.states), out
        x to the state memory, with INIT, STEP or FIRE.
    write_error : GroupWrite(Shapes.error_words), out
        e to the error memory, with ERR or DELTA.
    write_activity : GroupWrite(Shapes.row_activities), out
        a to the activity memory, with ACT.
    write_integral : GroupWrite(Shapes.error_words), out
        l to its memory, with ERR and INTEGRATE; with ``machine.integral``.
    compares : Signal(1), out
        What is on ``write_error`` comes from ERR.
    busy : Signal(1), out
        A row group is in a stage behind ROW.
    steps, activations : Signal(range(W + 1)), out
        Rows that STEP or DELTA, and that ACT computes.
    sat_error, sat_state, sat_feedback : Signal(range(2 * W + 1)), out
        Values that were clipped.
    """

    error_latency = ERROR_LATENCY
    latency = NEURON_LATENCY
    """Cycles from the row to the first in which nothing of it is in flight."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s = machine, Shapes(machine)
        self.rows = rows = machine.pass_rows
        group, count = BLOCK["group_base"].width, range(rows + 1)
        super().__init__({
            "row_valid": In(1), "row": In(s.tag), "sums": In(s.sums), "base": In(s.bases),
            "state_group": Out(group), "state": In(s.states), "clamp": In(data.ArrayLayout(1, rows)),
            "neuron_word": Out(MAP["source"].width), "old_activity": In(s.activities),
            "error_group": Out(group), "old_error": In(s.error_words),
            "gains": In(data.ArrayLayout(8, GAINS)),
            "error_valid": Out(1), "error_row": Out(s.tag), "error": Out(s.errors),
            "back": In(s.backs),
            "derivative_table": Out(4), "derivative_state": Out(s.states),
            "derivative": In(s.derivatives),
            "function_table": Out(4), "function_state": Out(s.states), "function": In(s.row_activities),
            "write_base": Out(GroupWrite(s.bases)), "write_state": Out(GroupWrite(s.states)),
            "write_error": Out(GroupWrite(s.error_words)), "write_activity": Out(GroupWrite(s.row_activities)),
            "compares": Out(1), "busy": Out(1), "steps": Out(count), "activations": Out(count),
            **{name: Out(range(2 * rows + 1)) for name in ("sat_error", "sat_state", "sat_feedback")},
            **({"old_integral": In(s.error_words), "write_integral": Out(GroupWrite(s.error_words))} if machine.integral
               else {})})

    def elaborate(self, platform):
        m, shapes = Module(), Shapes(self.machine)
        valid = staged(m, self.row_valid, Stage.ROW, Stage.ACTIVITY, "valid", reset=True)
        tag = {stage: data.View(shapes.tag, value)
               for stage, value in staged(m, self.row.as_value(), Stage.ROW, Stage.ACTIVITY, "tag").items()}
        m.d.comb += self.busy.eq(busy_behind(m, list(valid.values())[:-1], "neuron_busy"))
        clipped: dict[str, list[Value]] = {"error": [], "state": [], "feedback": []}
        m.submodules.states = self._states = Delay(shapes.states, Stage.MOVE - Stage.COMPARE)
        m.d.comb += self._states.value.eq(self.derivative_state)
        self._gain = named(m, self.gains[tag[Stage.GAIN].gain], "gain")
        tiles, parts = self.machine.row_tiles, self.machine.parts
        self._operands = Signal(shapes.error_words, name="operands") if parts > 1 else self.error
        rows = [self._row(m, p, tag, clipped) for p in range(self.rows)]
        if parts > 1:  # the row group is one of them
            m.d.comb += [self.error[p].eq(part_of_word(m, self._operands, tag[Stage.ERROR].group, p, tiles,
                                                       f"operand{p}")) for p in range(tiles)]
        self._addresses(m, tag)
        self._writes(m, valid, tag, rows)
        self._counts(m, valid, tag, clipped)
        return m

    def _row(self, m: Module, p: int, tag: dict, clipped: dict) -> dict[str, Value]:
        """The data path of one of the W rows; returns what is written."""
        f, r, flags = self.machine.formats, f"row{p}", list(Sweep)[:self.machine.sweep_flags]
        on = {stage: {flag: asks(tag[stage].flags, flag) for flag in flags} for stage in Stage}
        valid_rows = {stage: tag[stage].valid_rows[p] for stage in Stage}
        total = self.sums[p % self.machine.row_tiles] + Mux(on[Stage.ROW][Sweep.BASE], self.base[p], 0)
        total = staged(m, total[:f.row_sum.bits].as_signed(), Stage.ROW, Stage.PREDICT, f"{r}_total")[Stage.PREDICT]
        mu = Mux(on[Stage.PREDICT][Sweep.GATE], 0, round_half_up(total, f.sum_shift)).as_signed()
        mu = staged(m, mu, Stage.PREDICT, Stage.COMPARE, f"{r}_mu")[Stage.COMPARE]
        clamp = staged(m, self.clamp[p], Stage.PREDICT, Stage.WRITE, f"{r}_clamp")
        held = staged(m, self.state[p], Stage.PREDICT, Stage.COMPARE, f"{r}_held")[Stage.COMPARE]
        start, start_clip = saturate(m, mu, f.state, f"{r}_start")
        takes = named(m, on[Stage.COMPARE][Sweep.INIT] & ~clamp[Stage.COMPARE], f"{r}_takes")
        m.d.comb += self.derivative_state[p].eq(Mux(takes, start, held))
        difference = self.derivative_state[p] - mu
        difference = staged(m, difference, Stage.COMPARE, Stage.WEIGH, f"{r}_difference")[Stage.WEIGH]
        # Times the largest precision, shifted right by what the row's is below it; with one fraction bit.
        weighed = difference.shift_left(LARGEST_PRECISION + 1) >> ~tag[Stage.WEIGH].precision
        weighed = staged(m, weighed, Stage.WEIGH, Stage.ROUND, f"{r}_weighed")[Stage.ROUND]
        rounded, error_clip = round_saturate(m, weighed, 1, f.error, f"{r}_rounded")
        written = {}
        if self.machine.integral:
            written["integral"], *instead = integrate(
                m, r, f, weighed, self.derivative_state[p], self.old_integral[p], on[Stage.ROUND][Sweep.INIT])
            rounded, error_clip = (Mux(on[Stage.ROUND][Sweep.INTEGRATE], new, old)
                                   for new, old in zip(instead, (rounded, error_clip), strict=True))
        chosen = Mux(on[Stage.ROUND][Sweep.ERR], rounded, self.old_error[p])
        e = staged(m, Mux(valid_rows[Stage.ROUND], chosen, 0).as_signed(), Stage.ROUND, Stage.GAIN, f"{r}_e")
        m.d.comb += self._operands[p].eq(operand(m, self.machine, p, self.old_activity, e[Stage.ERROR], tag))
        feedback, feedback_clip = self._feedback(m, p, on, total, tag)
        frac = f.derivative.frac  # STEP takes the error from f' * fb, DELTA adds the half that rounds to it.
        less = Mux(on[Stage.SLOPE][Sweep.DELTA], 1 << frac >> 1, (-e[Stage.SLOPE]).shift_left(frac)).as_signed()
        less = staged(m, less, Stage.SLOPE, Stage.SCALE, f"{r}_less")[Stage.SCALE]
        drive = add_product(m, f"{r}_scaled", feedback, self.derivative[p], less, Stage.SLOPE)
        bits = max(f.feedback.bits + f.derivative.bits, f.error.bits + frac) + 1
        drive = staged(m, drive[:bits].as_signed(), Stage.SCALE, Stage.GAIN, f"{r}_drive")[Stage.GAIN]
        delta, delta_clip = saturate(m, drive.shift_right(frac), f.error, f"{r}_delta")
        e_new = Mux(on[Stage.GAIN][Sweep.DELTA], delta, e[Stage.GAIN]).as_signed()
        # x stands left of the fraction of the step and the half that rounds in it: one addition for all.
        half, x = Const(1 << f.step_shift - 1, f.step_shift), self._states.out[p]
        bits = max(bits + len(self._gain), f.step_shift + f.state.bits) + 1
        exact = add_product(m, f"{r}_step", drive, self._gain, Cat(half, x).as_signed(), Stage.GAIN)[:bits].as_signed()
        steps = named(m, on[Stage.MOVE][Sweep.STEP] & ~clamp[Stage.MOVE], f"{r}_steps")
        x_new, moved_clip = step(m, r, f, exact, x, steps)
        # The table takes the state that fires and the memory the one after it, so that an activity shows the spike.
        m.d.comb += self.function_state[p].eq(x_new)
        fires = on[Stage.WRITE][Sweep.FIRE] & ~clamp[Stage.WRITE] & (x_new >= 1 << f.state.frac)
        moves = on[Stage.ERROR][Sweep.STEP] | on[Stage.ERROR][Sweep.DELTA]
        clipped["error"] += [(Stage.ROUND, valid_rows[Stage.ROUND] & on[Stage.ROUND][Sweep.ERR] & error_clip),
                             (Stage.GAIN, valid_rows[Stage.GAIN] & on[Stage.GAIN][Sweep.DELTA] & delta_clip)]
        clipped["state"] += [(Stage.COMPARE, valid_rows[Stage.COMPARE] & takes & start_clip),
                             (Stage.WRITE, valid_rows[Stage.WRITE] & moved_clip)]
        clipped["feedback"] += [(Stage.ERROR, valid_rows[Stage.ERROR] & moves & feedback_clip)]
        return written | {"base": total, "state": Mux(fires, 0, x_new), "error": e_new, "activity": self.function[p]}

    def _feedback(self, m: Module, p: int, on: dict, total: Value, tag: dict) -> tuple[Value, Value]:
        """fb in stage SLOPE, from a feedback sum in WEIGH and a row sum in PREDICT; in ERROR whether it was clipped."""
        f, r = self.machine.formats, f"row{p}"
        finer = max(f.feedback_sum.frac, f.row_sum.frac)
        gated = Mux(on[Stage.PREDICT][Sweep.GATE], total, 0).as_signed()
        gated = staged(m, gated, Stage.PREDICT, Stage.ROUND, f"{r}_gated")[Stage.ROUND]
        back = part_of_word(m, self.back, word_of(tag[Stage.WEIGH].group, self.machine), p, self.rows, f"{r}_back")
        back = Mux(on[Stage.WEIGH][Sweep.BACK], back, 0).as_signed()
        back = staged(m, back, Stage.WEIGH, Stage.ROUND, f"{r}_fed")[Stage.ROUND]
        both = back.shift_left(finer - f.feedback_sum.frac) + gated.shift_left(finer - f.row_sum.frac)
        both = staged(m, both, Stage.ROUND, Stage.ERROR, f"{r}_both")[Stage.ERROR]
        feedback, clip = round_saturate(m, both, finer - f.feedback.frac, f.feedback, f"{r}_feedback_0")
        return staged(m, feedback, Stage.ERROR, Stage.SLOPE, f"{r}_feedback")[Stage.SLOPE], clip

    def _addresses(self, m: Module, tag: dict) -> None:
        per_word = (self.machine.lanes // self.machine.row_tiles - 1).bit_length()
        m.d.comb += [self.state_group.eq(word_of(tag[Stage.ROW].group, self.machine)),
                     self.neuron_word.eq(tag[Stage.COMPARE].group >> per_word),
                     self.error_group.eq(word_of(tag[Stage.WEIGH].group, self.machine)),
                     self.function_table.eq(tag[Stage.WRITE].function),
                     self.derivative_table.eq(tag[Stage.COMPARE].function)]

    def _writes(self, m: Module, valid: dict, tag: dict, rows: list[dict[str, Value]]) -> None:
        for port, name, stage, flags in (
                (self.write_base, "base", Stage.PREDICT, Sweep.HOIST),
                (self.write_state, "state", Stage.WRITE, Sweep.INIT | Sweep.STEP | Sweep.FIRE),
                (self.write_error, "error", Stage.GAIN, Sweep.ERR | Sweep.DELTA),
                (self.write_activity, "activity", Stage.ACTIVITY, Sweep.ACT)):
            enable = named(m, valid[stage] & asks(tag[stage].flags, flags), f"writes_{name}")
            m.d.comb += [port.group.eq(word_of(tag[stage].group, self.machine)),
                         port.mask.eq(Mux(enable, tag[stage].valid_rows, 0))]
            for p, row in enumerate(rows):
                m.d.comb += port.data[p].eq(row[name])
        if self.machine.integral:
            write_integral(m, self.write_integral, valid, tag, word_of(tag[Stage.ERROR].group, self.machine), rows)
        m.d.comb += [self.compares.eq(asks(tag[Stage.GAIN].flags, Sweep.ERR)),
                     self.error_valid.eq(valid[Stage.ERROR]), self.error_row.eq(tag[Stage.ERROR])]

    def _counts(self, m: Module, valid: dict, tag: dict, clipped: dict) -> None:
        """What is counted, a register behind its stage: a clip is known at the end of a cycle."""
        for name, events in clipped.items():
            bits = Cat(valid[stage] & bit for stage, bit in events)
            m.d.comb += getattr(self, f"sat_{name}").eq(popcount(m, pipe(m, bits, 1, name, reset=True)[1], name))
        rows = named(m, popcount(m, tag[Stage.ERROR].valid_rows, "valid_rows"), "rows")
        for port, name, flags in ((self.steps, "steps", Sweep.STEP | Sweep.DELTA),
                                  (self.activations, "activations", Sweep.ACT)):
            count = Mux(valid[Stage.ERROR] & asks(tag[Stage.ERROR].flags, flags), rows, 0)
            m.d.comb += port.eq(pipe(m, count, 1, name, reset=True)[1])
