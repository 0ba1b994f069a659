"""Every component of the machine that takes energy: how often it works and what once costs."""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from hebbar.compiler.cycles import RowTiming
from hebbar.compiler.program import Program
from hebbar.contract.activations import ENTRY_BITS
from hebbar.contract.counters import CAUSES, COUNTERS, CYCLES, ISSUE_SETS, UNATTENDED
from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, INDEX_BITS, POWER_FRAC, RECIPROCAL_BITS
from hebbar.contract.fifos import row_bits, word_bits
from hebbar.contract.geometry import ports
from hebbar.contract.memories import BLOCK, MAP, Mem
from hebbar.contract.registers import ENERGY_BITS

from .interpolate import EventEnergy, adder, memory, multiplier, register, wire
from .registers import HOUSEKEEPING
from .technology import Technology

__all__ = ["BEAT_MM", "Component", "components"]

BEAT_MM = 1.0
"""Distance a stream beat travels on the chip; assumed."""

BEAT_BITS = 32
TOTALS = 2 << (len(COUNTERS) - 1).bit_length(), 64
"""Words and bits of the memory that holds every counter, and every counter as it was at the last LATCH."""

POWER_BITS = POWER_FRAC + 1


@dataclass(frozen=True)
class Component:
    """``count`` times ``per_event``; ``group`` is arithmetic, memory or control."""

    name: str
    group: str
    count: int
    per_event: EventEnergy


IN_THE_MACRO = ("FWD ", "TRN ", "UPD ")
"""What begins the names of the arithmetic on weights."""


def components(program: Program, counters: dict[str, int], events: dict[str, int],
               registers: dict[str, int], technology: Technology) -> list[Component]:
    """All components of one run, those that never worked left out, and those that an analog macro does by itself."""
    made = _Prices(program, technology)
    found = [*made.arithmetic(counters, events), *made.units(events), *made.memories(counters, events),
             *made.control(counters, events, registers)]
    inside = IN_THE_MACRO if program.machine.kind.macro else ()
    return [c for c in found if c.count and not c.name.startswith(inside)]


