"""Flip-flops that become the output register of a multiplier block: those alone that do what it does."""

import json
from copy import deepcopy

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.console import Reporter
from hebbar.synth import fpga
from hebbar.synth.design import of_component
from hebbar.synth.multipliers import absorb

BITS = 14
KINDS = ("plain", "enabled", "cleared", "seen", "part", "twice")


class Products(wiring.Component):
    """Products with a register behind each: one as it is, one with an enable, one with a reset, one that is used before
    its register too, one of which only upper bits are used, and one with two registers."""

    def __init__(self) -> None:
        ports = {f"{name}_{kind}": In(signed(BITS)) for kind in KINDS for name in "ab"}
        super().__init__({**ports, "on": In(1), "early": Out(2 * BITS), "late": Out(2 * BITS)})

    def elaborate(self, platform):
        m, held = Module(), {}
        for kind in KINDS:
            product = Signal(signed(2 * BITS), name=f"product_{kind}")
            held[kind] = Signal(signed(2 * BITS), name=f"held_{kind}", reset_less=kind != "cleared")
            m.d.comb += product.eq(getattr(self, f"a_{kind}") * getattr(self, f"b_{kind}"))
            if kind == "enabled":
                with m.If(self.on):
                    m.d.sync += held[kind].eq(product)
            else:
                m.d.sync += held[kind].eq(product)
            if kind == "seen":
                m.d.comb += self.early.eq(product)
        second = Signal(signed(2 * BITS), reset_less=True)
        m.d.sync += second.eq(held["twice"])
        late = held["plain"] ^ held["enabled"] ^ held["cleared"] ^ held["seen"] ^ (held["part"] >> BITS) ^ second
        m.d.comb += self.late.eq(late)
        return m


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The netlist as Yosys maps it, and with what was taken in."""
    folder = tmp_path_factory.mktemp("products")
    found = fpga.mapped(of_component(Products(), "products"), "ecp5", folder, Reporter(quiet=True))
    before, after = (json.loads(found.netlist.with_name(name).read_text())["modules"]["products"]
                     for name in ("netlist.json", found.netlist.name))
    return found, before, after


def blocks(module):
    """The multiplier blocks by the kind of product that goes to their first input."""
    names = {bit: name for name, port in module["ports"].items() for bit in port["bits"]}
    return {names[cell["connections"]["A0"][0]].split("_")[1]: cell for cell in module["cells"].values()
            if cell["type"] == "MULT18X18D"}


def test_plain_registers_alone_are_taken_in(modules):
    """Without it an enable or a reset would be lost, or a product that is used at once come a cycle late."""
    found, before, after = modules
    registered = {kind for kind, cell in blocks(after).items() if cell["parameters"].get("REG_OUTPUT_CLK") == "CLK0"}
    assert registered == {"plain", "part", "twice"} and set(blocks(after)) == set(KINDS)
    gone = before["cells"].keys() - after["cells"].keys()
    assert {before["cells"][name]["type"] for name in gone} == {"TRELLIS_FF"} and len(gone) == 5 * BITS
    assert found.whole.ff == 7 * 2 * BITS - BITS - len(gone)


def test_each_bit_goes_where_its_flip_flop_went(modules):
    """And nothing else changes: an output of a block drives the net that the flip-flop behind it drove."""
    _, before, after = modules
    driven = {cell["connections"]["DI"][0]: cell["connections"] for cell in before["cells"].values()
              if cell["type"] == "TRELLIS_FF"}
    old, new = blocks(before), blocks(after)
    for kind in ("plain", "part", "twice"):
        outputs = [port for port, way in old[kind]["port_directions"].items() if way == "output"]
        moved = {port: driven[old[kind]["connections"][port][0]] for port in outputs
                 if old[kind]["connections"][port][0] in driven}
        assert len(moved) == (BITS if kind == "part" else 2 * BITS)
        for port, register in moved.items():
            assert new[kind]["connections"][port] == register["Q"]
            assert new[kind]["connections"]["CLK0"] == register["CLK"]
        for port in old[kind]["connections"].keys() - moved.keys():
            assert new[kind]["connections"][port] == old[kind]["connections"][port]
    changed = (new["plain"], new["part"], new["twice"])
    same = {name: cell for name, cell in after["cells"].items() if cell not in changed}
    assert all(before["cells"][name] == cell for name, cell in same.items())


def test_a_second_pass_finds_nothing(modules):
    """A register behind a block that has one stays: it is another cycle."""
    again = deepcopy(modules[2])
    assert absorb(again) == 0 and again == modules[2]
