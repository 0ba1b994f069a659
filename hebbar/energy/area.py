"""Area of the machine by block: operators and registers of published tables, memories by the law of a compiler.

Low and typical operators are Horowitz's (45 nm), high ones Aladdin's (40 nm, about twice as large); a memory is a macro
of the SG13G2 compiler (130 nm) or registers, whichever is smaller, scaled to the node. No wires, no clock tree, no
utilisation: what a layout adds is not in it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from math import log
from typing import NamedTuple

from hebbar.compiler.cycles import RowTiming
from hebbar.contract.counters import CAUSES, COUNTERS, ISSUE_SETS, UNATTENDED
from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, INDEX_BITS, POWER_FRAC, RECIPROCAL_BITS
from hebbar.contract.fifos import FINEST, row_bits, tag_bits, word_bits
from hebbar.contract.geometry import ports
from hebbar.contract.isa import LOOP_DEPTH
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem
from hebbar.contract.registers import ENERGY_BITS
from hebbar.contract.tiles import Weights

from .registers import HOUSEKEEPING
from .scaling import Kind, scaled_area
from .technology import Range
from .validation import sram
from .validation.tables import component
from .validation.units import in_units

__all__ = ["MEMORY_SPREAD", "Memory", "area", "memories", "memory_um2", "multiplier_um2"]

PC_BITS, ROUND_BITS = 13, 32
"""Bits of a loop's entry: where it begins, and how many rounds are left."""

STATE_WORDS = 6
"""Words of the neuron unit's delay: a state waits 7 cycles for its step."""

COUNTED = 2
"""Words of a delay that are among the registers."""

MEMORY_SPREAD = 0.09
"""Largest error of a macro's area predicted from the other nine."""

_BLOCK = {Mem.WEIGHT: "weight memory", Mem.ACTIVITY: "neuron memories", Mem.STATE: "neuron memories",
          Mem.ERROR: "neuron memories", Mem.CLAMP: "neuron memories", Mem.PROGRAM: "sequencer", Mem.BLOCK: "sequencer",
          Mem.MAP: "sequencer", Mem.FUNCTION: "neuron unit", Mem.DERIVATIVE: "neuron unit"}


@cache
def _um2(name: str, node_nm: float) -> float:
    return in_units(component(name, node_nm).value, "um2", name)


def _operator(low: float, high: float, node_nm: float) -> Range:
    """Horowitz's area at 45 nm and Aladdin's at 40 nm, at the node."""
    near, far = (scaled_area(v, n, node_nm, Kind.LOGIC).value for v, n in ((low, 45), (high, 40)))
    return Range(near, near, max(near, far))


def multiplier_um2(a: int, b: int, node_nm: float) -> Range:
    """A product of a and b bits: a power law in a b through the published 8 and 32 bits."""
    eight, wide = _um2("int mul 8b area", 45), _um2("int mul 32b area", 45)
    low = eight * (a * b / 64) ** (log(wide / eight) / log(16))
    return _operator(low, low * _um2("int mul 32b area", 40) / wide, node_nm)


def adder_um2(bits: int, node_nm: float) -> Range:
    """A sum, by bits through the published 32."""
    low = _um2("int add 32b area", 45) * bits / 32
    return _operator(low, _um2("int add 32b area", 40) * bits / 32, node_nm)


def registers_um2(bits: int, node_nm: float) -> Range:
    """Register bits, Aladdin's."""
    each = scaled_area(_um2("register per bit area", 40), 40, node_nm, Kind.LOGIC).value
    return Range(each, each, each) * bits


def memory_um2(words: int, bits: int, node_nm: float) -> Range:
    """A memory: a macro of the compiler's law, or registers where those are smaller; of no words nothing."""
    fixed, column, cell = sram.fit("area_um2")
    macro = scaled_area(fixed + column * bits + cell * bits * words, 130, node_nm, Kind.SRAM).value
    flat = registers_um2(words * bits, node_nm)
    if flat.typical < macro:
        return flat
    return Range(macro * (1 - MEMORY_SPREAD), macro, macro * (1 + MEMORY_SPREAD))


class Memory(NamedTuple):
    """``words`` of ``bits`` in a block. One with several ``readers`` is a copy for each of them. Of a delay
    ``registered`` words are counted among the registers (``register_bits``)."""

    block: str
    words: int
    bits: int
    readers: int = 1
    registered: int = 0

    def um2(self, node_nm: float) -> Range:
        """What it takes beside the registers."""
        return memory_um2(self.words - self.registered, self.bits, node_nm) * self.readers


