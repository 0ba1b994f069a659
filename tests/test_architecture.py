"""The structure that keeps golden and RTL two independent readings of one contract."""

import ast
from pathlib import Path

import pytest

from hebbar.studies.house.floors import (
    EVERY,
    FLOORS,
    LAZY,
    circle,
    climbing,
    climbs,
    files,
    modules,
    needed,
    package_of,
)

ROOT = Path(__file__).parent.parent
OURS = {"hebbar", "golden", "hw", "sim"}
HARDWARE_ONLY = {"bank", "bus", "cell_access", "crossbar", "fields", "line_drivers", "machine", "neuron_parts",
                 "neuron_stages", "phase_control", "pipeline", "row_stages", "sequencer_signature", "state_diagram",
                 "streamer", "sar_logic", "tidy", "tile", "verilog",
                 "delay", "descriptor", "fetch", "loop_instructions", "loops", "range_check", "tally",
                 "transfer_instructions", "walk",
                 "watchdog", "weight_update", "word_queue"}
TWINS = ["analog_macro", "array_macro", "feedback_sums", "counters", "energy_sum", "fixed", "machine", "neuron",
         "pulses", "row_engine", "separation", "sequencer", "table", "tile"]


def imports(path: Path) -> set[str]:
    """Top-level packages a file imports, relative imports resolved to its own package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            own = path.relative_to(ROOT).parts[0]
            found.add(own if node.level else (node.module or "").split(".")[0])
    return found


def test_every_module_stands_on_a_floor():
    """Without it a new package could import, and be imported, from anywhere."""
    assert [module for module in EVERY if package_of(module) is None] == ["hebbar"]


@pytest.mark.parametrize("package", sorted(p for floor in FLOORS for p in floor))
def test_imports_point_down(package):
    """Without it the contract could come from one of its readers, and golden could borrow the behaviour of the RTL
    and agree with its bugs."""
    assert package in map(package_of, EVERY) and not list(climbing(package))


@pytest.mark.parametrize("module, imported", [("golden.machine", "hw.machine"), ("hw.machine", "golden.machine"),
                                              ("hebbar.contract.isa", "golden.machine"), ("sim.host", "hebbar.studies"),
                                              ("hebbar.energy.run", "hebbar.report.tables"),
                                              ("hebbar.studies.spine", "hebbar.cli.app")])
def test_a_planted_import_climbs(module, imported):
    """Without it the test above could let everything through."""
    assert climbs(module, imported)


def test_no_circles_of_files():
    """Without it no file of a circle could be read, tested or moved by itself; an import inside a function only hides
    one."""
    needs = {module: needed(module) for module in EVERY}
    assert not circle(needs), f"a circle: {circle(needs)}"
    assert all(imported in modules(EVERY[module], running=True) for module, imported in LAZY)


@pytest.mark.parametrize("text, found", [
    ("def f():\n    from .session import Session\n", True), ("if True:\n    import golden.session\n", True),
    ("if TYPE_CHECKING:\n    from .session import Session\n", False),
    ("if TYPE_CHECKING:\n    import typing\nelse:\n    from . import session\n", True)])
def test_an_import_counts_wherever_it_runs(text, found):
    """Without it an import inside a function, or below a condition, could pass as none, or one for a type checker as
    one."""
    assert ("golden.session" in modules(ROOT / "golden" / "planted.py", running=True, text=text)) is found


def test_a_planted_circle_is_found():
    """Without it the test above could let everything through."""
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set(), "e": {"d"}}) == ["a", "b", "c"]


def test_golden_knows_no_hardware_and_hardware_no_numpy():
    """Without it a helper from the other world would slip in through a library."""
    for path in files("golden"):
        assert not imports(path) & {"amaranth", "cocotb", "hw"}, path
    for path in files("hw"):
        assert not imports(path) & {"numpy", "golden", "scipy"}, path
    for path in [*files("hebbar/contract"), *files("hebbar/compiler")]:
        assert not imports(path) & {"numpy", "amaranth"}, path


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_name(name):
    """Without it nobody could find the golden twin of a block."""
    assert (ROOT / "hw" / f"{name}.py").exists() and (ROOT / "golden" / f"{name}.py").exists()


def test_every_block_of_the_hardware_is_a_twin_or_pure_plumbing():
    """Without it a new block could do arithmetic that no golden twin checks."""
    blocks = {p.stem for p in (ROOT / "hw").glob("*.py")} - {"__init__"}
    assert blocks <= set(TWINS) | HARDWARE_ONLY


def test_no_file_grows_without_bound():
    """Without it a module could become the place where everything lands."""
    for package in OURS:
        for path in files(package):
            assert len(path.read_text().splitlines()) <= 260, path
