"""The register map as SystemRDL, read by a compiler of that language and held to the table."""

import pytest

from hebbar.compiler.config import load
from hebbar.contract.registers import REGISTERS, Access, Cause, Control, Status, identity
from sim.rdl import rdl

systemrdl = pytest.importorskip("systemrdl", reason="systemrdl-compiler is not installed (extra `test`)")


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    """Elaborated registers by name."""
    path = tmp_path_factory.mktemp("rdl") / "map.rdl"
    path.write_text(rdl(load("digits").machine))
    compiler = systemrdl.RDLCompiler()
    compiler.compile_file(str(path))
    return {node.inst_name: node for node in compiler.elaborate().top.registers()}


def test_every_register_has_its_address_width_and_access(registers):
    """Without it a manual made from the map would describe another machine."""
    assert {name: node.absolute_address for name, node in registers.items()} == \
        {name: register.address for name, register in REGISTERS.items()}
    for name, node in registers.items():
        fields = node.fields()
        assert max(f.high for f in fields) < 32
        assert all(f.is_sw_readable == (REGISTERS[name].access is not Access.COMMAND) for f in fields), name
        assert all(f.is_sw_writable == (REGISTERS[name].access is not Access.READ) for f in fields), name
        if REGISTERS[name].access is Access.READ_WRITE:
            assert [f.width for f in fields] == [REGISTERS[name].bits]


def test_resets_are_what_the_registers_read(registers):
    """Without it a register model would report the identity of every machine as an error."""
    for name, value in identity(load("digits").machine).items():
        assert sum(f.get_property("reset") << f.low for f in registers[name].fields()) == value, name
    for name, register in REGISTERS.items():
        if register.access is Access.READ_WRITE:
            assert [f.get_property("reset") for f in registers[name].fields()] == [register.reset], name


@pytest.mark.parametrize("name, bits", [("control", Control), ("status", Status)])
def test_bits_have_their_places(registers, name, bits):
    assert {f.inst_name: 1 << f.low for f in registers[name].fields()} == {b.name: b.value for b in bits}
    assert all(f.width == 1 for f in registers[name].fields())


def test_the_cause_has_its_names(registers):
    (field,) = registers["cause"].fields()
    assert {m.name: m.value for m in field.get_property("encode")} == {c.name: c.value for c in Cause}
