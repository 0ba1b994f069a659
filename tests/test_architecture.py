"""The structure that keeps golden and RTL two independent readings of one contract."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"hebbar", "golden", "hw", "sim"}
FLOORS = [{"hebbar.contract"}, {"hebbar.compiler"}, {"golden", "hw"}, {"sim"},
          {"hebbar.energy", "hebbar.verify", "hebbar.synth"}, {"hebbar.report"},
          {"hebbar.api", "hebbar.arguments", "hebbar.doctor"}, {"hebbar.studies"}, {"hebbar.cli"}, {"hebbar.__main__"}]
"""Packages from the ground up: what a module imports is of its own package or of a floor below. ``hebbar`` itself, the
version and the name Experiment, stands beside them."""
BESIDE = {("hebbar.api", "hebbar.arguments"): "the checks of what Experiment is given"}
"""Imports between packages of one floor, each with its reason."""
HARDWARE_ONLY = {"bank", "bus", "cell_access", "crossbar", "fields", "line_drivers", "machine", "neuron_stages",
                 "phase_control", "pipeline", "row_stages", "sequencer_signature", "state_diagram", "streamer",
                 "sar_logic", "tidy", "tile", "verilog"}
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


def walked(node: ast.AST, running: bool) -> Iterator[ast.AST]:
    """Everything below a node; ``running``: without what only a type checker sees."""
    below = list(ast.iter_child_nodes(node))
    if running and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        below = list(node.orelse)
    for child in below:
        yield child
        yield from walked(child, running)


def modules(path: Path, running: bool = False, text: str | None = None) -> set[str]:
    """Modules a file imports, by their whole name, each also with the names taken from it.

    ``running``: without those that only a type checker sees; ``text`` instead of what is in the file.
    """
    found, package = set(), list(path.relative_to(ROOT).parts[:-1])
    for node in walked(ast.parse(path.read_text() if text is None else text), running):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERY = {name_of(path): path for package in sorted(OURS) for path in files(package)}


def package_of(module: str) -> str | None:
    """The package of FLOORS that a module is of, None for ``hebbar`` itself."""
    return next((p for floor in FLOORS for p in floor if module == p or module.startswith(f"{p}.")), None)


def climbs(module: str, imported: str) -> bool:
    """Whether an import does not go down: to a floor above, or to another package of the same floor."""
    own, other = package_of(module), package_of(imported)
    if own is None or other is None or own == other or (own, other) in BESIDE:
        return False
    height = {package: number for number, floor in enumerate(FLOORS) for package in floor}
    return height[other] >= height[own]


def test_every_module_stands_on_a_floor():
    """Without it a new package could import, and be imported, from anywhere."""
    assert [module for module in EVERY if package_of(module) is None] == ["hebbar"]


@pytest.mark.parametrize("package", sorted(p for floor in FLOORS for p in floor))
def test_imports_point_down(package):
    """Without it the contract could come from one of its readers, and golden could borrow the behaviour of the RTL
    and agree with its bugs."""
    inside = {module: path for module, path in EVERY.items() if package_of(module) == package}
    assert inside and not [f"{module} imports {other}" for module, path in inside.items()
                           for other in sorted(modules(path) & EVERY.keys()) if climbs(module, other)]


@pytest.mark.parametrize("module, imported", [("golden.machine", "hw.machine"), ("hw.machine", "golden.machine"),
                                              ("hebbar.contract.isa", "golden.machine"), ("sim.host", "hebbar.studies"),
                                              ("hebbar.energy.run", "hebbar.report.tables"),
                                              ("hebbar.studies.spine", "hebbar.cli.app")])
def test_a_planted_import_climbs(module, imported):
    """Without it the test above could let everything through."""
    assert climbs(module, imported)


LAZY = {("hebbar", "hebbar.api"): "the face: whoever asks for the version below it does not ask for Experiment"}
"""An import inside a function that may close a circle, with its reason."""


def circle(needs: dict[str, set[str]]) -> list[str]:
    """Modules that need each other, and those above them; none when every module can be read before its readers."""
    left = dict(needs)
    while free := [m for m, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def needed(module: str) -> set[str]:
    """Modules of ours that a module imports when it is read or when one of its functions is called."""
    found = modules(EVERY[module], running=True) & EVERY.keys()
    return {o for o in found if o != module and not module.startswith(f"{o}.") and (module, o) not in LAZY}


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