def memories(m: MachineConfig) -> list[Memory]:
    """Every memory of the Verilog."""
    readers = {Mem.ACTIVITY: 2, Mem.FUNCTION: m.pass_rows, Mem.DERIVATIVE: m.pass_rows}
    found = [Memory(_BLOCK[mem], p.depth, p.lanes * p.bits, readers.get(mem, 1)) for mem, p in ports(m).items()
             if mem is not Mem.WEIGHT or m.kind.weights is Weights.MEMORY]
    plain = [("accumulators", m.row_words, m.pass_rows * m.row_sum_bits),
              *(("accumulators", m.neuron_words, m.lanes * m.feedback_sum_bits) for _copy in range(2)),
              ("sequencer", LOOP_DEPTH, PC_BITS + ROUND_BITS)]
    delays = [("neuron unit", STATE_WORDS, m.pass_rows * m.state_bits)]
    if m.counters:
        plain += [("bus", 2 << (len(COUNTERS) - 1).bit_length(), 64),
                  *(("bus", 2 * len(names), UNATTENDED.bit_length()) for names in (ISSUE_SETS, CAUSES))]
    if m.integral:
        integrals = ports(m)[Mem.ERROR]  # one for every error, of its format
        plain.append((_BLOCK[Mem.ERROR], integrals.depth, integrals.lanes * integrals.bits))
    if m.separation:
        plain += [("neuron unit", m.separation, POWER_FRAC + 1), ("neuron unit", 1 << INDEX_BITS, POWER_FRAC + 1)]
    if m.kind.weights is Weights.MEMORY:
        timing = RowTiming(m)
        plain += [("pipeline", timing.fifo_depth + 1, word_bits(m)), ("pipeline", timing.error_depth, row_bits(m))]
        delays.append(("pipeline", timing.sum_latency - 1, tag_bits(m)))
    return [*found, *(Memory(*each) for each in plain), *(Memory(*each, registered=COUNTED) for each in delays)]


def area(m: MachineConfig, registers: Mapping[str, int], node_nm: float) -> dict[str, Range]:
    """um2 by block; ``registers``: register bits by block of the Verilog, as ``register_bits`` counts them.

    An analog macro is not in it: it has its own area.
    """
    found: dict[str, Range] = {}

    def add(block: str, value: Range, count: float = 1) -> None:
        found[block] = found.get(block, Range(0.0, 0.0, 0.0)) + value * count

    for memory in memories(m):
        add(memory.block, memory.um2(node_nm))
    _operators(m, node_nm, add)
    for name, bits in registers.items():
        block = {"neuron": "neuron unit", "sequencer": "sequencer", "tile": "pipeline"}.get(name, "pipeline")
        add("bus" if name in (*HOUSEKEEPING, "streamer") else block, registers_um2(bits, node_nm))
    return found


def _operators(m: MachineConfig, node_nm: float, add: Callable[..., None]) -> None:
    """Multipliers and adders of the tile, and the neuron unit's."""
    f = m.formats
    w, a, e, d = f.weight.bits, f.activity.bits, f.error.bits, f.derivative.bits
    cells = 0 if m.kind.macro else m.row_tiles * m.lanes * (m.weight_words if m.kind.array else 1)
    learns = a + (0 if m.kind.array else FINEST)
    second = max(w, learns) if m.updates == "shared" else w
    for pair in ((w, a), (second, e), *([(e, learns)] if m.updates == "own" else [])):
        add("multipliers", multiplier_um2(*pair, node_nm), cells)
    for bits in (f.row_sum.bits, f.feedback_sum.bits, *([w + 1] if m.updates != "none" else [])):
        add("accumulators", adder_um2(bits, node_nm), cells)
    neuron = multiplier_um2(d, f.feedback.bits, node_nm) + multiplier_um2(d + f.feedback.bits + 1, f.gain.bits, node_nm)
    table = multiplier_um2(16, max(1, f.table_frac), node_nm)
    add("neuron unit", neuron + table * 2 + adder_um2(f.state.bits + 1, node_nm) * 3, m.pass_rows)
    if m.integral:
        add("neuron unit", adder_um2(e + 1, node_nm) * 2, m.pass_rows)
    if m.energy:
        add("neuron unit", multiplier_um2(e, e, node_nm) + adder_um2(ENERGY_BITS, node_nm), m.pass_rows)
    if m.separation:
        add("neuron unit", multiplier_um2(DISTANCE_BITS, BETA_BITS, node_nm)
            + multiplier_um2(POWER_FRAC + 1, RECIPROCAL_BITS, node_nm) + adder_um2(f.row_sum.bits + 1, node_nm) * 2
            + adder_um2(POWER_FRAC + 1 + m.separation.bit_length(), node_nm) * 2)
