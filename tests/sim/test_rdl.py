"""The register map as SystemRDL, read by a compiler of that language and held to the table."""

import importlib
import re
from xml.etree import ElementTree

import pytest
from systemrdl.compiler import RDLCompiler
from systemrdl.parser.SystemRDLLexer import SystemRDLLexer

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.registers import REGISTERS, Access, Built, Cause, Control, Status, built, identity
from sim import register_map
from sim.kit.cocotb_bench import write as write_bench
from sim.package import check_name
from sim.rdl import rdl
from sim.reserved import KEYWORDS, RDL

MACHINE = load("digits").machine



@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    """Elaborated registers by name."""
    path = tmp_path_factory.mktemp("rdl") / "map.rdl"
    path.write_text(rdl(MACHINE))
    compiler = RDLCompiler()
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
    for name, value in identity(MACHINE).items():
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


def test_every_field_has_its_meaning(registers):
    """Without it a manual would show a bit without a word about it."""
    for name, node in registers.items():
        assert node.get_property("desc"), name
        for field in node.fields():
            assert field.get_property("desc"), f"{name}.{field.inst_name}"
            assert all(member.rdl_desc for member in field.get_property("encode", default=())), field.inst_name


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """What PeakRDL makes of a map, for a machine of another name."""
    if register_map.missing():
        pytest.skip(f"not installed, of the extra rdl: {', '.join(register_map.missing())}")
    folder = tmp_path_factory.mktemp("exports")
    register_map.write(rdl(MACHINE).replace("hebbar", "core"), folder, "core")
    return folder


def test_the_manuals_have_every_register_and_load_nothing(exports):
    """Without it the manual could miss a register, or be empty without the net."""
    rows = re.findall(r"^\| *(0x[0-9A-F]+)\| *(\w+) *\|", (exports / "registers.md").read_text(), re.MULTILINE)
    assert {name: int(address, 16) for address, name in rows} == {n: r.address for n, r in REGISTERS.items()}
    pages = [path.read_text() for path in (exports / "registers" / "content").glob("*.html")]
    assert len(pages) == len(REGISTERS) + 1
    for name, register in REGISTERS.items():
        shown = [page for page in pages if f'id="_Content.name">{name.replace("_", " ")}</h1>' in page]
        assert len(shown) == 1 and f"0x{register.address:x}" in shown[0], name
    texts = [path.read_text() for end in ("*.html", "*.css") for path in (exports / "registers").rglob(end)]
    assert not any(re.search(r"""(src=|url\(|@import )["']?(https?:)?//""", text) for text in texts)


def test_ip_xact_has_every_register_with_its_resets(exports):
    """Without it a vendor's tool would build another map."""
    tree = ElementTree.parse(exports / "core.xml")
    found = {}
    for register in tree.iterfind(".//{*}register"):
        place = int(register.findtext("{*}addressOffset").removeprefix("'h"), 16)
        value = 0
        for field in register.iterfind("{*}field"):
            reset = field.findtext(".//{*}reset/{*}value")
            value |= int(reset.removeprefix("'h"), 16) << int(field.findtext("{*}bitOffset"))
        found[register.findtext("{*}name")] = place, value
    constant = identity(MACHINE)
    assert found == {name: (r.address, constant.get(name, r.reset)) for name, r in REGISTERS.items()}


def test_the_access_layer_reaches_every_register_and_field(exports, monkeypatch):
    """Without it a bench would read one register under the name of another."""
    monkeypatch.syspath_prepend(str(exports))
    hwio = importlib.import_module("peakrdl_pyral_runtime.hwio.callback")
    ral = importlib.import_module("access.core").get_ral()
    memory = {register.address: 0 for register in REGISTERS.values()}
    ral.attach_hwio(hwio.CallbackHWIO(lambda address, size: memory[address],
                                      lambda address, value, size: memory.__setitem__(address, value)))
    for i, (name, register) in enumerate(REGISTERS.items(), 1):
        getattr(ral, name).write(i)
        assert memory[register.address] == i, name
    for bit in Control:
        with ral.control.write_fields() as control:
            setattr(control, bit.name, 1)
        assert memory[REGISTERS["control"].address] == bit, bit
    memory[REGISTERS["geometry"].address] = identity(MACHINE)["geometry"]
    shown = ral.geometry.read_fields()
    assert (shown.lanes, shown.row_tiles, shown.tile) == (MACHINE.lanes, MACHINE.row_tiles, MACHINE.kind.code)
    assert {bit for bit in Built if getattr(shown, bit.name)} == set(built(MACHINE))


def test_without_the_extra_the_driver_still_has_its_header(tmp_path, monkeypatch):
    """Without it a bare installation could not export a machine."""
    monkeypatch.setattr(register_map, "PACKAGES", ("json", "no_such_package"))
    assert register_map.missing() == ["no_such_package"]
    register_map.write(rdl(MACHINE), tmp_path, "hebbar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hebbar.rdl", "hebbar_registers.h"]
    with pytest.raises(MissingTool, match=r"no_such_package are not installed; pip install 'hebbar\[rdl\]'"):
        write_bench(load("tiny"), tmp_path / "bench", Reporter(quiet=True))


def test_every_word_that_systemrdl_reserves_is_known():
    """Without it a machine could be given a name with which its own register map is no SystemRDL."""
    words = {name.strip("'") for name in SystemRDLLexer.literalNames}
    assert {word for word in words if re.fullmatch(r"[a-z]\w*", word)} == RDL <= KEYWORDS


@pytest.mark.parametrize("top", ["system", "macro_stub"])
def test_no_machine_has_the_name_of_another_file(top):
    """Without it the Verilog of an analog machine would be overwritten by what goes beside it."""
    with pytest.raises(BadInput, match=f"has a {top}.v of its own; give another name"):
        check_name(top)
