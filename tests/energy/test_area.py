"""Areas: what the Verilog has is there, and once."""

import pytest
from amaranth.hdl import Fragment

from hebbar.compiler.config import load
from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, POWER_FRAC, RECIPROCAL_BITS
from hebbar.energy.area import area, memories, memory_um2, multiplier_um2
from hw.machine import Machine

NODE = 45.0
TWO = {"lanes": 8, "row_tiles": 2}


def test_a_memory_with_several_readers_takes_a_copy_for_each():
    """As the Verilog has them: P or W readers of both tables, two of the activities; of its delays two words are among
    the registers and not here too."""
    config = load("tiny").replace(machine=TWO | {"neuron_rows": 4}).machine
    declared = Machine(config)
    Fragment.get(declared, None)
    readers = {bank.port: bank.readers for bank in declared.banks.values()} | {
        table.port: table.readers for table in (declared.function, declared.derivative)}
    copied = {(m.words, m.bits): m.readers for m in memories(config) if m.readers > 1}
    assert copied == {(p.depth, p.lanes * p.bits): n for p, n in readers.items() if n > 1}
    once = [m._replace(readers=1) for m in memories(config)]
    assert sum(m.um2(NODE).typical for m in memories(config)) > 1.2 * sum(m.um2(NODE).typical for m in once)
    delays = [m for m in memories(config) if m.registered]
    assert len(delays) == 2 and all(m.um2(NODE) == memory_um2(m.words - 2, m.bits, NODE) for m in delays)


@pytest.mark.parametrize("build, more", [
    ({"energy": True}, [(16, 16)] * 2),
    ({"separation": 16}, [(DISTANCE_BITS, BETA_BITS), (POWER_FRAC + 1, RECIPROCAL_BITS)]),
    ({"updates": "shared"}, [(16, 16), (16, 11)])])
def test_every_multiplier_has_an_area(build, more):
    """P squares of errors, the two of the separation unit, with some adders. Where UPD shares TRN's, 16 products of 16
    by 8 + 3 bits are not there."""
    def um2(keys):
        config = load("tiny").replace(machine=TWO | keys).machine
        whole = sum(block.typical for block in area(config, {}, NODE).values())
        return whole - sum(memory.um2(NODE).typical for memory in memories(config))

    added, products = um2(build) - um2({}), [multiplier_um2(a, b, NODE).typical for a, b in more]
    if build == {"updates": "shared"}:
        assert added == pytest.approx(-16 * products[1])
    else:
        assert sum(products) <= added < 1.5 * sum(products)
