"""One record for each kind of tile: whoever wants to know something of a tile asks it, and nobody asks for a name."""

import ast
import re
from pathlib import Path

import pytest
from amaranth.hdl import Fragment
from helpers import machine

import golden.machine
import hw.machine
from hebbar.compiler.config import load
from hebbar.contract.errors import BadInput
from hebbar.contract.pins import pins
from hebbar.contract.tiles import TILES, Weights
from hebbar.verify.structure.design import read
from hw.verilog import export

ROOT = Path(__file__).parents[2]
CLASSES = {table[name].__name__ for table in (golden.machine.TILES, hw.machine.TILES) for name in TILES}


def sources():
    for package in ("hebbar", "golden", "hw", "sim", "scripts"):
        for path in (ROOT / package).rglob("*.py"):
            yield path, ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def names_a_tile(node):
    """Whether an expression is ``machine.tile``, the name of a tile that means nothing else, or the record of one."""
    return any(part.attr == "tile" if isinstance(part, ast.Attribute) else
               part.value in ("array", "analog") if isinstance(part, ast.Constant) else
               isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant)
               and "TILES" in ast.unparse(part.value) for part in ast.walk(node))


def names_a_class(node):
    return any(ast.unparse(part).split(".")[-1] in CLASSES for part in ast.walk(node)
               if isinstance(part, ast.Name | ast.Attribute))


def asks_for_a_name(node):
    if isinstance(node, ast.Compare):
        return any(map(names_a_tile, [node.left, *node.comparators]))
    if isinstance(node, ast.Match):
        values = [part.value for case in node.cases for part in ast.walk(case.pattern)
                  if isinstance(part, ast.MatchValue)]
        return any(map(names_a_tile, [node.subject, *values]))
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass") and \
        names_a_class(node.args[1])


@pytest.mark.parametrize("text, asks", [
    ("m.tile == 'rows'", True), ("'analog' != kind", True), ("x if c.machine.tile in ('array', 'rows') else y", True),
    ("kind is TILES['rows']", True), ("isinstance(t, AnalogMacro)", True), ("issubclass(c, (int, hw.RowEngine))", True),
    ("match n:\n    case 'array': pass", True), ("match m.tile:\n    case _: pass", True),
    ("m.kind.array", False), ("side == 'rows'", False), ("isinstance(t, Tile)", False), ("TILES[m.tile](m)", False)])
def test_the_search_finds_what_it_is_for(text, asks):
    """Without it the search below could pass over everything."""
    assert any(map(asks_for_a_name, ast.walk(ast.parse(text)))) == asks


def test_nobody_asks_for_the_name_or_the_class_of_a_tile():
    """Without it a new tile would again need a look at every comparison in 25 files."""
    found = [f"{path.relative_to(ROOT)}:{node.lineno}" for path, nodes in sources() for node in nodes
             if asks_for_a_name(node)]
    assert not found


def test_both_sides_have_a_class_for_every_record():
    """Without it a configuration could be accepted that only one of golden and hardware can build."""
    assert list(TILES) == list(golden.machine.TILES) == list(hw.machine.TILES) == [kind.name for kind in TILES.values()]
    for name in TILES:
        twins = golden.machine.TILES[name], hw.machine.TILES[name]
        assert len({twin.__name__ for twin in twins}) == len({twin.__module__.split(".")[1] for twin in twins}) == 1
    assert len({kind.code for kind in TILES.values()}) == len(TILES), "a driver reads the code"


@pytest.mark.parametrize("name", TILES)
def test_a_record_agrees_with_the_machine_that_is_built(name):
    """Without it a simulator would look for weights where there are none, or a board would lack wires to its macro."""
    m, kind = machine(tile=name, weight_words=12, max_columns=6, analog={"control": {"align": 2}}), TILES[name]
    Fragment.get(top := hw.machine.Machine(m), None)
    ports = {port.removeprefix("macro_") for port in top.signature.members if port.startswith("macro_")}
    assert m.kind is kind and ports == set(kind.pins(m)) == (set(pins(m)) if kind.macro else set())
    design = read(export(m), "hebbar")
    for place in kind.weight_places(m):
        instance, _, signal = f"hebbar.tile.{place}".rpartition(".")
        assert signal in design.at(instance).signals, place
    assert len(kind.weight_places(m)) == {Weights.MEMORY: 1, Weights.REGISTERS: 12 * 4, Weights.MACRO: 0}[kind.weights]
    built = {re.sub(r"\$\d+", "", path) for path in design.tree}  # Yosys numbers a name that a signal has as well
    assert {path for path in built if path.startswith("hebbar.tile.")} == {f"hebbar.tile.{part}" for part in kind.parts}
    assert type(top.tile) is hw.machine.TILES[name] and type(top.tile.timing) is kind.timing
    golden_tile = golden.machine.TILES[name](m)
    assert golden_tile.weights.shape == (12, 1, 4) and (golden_tile.limited != {}) == kind.macro


def test_a_tile_that_is_none_is_refused_with_those_that_are():
    """Without it the allowed names could be others than those of the table."""
    with pytest.raises(BadInput, match=r"machine\.tile is 'arry'; did you mean 'array'\? Allowed: rows, array, analog"):
        load("tiny").replace(machine={"tile": "arry"})
