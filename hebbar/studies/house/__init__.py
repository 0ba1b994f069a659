"""``hebbar bench house``: how many places a change touches, how the rooms are laid out, and that nothing got worse."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import SOURCES as PACKAGES, kept, measured

__all__ = ["LONG", "PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 0, True: 0}
"""Nothing here is drawn at random."""

PARTS = ("changes", "rooms", "floors", "style", "cases", "planted", "suite", "exports")
"""Modules of this package, in the order of the table; each measures its rows."""

LONG = {"suite": "CPU of the whole suite against before"}
"""Parts that need a quiet computer for an hour: measured when they are asked for by ``--part``, and their figure."""

SOURCES = (*PACKAGES, "tests", "benchmarks", "docs", "examples", "scripts", "pyproject.toml")
"""What a record is of."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` takes a sample of what is long; ``data`` is unused.

    A part that was measured in ``folder`` with these very sources is not measured again.
    """
    figures: list[Figure] = []
    for part in PARTS:
        if part in LONG and not quick:
            todo = [Figure(LONG[part], f"hebbar bench house --part {part}", "<= 1", "", None)]
            figures += kept(part, folder, quick, SOURCES) or todo
        else:
            figures += one(part, folder, quick, reporter)
    return figures


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    return measured("house", part, folder, quick, reporter, SOURCES)
