"""Planted defects: each in a copy of the sources, with the test that must notice it."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .. import planting

__all__ = ["measure"]

QUICK = 3
"""Defects that a quick run tries, spread over the list."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All of tests/planted.py; one that was tried with these very sources is not tried again."""
    defects = planting.planted()
    tried = defects[::len(defects) // QUICK] if quick else defects
    left = planting.survivors(tried, folder, reporter)
    return [Figure(f"planted defects caught, of {len(tried)}", len(tried) - len(left), f"all {len(tried)}", "defects",
                   not left)]
