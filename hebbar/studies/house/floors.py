"""The floors of the house: what every module imports, read from its text, and which imports climb or go in circles.

``tests/test_architecture.py`` holds the sources to it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import ROOT, SOURCES

__all__ = ["BESIDE", "EVERY", "FLOORS", "LAZY", "circle", "climbing", "climbs", "files", "measure", "modules", "needed",
           "package_of"]

FLOORS = [{"hebbar.contract"}, {"hebbar.compiler"}, {"golden", "hw"}, {"sim"},
          {"hebbar.energy", "hebbar.verify", "hebbar.synth"}, {"hebbar.report"},
          {"hebbar.api", "hebbar.arguments", "hebbar.doctor"}, {"hebbar.studies"}, {"hebbar.cli"}, {"hebbar.__main__"}]
"""Packages from the ground up: what a module imports is of its own package or of a floor below. ``hebbar`` itself, the
version and the name Experiment, stands beside them."""
BESIDE = {("hebbar.api", "hebbar.arguments"): "the checks of what Experiment is given"}
"""Imports between packages of one floor, each with its reason."""


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
    for node in walked(ast.parse(path.read_text(encoding="utf-8") if text is None else text), running):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def files(package: str) -> list[Path]:
    """The Python files of a package, given as a path."""
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERY = {name_of(path): path for package in sorted(SOURCES) for path in files(package)}


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


def climbing(package: str) -> Iterator[str]:
    """Every import of a package that does not go down, as words."""
    for module, path in EVERY.items():
        if package_of(module) == package:
            for other in sorted(modules(path) & EVERY.keys()):
                if climbs(module, other):
                    yield f"{module} imports {other}"


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Imports that do not go down, and files in circles."""
    climbed = [found for floor in FLOORS for package in sorted(floor) for found in climbing(package)]
    circled = circle({module: needed(module) for module in EVERY})
    for found in climbed:
        reporter.say(found)
    return [Figure("imports against the floors", len(climbed), "0", "imports", not climbed),
            Figure("files in circles of imports", len(circled), "0", "files", not circled)]
