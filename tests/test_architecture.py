"""The structure that keeps golden and RTL two independent readings of one contract."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "hebbar": {"hebbar"},
    "golden": {"golden", "hebbar", "numpy", "sklearn", "scipy"},
    "hw": {"hw", "hebbar", "amaranth"},
    "sim": {"sim", "hw", "golden", "hebbar"}}
OURS = {"hebbar", "golden", "hw", "sim"}
USERS = {"cli", "__main__.py", "api.py"}
"""What of ``hebbar`` stands above all packages, for people and not for the machine."""
HARDWARE_ONLY = {"bank", "bus", "cell_access", "crossbar", "fields", "line_drivers", "machine", "neuron_stages",
                 "phase_control", "pipeline", "row_stages", "sequencer_signature", "state_diagram", "streamer",
                 "successive", "tidy", "tile", "verilog"}
TWINS = ["analog_macro", "array_macro", "back_sums", "counters", "energy_sum", "fixed", "machine", "neuron", "pulses",
         "row_engine", "separation", "sequencer", "table", "tile"]


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


def modules(path: Path) -> set[str]:
    """Modules a file imports, by their whole name, each also with the names taken from it."""
    found, package = set(), list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ["golden", "hw", "sim"])
def test_imports_point_one_way(package):
    """Without it golden could borrow the RTL's behaviour (or the reverse) and agree with its bugs."""
    for path in files(package):
        wrong = (imports(path) & OURS) - ALLOWED[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_the_contract_depends_on_nobody():
    """Without it the shared declarations could come from one of the two sides."""
    for path in files("hebbar"):
        if path.relative_to(ROOT / "hebbar").parts[0] in USERS:
            continue
        assert not imports(path) & (OURS - {"hebbar"}), path
        assert not imports(path) & {"numpy", "amaranth"}, path


def test_golden_knows_no_hardware_and_hardware_no_numpy():
    """Without it a helper from the other world would slip in through a library."""
    for path in files("golden"):
        assert not imports(path) & {"amaranth", "cocotb", "hw"}, path
    for path in files("hw"):
        assert not imports(path) & {"numpy", "golden", "scipy"}, path


def test_nobody_imports_the_command_line():
    """Without it a library call could start to print and exit."""
    for package in OURS:
        for path in files(package):
            if package != "hebbar" or path.relative_to(ROOT / "hebbar").parts[0] not in USERS:
                assert not any(module.startswith("hebbar.cli") for module in modules(path)), path


def test_nobody_imports_the_facade():
    """Without it golden, hardware and simulation could reach each other through the back door. One figure is about
    it."""
    for package in OURS:
        for path in files(package):
            if path.name == "fuzz_api.py":
                assert "hebbar.api" in modules(path)
            elif package != "hebbar" or path.relative_to(ROOT / "hebbar").parts[0] not in USERS:
                assert "hebbar.api" not in modules(path), path


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
