"""The neuron unit: what happens to a row once its sum is known."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.machine import MachineConfig
from hebbar.isa import GAINS, Sweep
from hebbar.memories import BLOCK, MAP, UNIT_PRECISION

from .fields import asks
from .fixed import named, pipe, popcount, round_half_up, round_variable, saturate
from .tile import Shapes

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

    Latency: the error leaves 1 cycle after the row, x and e are written 6 cycles after it, a
    8 cycles after it. Throughput: one row group (P rows) a cycle.

    Ports: ``row*`` from the tile, ``error`` back to it; ``state``, ``old_error``, ``base``, ``clamp``,
    ``old_activity`` of the row's group, valid with the row; ``back_word``/``back`` with one cycle
    latency; ``derivative_*`` and ``function_*`` to the tables; ``write_*`` to the memories;
    ``compares``, the errors that are written come from ERR; ``busy``; event counts of the cycle.
    """

    error_latency = 1
    latency = 9
    """Cycles from the row to the first in which nothing of it is in flight."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, s, f = machine, Shapes(machine), machine.formats
        tiles, group = machine.row_tiles, BLOCK["group_base"].width
        derivatives = data.ArrayLayout(signed(f.derivative.bits), tiles)
        activities = data.ArrayLayout(signed(f.activity.bits), tiles)
        write = {"group": Out(group), "mask": Out(tiles)}
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
            "write_base": Out(wiring.Signature(write | {"data": Out(s.sums)})),
            "write_state": Out(wiring.Signature(write | {"data": Out(s.states)})),
            "write_error": Out(wiring.Signature(write | {"data": Out(s.errors)})),
            "write_activity": Out(wiring.Signature(write | {"data": Out(activities)})),
            "compares": Out(1), "busy": Out(1), "steps": Out(8), "activations": Out(8),
            "sat_error": Out(8), "sat_state": Out(8), "sat_feedback": Out(8)})

    def elaborate(self, platform):
        m = Module()
        valid = pipe(m, self.row_valid, self.latency - 1, "valid", reset=True)
        tag = [data.View(Shapes(self.machine).tag, v)
               for v in pipe(m, self.row.as_value(), self.latency - 1, "tag")]
        m.d.comb += self.busy.eq(Cat(valid[1:]).any())
        clipped = {"error": [], "state": [], "feedback": []}
        self._gain = named(m, self.gains[tag[4].gain], "gain")
        rows = [self._row(m, p, tag, clipped) for p in range(self.machine.row_tiles)]
        self._addresses(m, tag)
        self._writes(m, valid, tag, rows)
        self._counts(m, valid, tag, clipped)
        return m

    def _row(self, m: Module, p: int, tag: list, clipped: dict) -> dict[str, Value]:
        """The data path of one of the P rows; returns what is written."""
        f, r = self.machine.formats, f"row{p}"
        on = [{s: asks(t.flags, s) for s in Sweep} for t in tag]
        live = [t.live[p] for t in tag]
        total = Signal(signed(f.row_sum.bits), name=f"{r}_total")
        mu = named(m, Mux(on[0][Sweep.GATE], 0, round_half_up(total, f.sum_shift)), f"{r}_mu")
        start, start_clip = saturate(m, mu, f.state, f"{r}_start")
        takes = named(m, on[0][Sweep.INIT] & ~self.clamp[p], f"{r}_takes")
        x0 = named(m, Mux(takes, start, self.state[p]), f"{r}_x_0")
        weighed = round_variable((x0 - mu) << LARGEST_PRECISION, ~tag[0].precision)  # 15 - precision
        difference, difference_clip = saturate(m, weighed, f.error, f"{r}_difference")
        m.d.comb += total.eq(self.sums[p] + Mux(on[0][Sweep.BASE], self.base[p], 0))
        x = pipe(m, Mux(live[0], x0, 0).as_signed(), 5, f"{r}_x")
        e = pipe(m, Mux(live[0], Mux(on[0][Sweep.ERR], difference, self.old_error[p]), 0)
                 .as_signed(), 5, f"{r}_e")
        clamp = pipe(m, self.clamp[p], 6, f"{r}_clamp")
        held_total = pipe(m, total, 2, f"{r}_held_total")
        m.d.comb += [self.error[p].eq(self._drive(m, p, live[0], e[1], tag)),
                     self.derivative_state[p].eq(x[1])]

        back = Mux(on[2][Sweep.BACK], self._back_of(m, p, tag[2].group), 0)
        feedback, feedback_clip = self._feedback(m, r, back, Mux(on[2][Sweep.GATE], held_total[2], 0))
        slope = pipe(m, self.derivative[p], 1, f"{r}_slope")[1]
        feedback = pipe(m, feedback, 1, f"{r}_feedback")[1]
        scaled = pipe(m, slope * feedback, 2, f"{r}_scaled")
        drive = scaled[1] - (e[4] << f.derivative.frac)
        drive = pipe(m, drive * self._gain, 1, f"{r}_drive")[1]
        moved, moved_clip = saturate(m, x[5] + round_half_up(drive, f.step_shift), f.state, f"{r}_moved")
        delta, delta_clip = saturate(m, round_half_up(scaled[2], f.derivative.frac), f.error, f"{r}_delta")
        steps = named(m, on[5][Sweep.STEP] & ~clamp[5], f"{r}_steps")
        x_new = pipe(m, Mux(steps, moved, x[5]).as_signed(), 1, f"{r}_x_new")[1]
        e_new = pipe(m, Mux(on[5][Sweep.DELTA], delta, e[5]).as_signed(), 1, f"{r}_e_new")[1]
        m.d.comb += self.function_state[p].eq(x_new)
        fires = on[6][Sweep.FIRE] & ~clamp[6] & (x_new >= 1 << f.state.frac)
        moves = on[2][Sweep.STEP] | on[2][Sweep.DELTA]
        clipped["error"] += [(0, live[0] & on[0][Sweep.ERR] & difference_clip),
                             (5, live[5] & on[5][Sweep.DELTA] & delta_clip)]
        clipped["state"] += [(0, live[0] & takes & start_clip), (5, live[5] & steps & moved_clip)]
        clipped["feedback"] += [(2, live[2] & moves & feedback_clip)]
        return {"base": held_total[1], "state": Mux(fires, 0, x_new), "error": e_new,
                "activity": pipe(m, self.function[p], 1, f"{r}_a")[1]}

    def _drive(self, m: Module, p: int, live: Value, e: Value, tag: list) -> Value:
        """What TRN and UPD take, beside the error: that, or with POST the activity; with NEG its negative."""
        f = self.machine.formats
        aligned, _ = saturate(m, self.old_activity[p] << tag[0].align, f.error, f"row{p}_shifted")
        aligned = pipe(m, Mux(live, aligned, 0).as_signed(), 1, f"row{p}_aligned")[1]
        chosen = named(m, Mux(asks(tag[1].flags, Sweep.POST), aligned, e), f"row{p}_chosen")
        negative, _ = saturate(m, -chosen, f.error, f"row{p}_negative")
        return Mux(asks(tag[1].flags, Sweep.NEG), negative, chosen)

    def _feedback(self, m: Module, r: str, back: Value, total: Value) -> tuple[Value, Value]:
        """fb from a back sum and a gated row sum, and whether it was clipped."""
        f = self.machine.formats
        finer = max(f.back_sum.frac, f.row_sum.frac)
        both = (back << finer - f.back_sum.frac) + (total << finer - f.row_sum.frac)
        return saturate(m, round_half_up(both, finer - f.feedback.frac), f.feedback, f"{r}_feedback_0")

    def _back_of(self, m: Module, p: int, group: Value) -> Value:
        """The back sum of row p of a group: a part of the word that holds the group."""
        tiles, lanes = self.machine.row_tiles, self.machine.lanes
        if tiles == lanes:
            return self.back[p]
        picked = Signal(signed(self.machine.formats.back_sum.bits), name=f"row{p}_back")
        with m.Switch(group[:(lanes // tiles - 1).bit_length()]):
            for part in range(lanes // tiles):
                with m.Case(part):
                    m.d.comb += picked.eq(self.back[part * tiles + p])
        return picked

    def _addresses(self, m: Module, tag: list) -> None:
        per_word = (self.machine.lanes // self.machine.row_tiles - 1).bit_length()
        m.d.comb += [self.back_word.eq(tag[1].group >> per_word),
                     self.derivative_table.eq(tag[1].function),
                     self.function_table.eq(tag[6].function)]

    def _writes(self, m: Module, valid: list, tag: list, rows: list[dict[str, Value]]) -> None:
        for port, name, stage, flags in (
                (self.write_base, "base", 1, Sweep.HOIST),
                (self.write_state, "state", 6, Sweep.INIT | Sweep.STEP | Sweep.FIRE),
                (self.write_error, "error", 6, Sweep.ERR | Sweep.DELTA),
                (self.write_activity, "activity", 8, Sweep.ACT)):
            enable = named(m, valid[stage] & asks(tag[stage].flags, flags), f"writes_{name}")
            m.d.comb += [port.group.eq(tag[stage].group),
                         port.mask.eq(Mux(enable, tag[stage].live, 0))]
            for p, row in enumerate(rows):
                m.d.comb += port.data[p].eq(row[name])

        m.d.comb += self.compares.eq(asks(tag[6].flags, Sweep.ERR))

    def _counts(self, m: Module, valid: list, tag: list, clipped: dict) -> None:
        for name, events in clipped.items():
            count = popcount(m, [valid[stage] & bit for stage, bit in events], f"clipped_{name}")
            m.d.comb += getattr(self, f"sat_{name}").eq(count)
        rows = named(m, popcount(m, tag[1].live, "live"), "rows")
        for port, flags in ((self.steps, Sweep.STEP | Sweep.DELTA),
                            (self.activations, Sweep.ACT)):
            m.d.comb += port.eq(Mux(valid[1] & asks(tag[1].flags, flags), rows, 0))
