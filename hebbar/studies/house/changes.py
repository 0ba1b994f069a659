"""How many files a typical change touches: real changes, kept as patches, each applied to its base commit and tried."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, MissingTool
from hebbar.contract.results import Figure

from ..parts import ROOT
from .history import checkout, git, lacking, pytest

__all__ = ["Change", "listed", "measure", "tried", "touched"]

FOLDER = ROOT / "benchmarks" / "changes"
BESIDE = ("tests/", "docs/", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""Beginnings of paths that do not count: tests and what people read."""
PASSED, FAILED = 0, 1
"""Exit codes of pytest."""


@dataclass(frozen=True)
class Change:
    """A patch on the commit ``base``: of which ``kind``, with at most ``target`` files, and the pytest arguments
    ``test`` of a short test that it brings along."""

    kind: str
    name: str
    base: str
    target: int
    what: str
    test: tuple[str, ...]

    @property
    def patch(self) -> Path:
        return FOLDER / f"{self.name}.patch"


def listed() -> list[Change]:
    """The changes of ``benchmarks/changes/changes.toml``; raises MissingTool where they are not there."""
    table = FOLDER / "changes.toml"
    if not table.exists():
        raise MissingTool("the changes are part of the repository, not of the package; run hebbar bench house in a "
                          "checkout.")
    found = tomllib.loads(table.read_text(encoding="utf-8"))["change"]
    return [Change(**(c | {"test": tuple(c["test"])})) for c in found]


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """A row for every change; one that cannot be applied because its base commit is not there says why."""
    changes, figures = listed(), []
    with reporter.task("applying changes and running their tests", len(changes)) as task:
        for number, change in enumerate(changes):
            task.advance(number, change.kind)
            figures.append(_figure(change, not quick))
        task.advance(len(changes))
    return figures


def _figure(change: Change, trying: bool) -> Figure:
    title = f"files touched by a new {change.kind}: {change.what}"
    if why := lacking(change.base):
        return Figure(title, f"skipped: {why}", f"<= {change.target}", "", None)
    files = tried(change) if trying else touched(change)
    return Figure(title, len(files), f"<= {change.target}", "files", len(files) <= change.target)


def touched(change: Change) -> list[str]:
    """The files that count, from the patch in a worktree of its base commit; afterwards it is reverted there."""
    return _applied(change, False)


def tried(change: Change) -> list[str]:
    """The files that count, after the test of the change has passed; raises HebbarError where it does not."""
    return _applied(change, True)


def _applied(change: Change, trying: bool) -> list[str]:
    with checkout(change.base) as tree:
        git(tree, "apply", "--index", str(change.patch))
        files = git(tree, "diff", "--cached", "--name-only").splitlines()
        if trying:
            done = pytest(tree, change.test)
            if done.returncode != PASSED:
                raise HebbarError(f"the test of the change {change.name} does not pass on {change.base}:\n"
                                  f"{done.stdout[-2000:]}")
        git(tree, "apply", "--index", "--reverse", str(change.patch))
        if left := git(tree, "diff", "HEAD", "--name-only"):
            raise HebbarError(f"the change {change.name} leaves {left.split()[0]} when it is reverted; make the patch "
                              "anew.")
        shutil.rmtree(tree / ".pytest_cache", ignore_errors=True)
    return [file for file in files if not file.startswith(BESIDE)]
