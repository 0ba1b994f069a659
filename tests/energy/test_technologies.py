"""Technologies of every node: complete, sourced, scaled in the open, units checked."""

import pytest

from hebbar.contract.errors import BadInput
from hebbar.energy.technology import load_technology, technology_names

NODES = (130, 65, 45, 28, 22, 14, 7)
CACTI = {65: {128: 3.1, 1024: 11.1, 4096: 30.1, 16384: 59, 131072: 175},
         22: {128: 0.38, 1024: 1.59, 4096: 3.79, 16384: 7.4, 131072: 23.5}}
"""pJ a 64-bit read, CACTI 7 at these nodes: another model than the one that scales."""


@pytest.fixture(scope="module")
def all_nodes():
    return {node: load_technology(f"cmos{node}") for node in NODES}


def test_every_node_ships(all_nodes):
    """Without it a node of the comparison could be missing or incomplete."""
    assert {f"cmos{node}" for node in NODES} <= set(technology_names())
    for node, found in all_nodes.items():
        assert found.node_nm == node and all(e.source for e in found.entries.values())


def test_scaled_entries_say_so(all_nodes):
    """A scaled figure must not read as a measured one."""
    for node, found in all_nodes.items():
        for name, entry in found.entries.items():
            own = node == 45 or entry.kind == "compiler"
            assert own or ("from" in entry.source and f"no figure of {node} nm" in entry.unverified), (node, name)
    assert "interpolated" in all_nodes[28].entries["mul_8"].source


def test_finer_nodes_take_less(all_nodes):
    """Without it a factor could be upside down."""
    for name in ("add_8", "mul_32", "register_bit", "sram_read_1024"):
        energies = [all_nodes[node].entries[name].energy.typical for node in NODES]
        assert energies == sorted(energies, reverse=True), name


def test_deeper_memories_take_more(all_nodes):
    """Entries of a compiler and scaled ones stand in one table: together they must still rise with depth."""
    for node, found in all_nodes.items():
        for write in (False, True):
            energies = [e.energy.typical for _, e in found.memories(write)]
            assert energies == sorted(energies), (node, write)


@pytest.mark.parametrize("node", CACTI)
def test_scaled_memories_are_near_cacti_of_that_node(all_nodes, node):
    """CACTI's 45 nm energies, scaled, against CACTI at the node itself: within a third at five depths."""
    for words, published in CACTI[node].items():
        scaled = all_nodes[node].entries[f"sram_read_{words}"].energy.low
        assert published / 1.5 < scaled < 1.5 * published, words


def test_the_compilers_memory_against_the_scaled_one(all_nodes):
    """At 130 nm the compiler's law and CACTI scaled up are two opinions: within a factor of three."""
    for words in (128, 1024, 4096):
        scaled = all_nodes[45].entries[f"sram_read_{words}"].energy.typical * 5.45
        assert scaled / 3 < all_nodes[130].entries[f"sram_read_{words}"].energy.typical < 3 * scaled


ENTRY = """[entries.add_8]
value = [{0}, {0}, {0}]
unit = "{1}"
node_nm = 28
voltage_v = 0.9
source = "somebody"
year = 2024
kind = "silicon"
"""


def file(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text('base = "cmos45"\nname = "mine"\ntitle = "mine"\nnode_nm = 28\nvoltage_v = 0.9\n' + text)
    return path


def test_an_entry_of_ones_own_wins(tmp_path):
    """A measured figure takes the place of the scaled one, in its own unit; the others stay."""
    found = load_technology(file(tmp_path, ENTRY.format(17, "fJ")))
    assert found.entries["add_8"].energy.typical == pytest.approx(0.017)
    assert found.entries["add_8"].kind == "silicon"
    assert found.entries["add_16"].energy.typical == load_technology("cmos28").entries["add_16"].energy.typical


@pytest.mark.parametrize("text, said", [(ENTRY.format(1, "um2"), "dimension"), (ENTRY.format(1, "frob"), "unknown"),
                                        (ENTRY.format(1, "pJ").replace('"somebody"', '""'), "source")])
def test_units_and_sources_are_checked(tmp_path, text, said):
    """An area, an unknown unit or a figure from nowhere must not become an energy."""
    with pytest.raises(BadInput, match=said):
        load_technology(file(tmp_path, text))


@pytest.mark.parametrize("old, new, said", [("node_nm = 28", "node_nm = 3", "outside"),
                                            ("node_nm = 28\n", "", "node_nm is missing"),
                                            ("cmos45", "cmos54", "neither a file nor a technology")])
def test_a_base_that_cannot_be_scaled_is_refused(tmp_path, old, new, said):
    """Beyond 7 nm nobody published factors."""
    path = file(tmp_path, "")
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(BadInput, match=said):
        load_technology(path)
