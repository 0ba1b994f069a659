"""How many tests there are, now and at the commits that the house is held against."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.results import Figure

from ..parts import ROOT
from .history import BEFORE, checkout, lacking, pytest, said_cases

__all__ = ["collected", "measure"]

COLLECT = ("--collect-only",)


def collected(folder: Path) -> int:
    """Cases that pytest finds in a checkout. Raises HebbarError when it cannot read one of the files."""
    done = pytest(folder, COLLECT)
    if done.returncode:
        raise HebbarError(f"the tests of {folder} could not be collected:\n{done.stdout[-2000:]}")
    return said_cases(done.stdout)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Cases now against each of the commits."""
    now, figures = collected(ROOT), []
    for commit, when in BEFORE.items():
        if why := lacking(commit):
            figures.append(Figure(f"test cases against {commit}, {when}", f"skipped: {why}", "not fewer", "", None))
            continue
        with checkout(commit) as tree:
            before = collected(tree)
        figures.append(Figure(f"test cases against {commit}, {when}: {before}", now, "not fewer", "cases",
                              now >= before))
    return figures
