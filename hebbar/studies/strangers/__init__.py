"""``hebbar bench strangers``: what happens when the project is used from outside, wrongly, twice or at a bad moment."""

from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import SOURCES as PACKAGES, measured

__all__ = ["PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 1, True: 1}
"""Seeds behind the random inputs; every part begins with seed 0."""

SOURCES = (*PACKAGES, "tests", "benchmarks/reproducers", "pyproject.toml")
"""What a record is of."""

PARTS = ("reproducers", "presets", "fuzz_toml", "fuzz_files", "fuzz_api", "interrupt", "other_user", "random_bus",
         "edits", "aborts")
"""Modules of this package, in the order of the table; each measures its rows."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` takes a part of the random inputs and moments.

    It takes most of an hour: a part that was measured in ``folder`` with these very sources is not measured again.
    ``data``: a folder of reproducers other than those of the checkout.
    """
    return [figure for part in PARTS for figure in one(part, folder, quick, reporter, data)]


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    more: dict[str, Any] = {"faults": data} if part == "reproducers" else {}
    return measured("strangers", part, folder, quick, reporter, SOURCES, data, **more)