class _Prices:
    """Prices of one machine in one technology."""

    def __init__(self, program: Program, technology: Technology) -> None:
        self._m, self._f, self._t = program.machine, program.machine.formats, technology

    def _adders(self, terms: int, bits: int, total: int) -> EventEnergy:
        """A sum of ``terms`` numbers of ``bits`` bits in a tree, added to ``total`` bits: for one
        of the terms."""
        per_event, width = adder(self._t, total), bits
        while terms_left := terms // 2:
            width += 1
            per_event, terms = per_event + adder(self._t, width) * terms_left, terms_left
        return per_event

    def arithmetic(self, counters: dict[str, int], events: dict[str, int]) -> list[Component]:
        m, f, t = self._m, self._f, self._t
        w, a, e, d = f.weight.bits, f.activity.bits, f.error.bits, f.derivative.bits
        scaled = d + f.feedback.bits
        forward = self._adders(m.lanes, w + a, f.row_sum.bits) * (1 / m.lanes)
        back = self._adders(m.row_tiles, w + e, f.feedback_sum.bits) * (1 / m.row_tiles)
        table = multiplier(t, ENTRY_BITS, max(1, f.table_frac)) + adder(t, ENTRY_BITS + f.table_frac)
        derivative = table + multiplier(t, d, f.feedback.bits)
        step = multiplier(t, scaled + 1, f.gain.bits) + adder(t, scaled + 1) \
            + adder(t, scaled + f.gain.bits) + adder(t, f.state.bits + 1)
        rows = [
            ("FWD multiply", counters["mac_fwd"], multiplier(t, w, a)),
            ("FWD add", counters["mac_fwd"], forward),
            ("TRN multiply", counters["mac_trn"], multiplier(t, w, e)),
            ("TRN add", counters["mac_trn"], back),
            # The bits that shift an activity for the low bits of its rate are zero or copies of its sign.
            ("UPD multiply", counters["mac_upd"], multiplier(t, e, a)),
            ("UPD round and add", counters["mac_upd"], adder(t, e + a) + adder(t, w + 1)),
            ("identity FWD add", events["identity_fwd"], adder(t, f.row_sum.bits)),
            ("identity TRN add", events["identity_trn"], adder(t, f.feedback_sum.bits)),
            ("base add", events["row_base"], adder(t, f.row_sum.bits)),
            ("error", events["row_error"], adder(t, f.row_sum.bits) + adder(t, f.state.bits + 1)),
            ("integral and error", events["row_integral"], adder(t, e + 1) * 2),
            ("precision round", events["row_precision"], adder(t, f.state.bits + 1)),
            ("GATE add", events["row_gate"], adder(t, self._gated())),
            ("NEG", events["row_negated"], adder(t, e + 1)),
            ("derivative and feedback", counters["steps"], derivative),
            ("state step", events["row_step"], step),
            ("activation", counters["activations"], table)]
        return [Component(name, "arithmetic", count, per_event) for name, count, per_event in rows]

    def _gated(self) -> int:
        """Bits of a feedback sum and a row sum brought to the finer fraction of the two."""
        back, row = self._f.feedback_sum, self._f.row_sum
        finer = max(back.frac, row.frac)
        return max(back.bits + finer - back.frac, row.bits + finer - row.frac)

    def units(self, events: dict[str, int]) -> list[Component]:
        """Arithmetic of the separation unit and of the energy sum, where they are built.

        A power: distance to the largest sum, its rounding, the product with beta and its rounding, the sum of
        powers. A share: the product with the reciprocal and its rounding. A reciprocal: a subtraction for
        each of its bits. The search for the largest sum compares, which no entry covers.
        """
        m, f, t = self._m, self._f, self._t
        exponent, share = DISTANCE_BITS + BETA_BITS, POWER_BITS + RECIPROCAL_BITS
        total = POWER_BITS + m.separation.bit_length()
        weigh = adder(t, f.row_sum.bits + 1) * 2 + multiplier(t, DISTANCE_BITS, BETA_BITS) + adder(t, exponent) \
            + adder(t, total) + multiplier(t, POWER_BITS, RECIPROCAL_BITS) + adder(t, share)
        square = multiplier(t, f.error.bits, f.error.bits) \
            + self._adders(m.pass_rows, 2 * f.error.bits, ENERGY_BITS) * (1 / m.pass_rows)
        rows = [
            ("SEPARATE weigh and share", events["softmax_rows"], weigh),
            ("SEPARATE reciprocal", events["softmaxes"] * RECIPROCAL_BITS, adder(t, total + 1)),
            ("SEPARATE error", events["row_difference"], adder(t, f.state.bits + 1)),
            ("energy sum", events["row_square"], square),
            ("EXIT", events["exit_executed"], adder(t, ENERGY_BITS))]
        return [Component(name, "arithmetic", count, per_event) for name, count, per_event in rows]

    def memories(self, counters: dict[str, int], events: dict[str, int]) -> list[Component]:
        m, f, rows = self._m, self._f, []
        tiles, lanes, timing = m.row_tiles, m.lanes, RowTiming(m)
        words, wide = m.row_words, m.pass_rows
        for name, event, depth, bits, write in (
                ("weights read", "weight_read", m.weight_words, tiles * lanes * f.weight.bits, False),
                ("weights write", "weight_write", m.weight_words, tiles * lanes * f.weight.bits, True),
                ("activities read", "activity_read", m.neuron_words, lanes * f.activity.bits, False),
                ("activities read for POST", "post_read", m.neuron_words, lanes * f.activity.bits, False),
                ("activities write", "activity_write", m.neuron_words, wide * f.activity.bits, True),
                ("feedback sums read", "back_read", m.neuron_words, lanes * f.feedback_sum.bits, False),
                ("feedback sums write", "back_write", m.neuron_words, lanes * f.feedback_sum.bits, True),
                ("feedback sums copy", "back_write", m.neuron_words, lanes * f.feedback_sum.bits, True),
                ("feedback sums to neurons", "back_use", m.neuron_words, lanes * f.feedback_sum.bits, False),
                ("states read", "state_read", words, wide * f.state.bits, False),
                ("states write", "state_write", words, wide * f.state.bits, True),
                ("errors read", "error_read", words, wide * f.error.bits, False),
                ("errors write", "error_write", words, wide * f.error.bits, True),
                ("integrals read", "integral_read", words, wide * f.error.bits, False),
                ("integrals write", "integral_write", words, wide * f.error.bits, True),
                ("clamp read", "clamp_read", words, wide, False),
                ("base read", "base_read", words, wide * f.row_sum.bits, False),
                ("base write", "base_write", words, wide * f.row_sum.bits, True)):
            rows.append(Component(name, "memory", events[event],
                                  memory(self._t, depth, bits, write)))
        for name, event, depth, bits in (("word FIFO", "word_fifo", timing.fifo_depth + 1, word_bits(m)),
                                         ("error FIFO", "row_fifo", timing.error_depth, row_bits(m))):
            both = memory(self._t, depth, bits) + memory(self._t, depth, bits, True)
            rows.append(Component(name, "memory", events[event], both))
        entry = memory(self._t, m.functions << f.table_bits, 2 * ENTRY_BITS)
        for name, words, write in (("exponentials read", 1 << INDEX_BITS, False),
                                   ("powers write", m.separation, True), ("powers read", m.separation, False)):
            if m.separation:
                rows.append(Component(name, "memory", events["softmax_rows"],
                                      memory(self._t, words, POWER_BITS, write)))
        return [*rows, Component("derivative table", "memory", counters["steps"], entry),
                Component("activation table", "memory", counters["activations"], entry)]

    def control(self, counters: dict[str, int], events: dict[str, int],
                registers: dict[str, int]) -> list[Component]:
        m, t = self._m, self._t
        beat, cycles = wire(t, BEAT_BITS, BEAT_MM), sum(counters.get(c, 0) for c in CYCLES)
        bits = {False: 0, True: 0}
        for block, count in registers.items():
            bits[block in HOUSEKEEPING] += count
        element = max(self._f.state.bits, self._f.error.bits)
        rows = [
            ("map", events["map_read"], memory(t, m.map_entries, _bits(MAP))),
            ("descriptors", events["block_read"], memory(t, m.blocks, _bits(BLOCK))),
            ("instructions", events["program_read"], memory(t, m.program_words, 32)),
            ("stream, activities", events["beat_activity"],
             beat + memory(t, m.neuron_words, ports(m)[Mem.ACTIVITY].lanes_per_beat * self._f.activity.bits, True)),
            ("stream, elements", events["beat_element"], beat + memory(t, m.row_words, element, True)),
            ("stream out", events["beat_out"], beat + memory(t, m.row_words, element)),
            # Each total is read and written once a round.
            ("totals of counters", cycles * m.counters,
             (memory(t, *TOTALS) + memory(t, *TOTALS, True)) * (len(COUNTERS) / UNATTENDED)),
            ("flag set and cause of a cycle", cycles * m.counters, reduce(add, (
                memory(t, len(names), UNATTENDED.bit_length(), write)
                for names in (ISSUE_SETS, CAUSES) for write in (False, True)))),
            ("registers of the datapath", cycles * bits[False], register(t)),
            ("registers of bus and counters", cycles * bits[True], register(t))]
        return [Component(name, "control", count, per_event) for name, count, per_event in rows]


def _bits(layout: dict[str, Any]) -> int:
    """Width of an entry as stored: whole beats of 32 bits."""
    return -(-max(field.lsb + field.width for field in layout.values()) // 32) * 32
