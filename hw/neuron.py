"""The neuron unit: what happens to a row once its sum is known."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.isa import GAINS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION
from hebbar.contract.timing import ERROR_LATENCY, NEURON_LATENCY

from .fields import asks
from .fixed import named, popcount, round_half_up, round_variable, saturate
from .neuron_stages import Stage
from .pipeline import staged
from .tile import GroupWrite, Shapes

__all__ = ["Neuron"]

LARGEST_PRECISION = (1 << BLOCK["precision"].width) - 1 - UNIT_PRECISION
"""log2 of the largest precision."""


class Neuron(wiring.Component):
    """``mu = round(sum + base)``, then ERR, STEP or DELTA, ACT, FIRE as the flags say.

    With f' from the derivative table, pi = 2**(precision - 8) and fb = sat(round(back)); with GATE
    the sum is part of the feedback instead, mu = 0 and fb = sat(round(back + sum + base)):

        e  = sat(round(pi (x - mu)))                       ERR
        x  = sat(x + round(gain * (f'(x) * fb - e)))       STEP, rows not clamped
        e  = sat(round(f'(x) * fb))                        DELTA
        a  = f(x)                                          ACT
        x  = 0 where x >= 1                                FIRE, rows not clamped

    One rounding each for mu, pi (x - mu), fb, the step and a. ``back + sum`` is added at the finer
    fraction of the two, so exactly. TRN and UPD take e, or sat(a << align) with POST, a from before
    ACT; its negative, saturated once more, with NEG. The clips of POST and NEG are the ends of the
    error format and count as no saturation.

    Latency: as ``Stage`` numbers them: the error leaves 1 cycle after the row, x and e are written 6, a 8 cycles
    after it. Throughput: one row group (P rows) a cycle.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes.

    Attributes
    ----------
    row_valid : Signal(1), in
        A row group arrives from the tile: ``row`` to ``old_activity`` are of it.
    row : Signal(Shapes.tag), in
        Its flags and descriptor, its number and which of its rows are in use.
    sums : Signal(Shapes.sums), in
        Its row sums.
    state, old_error, base : Signal(Shapes.states), Signal(Shapes.errors), Signal(Shapes.sums), in
        What the memories hold of it.
    clamp : Signal(ArrayLayout(1, P)), in
        Rows whose state stays as it is.
    old_activity : Signal(ArrayLayout(signed(machine.activity_bits), P)), in
        Its activities before ACT, for POST.
    gains : Signal(ArrayLayout(8, GAINS)), in
        The GAIN registers; a sweep names one.
    error : Signal(Shapes.errors), out
        What TRN and UPD take for the row group in stage ERROR.
    back_word : Signal(12), out
        The word of the feedback sums with the row group in stage ERROR.
    back : Signal(Shapes.backs), in
        That word, a cycle later.
    derivative_table, function_table : Signal(4), out
        Which f' the row group in stage ERROR has, and which f the one in stage WRITE.
    derivative_state, function_state : Signal(Shapes.states), out
        The states at which they are looked up.
    derivative : Signal(ArrayLayout(signed(machine.formats.derivative.bits), P)), in
        f' of these states, a cycle later.
    function : Signal(ArrayLayout(signed(machine.activity_bits), P)), in
        f of these states, a cycle later.
    write_base : GroupWrite(Shapes.sums), out
        Sums of rows to the base memory, with HOIST.
    write_state : GroupWrite(Shapes.states), out
        x to the state memory, with INIT, STEP or FIRE.
    write_error : GroupWrite(Shapes.errors), out
        e to the error memory, with ERR or DELTA.
    write_activity : GroupWrite(ArrayLayout(signed(machine.activity_bits), P)), out
        a to the activity memory, with ACT.
    compares : Signal(1), out
        What is on ``write_error`` comes from ERR.
    busy : Signal(1), out
        A row group is in a stage behind ROW.
    steps, activations : Signal(8), out
        Rows of this cycle that STEP or DELTA, and that ACT computes.
    sat_error, sat_state, sat_feedback : Signal(8), out
        Values of this cycle that were clipped.
    """

    error_latency = ERROR_LATENCY
    latency = NEURON_LATENCY
    """Cycles from the row to the first in which nothing of it is in flight."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s, f = machine, Shapes(machine), machine.formats
        tiles = machine.row_tiles
        derivatives = data.ArrayLayout(signed(f.derivative.bits), tiles)
        activities = data.ArrayLayout(signed(f.activity.bits), tiles)
        super().__init__({
            "row_valid": In(1), "row": In(s.tag), "sums": In(s.sums),
            "state": In(s.states), "old_error": In(s.errors), "base": In(s.sums),
            "clamp": In(data.ArrayLayout(1, tiles)), "old_activity": In(activities),
            "gains": In(data.ArrayLayout(8, GAINS)),
            "error": Out(s.errors),
            "back_word": Out(MAP["source"].width), "back": In(s.backs),
            "derivative_table": Out(4), "derivative_state": Out(s.states),
            "derivative": In(derivatives),
            "function_table": Out(4), "function_state": Out(s.states), "function": In(activities),
            "write_base": Out(GroupWrite(s.sums)), "write_state": Out(GroupWrite(s.states)),
            "write_error": Out(GroupWrite(s.errors)), "write_activity": Out(GroupWrite(activities)),
            "compares": Out(1), "busy": Out(1), "steps": Out(8), "activations": Out(8),
            "sat_error": Out(8), "sat_state": Out(8), "sat_feedback": Out(8)})

    def elaborate(self, platform):
        m = Module()
        valid = staged(m, self.row_valid, Stage.ROW, Stage.ACTIVITY, "valid", reset=True)
        tag = {stage: data.View(Shapes(self.machine).tag, value)
               for stage, value in staged(m, self.row.as_value(), Stage.ROW, Stage.ACTIVITY, "tag").items()}
        m.d.comb += self.busy.eq(Cat(valid[stage] for stage in Stage if stage is not Stage.ROW).any())
        clipped: dict[str, list[Value]] = {"error": [], "state": [], "feedback": []}
        self._gain = named(m, self.gains[tag[Stage.GAIN].gain], "gain")
        rows = [self._row(m, p, tag, clipped) for p in range(self.machine.row_tiles)]
        self._addresses(m, tag)
        self._writes(m, valid, tag, rows)
        self._counts(m, valid, tag, clipped)
        return m

    def _row(self, m: Module, p: int, tag: dict, clipped: dict) -> dict[str, Value]:
        """The data path of one of the P rows; returns what is written."""
        f, r = self.machine.formats, f"row{p}"
        on = {stage: {flag: asks(tag[stage].flags, flag) for flag in Sweep} for stage in Stage}
        valid_rows = {stage: tag[stage].valid_rows[p] for stage in Stage}
        total = Signal(signed(f.row_sum.bits), name=f"{r}_total")
        mu = named(m, Mux(on[Stage.ROW][Sweep.GATE], 0, round_half_up(total, f.sum_shift)), f"{r}_mu")
        start, start_clip = saturate(m, mu, f.state, f"{r}_start")
        takes = named(m, on[Stage.ROW][Sweep.INIT] & ~self.clamp[p], f"{r}_takes")
        x0 = named(m, Mux(takes, start, self.state[p]), f"{r}_x_0")
        # The difference times the largest precision, shifted right by what the row's precision is below it. An
        # inverted precision is 15 - precision: no subtractor, and no bit is lost before the one rounding.
        weighed = round_variable((x0 - mu) << LARGEST_PRECISION, ~tag[Stage.ROW].precision)
        difference, difference_clip = saturate(m, weighed, f.error, f"{r}_difference")
        m.d.comb += total.eq(self.sums[p] + Mux(on[Stage.ROW][Sweep.BASE], self.base[p], 0))
        x = staged(m, Mux(valid_rows[Stage.ROW], x0, 0).as_signed(), Stage.ROW, Stage.MOVE, f"{r}_x")
        e0 = Mux(valid_rows[Stage.ROW], Mux(on[Stage.ROW][Sweep.ERR], difference, self.old_error[p]), 0)
        e = staged(m, e0.as_signed(), Stage.ROW, Stage.MOVE, f"{r}_e")
        clamp = staged(m, self.clamp[p], Stage.ROW, Stage.WRITE, f"{r}_clamp")
        totals = staged(m, total, Stage.ROW, Stage.FEEDBACK, f"{r}_held_total")
        m.d.comb += [self.error[p].eq(self._operand(m, p, valid_rows[Stage.ROW], e[Stage.ERROR], tag)),
                     self.derivative_state[p].eq(x[Stage.ERROR])]

        back = Mux(on[Stage.FEEDBACK][Sweep.BACK], self._back_of(m, p, tag[Stage.FEEDBACK].group), 0)
        gated = Mux(on[Stage.FEEDBACK][Sweep.GATE], totals[Stage.FEEDBACK], 0)
        feedback, feedback_clip = self._feedback(m, r, back, gated)
        slope = staged(m, self.derivative[p], Stage.FEEDBACK, Stage.SLOPE, f"{r}_slope")[Stage.SLOPE]
        feedback = staged(m, feedback, Stage.FEEDBACK, Stage.SLOPE, f"{r}_feedback")[Stage.SLOPE]
        scaled = staged(m, slope * feedback, Stage.SLOPE, Stage.MOVE, f"{r}_scaled")
        operand = scaled[Stage.GAIN] - (e[Stage.GAIN] << f.derivative.frac)
        operand = staged(m, operand * self._gain, Stage.GAIN, Stage.MOVE, f"{r}_operand")[Stage.MOVE]
        moved, moved_clip = saturate(m, x[Stage.MOVE] + round_half_up(operand, f.step_shift), f.state, f"{r}_moved")
        delta = round_half_up(scaled[Stage.MOVE], f.derivative.frac)
        delta, delta_clip = saturate(m, delta, f.error, f"{r}_delta")
        steps = named(m, on[Stage.MOVE][Sweep.STEP] & ~clamp[Stage.MOVE], f"{r}_steps")
        x_new = Mux(steps, moved, x[Stage.MOVE]).as_signed()
        x_new = staged(m, x_new, Stage.MOVE, Stage.WRITE, f"{r}_x_new")[Stage.WRITE]
        e_new = Mux(on[Stage.MOVE][Sweep.DELTA], delta, e[Stage.MOVE]).as_signed()
        e_new = staged(m, e_new, Stage.MOVE, Stage.WRITE, f"{r}_e_new")[Stage.WRITE]
        # The table takes the state that fires and the memory the one after it, so that an activity shows the spike.
        m.d.comb += self.function_state[p].eq(x_new)
        fires = on[Stage.WRITE][Sweep.FIRE] & ~clamp[Stage.WRITE] & (x_new >= 1 << f.state.frac)
        activity = staged(m, self.function[p], Stage.TABLE, Stage.ACTIVITY, f"{r}_a")[Stage.ACTIVITY]
        moves = on[Stage.FEEDBACK][Sweep.STEP] | on[Stage.FEEDBACK][Sweep.DELTA]
        clipped["error"] += [(Stage.ROW, valid_rows[Stage.ROW] & on[Stage.ROW][Sweep.ERR] & difference_clip),
                             (Stage.MOVE, valid_rows[Stage.MOVE] & on[Stage.MOVE][Sweep.DELTA] & delta_clip)]
        clipped["state"] += [(Stage.ROW, valid_rows[Stage.ROW] & takes & start_clip),
                             (Stage.MOVE, valid_rows[Stage.MOVE] & steps & moved_clip)]
        clipped["feedback"] += [(Stage.FEEDBACK, valid_rows[Stage.FEEDBACK] & moves & feedback_clip)]
        return {"base": totals[Stage.ERROR], "state": Mux(fires, 0, x_new), "error": e_new, "activity": activity}

    def _operand(self, m: Module, p: int, valid_rows: Value, e: Value, tag: dict) -> Value:
        """What TRN and UPD take, beside the error: that, or with POST the activity; with NEG its negative."""
        f = self.machine.formats
        aligned, _ = saturate(m, self.old_activity[p] << tag[Stage.ROW].align, f.error, f"row{p}_shifted")
        aligned = Mux(valid_rows, aligned, 0).as_signed()
        aligned = staged(m, aligned, Stage.ROW, Stage.ERROR, f"row{p}_aligned")[Stage.ERROR]
        flags = tag[Stage.ERROR].flags
        chosen = named(m, Mux(asks(flags, Sweep.POST), aligned, e), f"row{p}_chosen")
        negative, _ = saturate(m, -chosen, f.error, f"row{p}_negative")
        return Mux(asks(flags, Sweep.NEG), negative, chosen)

    def _feedback(self, m: Module, r: str, back: Value, total: Value) -> tuple[Value, Value]:
        """fb from a feedback sum and a gated row sum, and whether it was clipped."""
        f = self.machine.formats
        finer = max(f.feedback_sum.frac, f.row_sum.frac)
        both = (back << finer - f.feedback_sum.frac) + (total << finer - f.row_sum.frac)
        return saturate(m, round_half_up(both, finer - f.feedback.frac), f.feedback, f"{r}_feedback_0")

    def _back_of(self, m: Module, p: int, group: Value) -> Value:
        """The feedback sum of row p of a group: a part of the word that holds the group."""
        tiles, lanes = self.machine.row_tiles, self.machine.lanes
        if tiles == lanes:
            return self.back[p]
        picked = Signal(signed(self.machine.formats.feedback_sum.bits), name=f"row{p}_back")
        with m.Switch(group[:(lanes // tiles - 1).bit_length()]):
            for part in range(lanes // tiles):
                with m.Case(part):
                    m.d.comb += picked.eq(self.back[part * tiles + p])
        return picked

    def _addresses(self, m: Module, tag: dict) -> None:
        per_word = (self.machine.lanes // self.machine.row_tiles - 1).bit_length()
        m.d.comb += [self.back_word.eq(tag[Stage.ERROR].group >> per_word),
                     self.derivative_table.eq(tag[Stage.ERROR].function),
                     self.function_table.eq(tag[Stage.WRITE].function)]

    def _writes(self, m: Module, valid: dict, tag: dict, rows: list[dict[str, Value]]) -> None:
        for port, name, stage, flags in (
                (self.write_base, "base", Stage.ERROR, Sweep.HOIST),
                (self.write_state, "state", Stage.WRITE, Sweep.INIT | Sweep.STEP | Sweep.FIRE),
                (self.write_error, "error", Stage.WRITE, Sweep.ERR | Sweep.DELTA),
                (self.write_activity, "activity", Stage.ACTIVITY, Sweep.ACT)):
            enable = named(m, valid[stage] & asks(tag[stage].flags, flags), f"writes_{name}")
            m.d.comb += [port.group.eq(tag[stage].group),
                         port.mask.eq(Mux(enable, tag[stage].valid_rows, 0))]
            for p, row in enumerate(rows):
                m.d.comb += port.data[p].eq(row[name])

        m.d.comb += self.compares.eq(asks(tag[Stage.WRITE].flags, Sweep.ERR))

    def _counts(self, m: Module, valid: dict, tag: dict, clipped: dict) -> None:
        for name, events in clipped.items():
            count = popcount(m, [valid[stage] & bit for stage, bit in events], f"clipped_{name}")
            m.d.comb += getattr(self, f"sat_{name}").eq(count)
        rows = named(m, popcount(m, tag[Stage.ERROR].valid_rows, "valid_rows"), "rows")
        for port, flags in ((self.steps, Sweep.STEP | Sweep.DELTA),
                            (self.activations, Sweep.ACT)):
            m.d.comb += port.eq(Mux(valid[Stage.ERROR] & asks(tag[Stage.ERROR].flags, flags), rows, 0))
