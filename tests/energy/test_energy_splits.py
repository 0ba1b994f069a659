"""Energy by block and verb, area by block, and the machine at a clock: sums that close and laws that rise."""

import pytest

from hebbar.compiler.config import load
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.energy.area import adder_um2, area, memories, memory_um2, multiplier_um2
from hebbar.energy.components import components
from hebbar.energy.operation import REGISTER_LEAKAGE_W, SRAM_LEAKAGE_W, leakage_w, operation
from hebbar.energy.splits import BLOCKS, VERBS, by_block, by_verb, cross, place_of
from hebbar.energy.technology import Range, load_technology
from hebbar.verify.structure.expected import memories as expected_memories, multipliers as expected_multipliers

CMOS = load_technology("cmos45")


class Always(dict):
    """Counts of which every one is there and works."""

    def __missing__(self, key):
        return 1


def test_every_component_has_a_place():
    """Without it a new component would fall out of the sums by block and verb."""
    for name in ("digits", "categorical"):
        config = load(name)
        machine = replace_units(config.machine)
        program = type("Program", (), {"machine": machine})()
        for c in components(program, Always(), Always(), {"tile": 10, "bus": 5}, CMOS):
            block, verb = place_of(c.name)
            assert block in BLOCKS and verb in VERBS, c.name


def replace_units(machine):
    """The machine with a separation unit and an energy sum."""
    return machine.model_copy(update={"separation": 16, "energy": True})


def test_the_parts_are_the_whole():
    """By block, by verb and over all rows one sum comes out."""
    rows = [("FWD multiply", Range(1, 2, 3)), ("weights read", Range(4, 5, 6)), ("weights write", Range(1, 1, 1)),
            ("registers of the datapath", Range(0, 7, 9))]
    table = cross(rows)
    for split in (by_block(table), by_verb(table)):
        assert sum(e.typical for e in split.values()) == 15
    assert by_verb(table)["UPD"].typical == 1 and by_block(table)["weight memory"].typical == 6


def test_operators_meet_their_table():
    """8 and 32 bits are published; a power law through them is exact there."""
    assert multiplier_um2(8, 8, 45).typical == pytest.approx(282)
    assert multiplier_um2(32, 32, 45).typical == pytest.approx(3495)
    assert adder_um2(32, 45).typical == pytest.approx(137)
    assert multiplier_um2(32, 32, 45).high > 6350


def test_a_memory_is_the_compilers_macro_or_registers():
    """1024 words of 64 bits at 130 nm take what the compiler's macro takes; a byte takes registers."""
    assert memory_um2(1024, 64, 130).typical == pytest.approx(263946, rel=0.09)
    assert memory_um2(1, 8, 130).typical < 1000


def test_area_rises_with_every_size():
    """Without it a block could be left out of the sum."""
    m = load("tiny").machine
    registers = {"tile": 100, "bus": 50, "neuron": 70}
    small = area(m, registers, 45)
    assert set(small) <= set(BLOCKS)
    for change in ({"lanes": 2 * m.lanes}, {"weight_words": 4 * m.weight_words}, {"row_tiles": 2 * m.row_tiles}):
        larger = area(m.model_copy(update=change), registers, 45)
        assert sum(a.typical for a in larger.values()) > sum(a.typical for a in small.values()), change
    assert sum(a.typical for a in area(m, registers, 28).values()) < sum(a.typical for a in small.values())


@pytest.mark.parametrize("name", ["tiny", "digits", "categorical"])
def test_memories_and_multipliers_are_those_of_the_verilog(name):
    """What `hebbar check` expects of the Verilog, counted a second time: as many bits, as many products of the tile."""
    m = load(name).machine
    found = sum(memory.words * memory.bits for memory in memories(m))
    assert found == sum(w * b for w, b in expected_memories(m).values())
    tile = sum(n for pair, n in expected_multipliers(m)["hebbar.tile"].items() if min(pair) > 4)
    assert tile == 3 * m.row_tiles * m.lanes


def test_a_run_at_a_clock_by_hand():
    """1000 cycles for two samples at 100 MHz: 5 us each; 100 pJ in 5 us are 20 uW."""
    counters = dict.fromkeys(CYCLES, 0) | {"issue": 900, "control": 100}
    op = operation(Range(50, 100, 200), counters, 2, 100, Range(1e-6, 2e-6, 4e-6))
    assert op.latency_s == pytest.approx(5e-6) and op.throughput == pytest.approx(2e5)
    assert op.dynamic_w.typical == pytest.approx(2e-5) and op.power_w.typical == pytest.approx(2.2e-5)
    assert op.leakage_pj.typical == pytest.approx(10)


def test_a_faster_clock_takes_more_power_and_less_leakage_a_sample():
    """Dynamic energy a sample does not know the clock; leakage does."""
    counters, leak = {"issue": 100}, Range(1e-6, 2e-6, 4e-6)
    slow, fast = (operation(Range(1, 1, 1), counters, 1, mhz, leak) for mhz in (10, 100))
    assert fast.power_w.typical > slow.power_w.typical
    assert fast.leakage_pj.typical < slow.leakage_pj.typical


def test_a_run_without_cycles_is_refused():
    """Its latency would be zero and its power infinite."""
    with pytest.raises(BadInput, match="no cycle"):
        operation(Range(1, 1, 1), {}, 1, 100, Range(0, 0, 0))


def test_leakage_counts_every_bit():
    """Bits of all memories, of every copy for a reader, times one figure, registers times another. The
    activities of tiny have two readers, its tables one."""
    m = load("tiny").machine
    known = {mem: port.depth * port.lanes * port.bits for mem, port in ports(m).items()}
    bits = sum(memory.words * memory.bits for memory in memories(m)) + known[Mem.ACTIVITY]
    assert leakage_w(m, {"tile": 10}).typical == pytest.approx(
        bits * SRAM_LEAKAGE_W.typical + 10 * REGISTER_LEAKAGE_W.typical)
