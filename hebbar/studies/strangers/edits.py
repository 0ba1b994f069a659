"""Edits of the RTL that random programs do not notice, planted one by one: how many survive the tests named for
them."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..planting import planted, survivors

__all__ = ["measure"]

QUICK = 3
"""Edits that a quick run tries, spread over the list."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The EDITS of tests/planted.py; needs a checkout with the tests."""
    edits = planted("EDITS")
    tried = edits[::len(edits) // QUICK] if quick else edits
    left = survivors(tried, folder, reporter)
    return [Figure(f"listed edits of the RTL that survive the tests, of {len(tried)}", len(left), "0", "edits",
                   not left)]
