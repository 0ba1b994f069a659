"""``hebbar bench strangers``: what happens when the project is used from outside, wrongly, twice or at a bad moment."""

from importlib import import_module
from pathlib import Path

from hebbar.console import Reporter

from ...report import Figure

__all__ = ["PARTS", "SEEDS", "measure"]

SEEDS = {False: 1, True: 1}
"""Seeds behind the random inputs; every part begins with seed 0."""

PARTS = ("reproducers", "presets", "fuzz_toml", "fuzz_files", "fuzz_api", "interrupt", "other_user", "random_bus", "edits",
         "aborts")
"""Modules of this package, in the order of the table; each measures its rows."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` takes a part of the random inputs and moments.

    ``data``: a folder of reproducers other than those of the checkout.
    """
    figures = []
    for name in PARTS:
        reporter.say(f"{name} ...")
        part = import_module(f"{__name__}.{name}")
        more = {"faults": data} if name == "reproducers" else {}
        figures += part.measure(folder / name, quick, reporter, **more)
    return figures
