"""``hebbar bench chain``: what chaining buys, what it takes, and that no sweep overtakes another."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import kept, measured

__all__ = ["PARTS", "PLACED", "SEEDS", "measure", "one"]

SEEDS = {False: 15, True: 1}
"""Seeds of placement of Fmax; in all else nothing is drawn, since cycles do not depend on values. One build differs by
3 MHz from seed to seed, so that of two medians of five the ratio is known to 3 %, which is as much as is asked for."""

PARTS = ("lanes", "builds", "writes", "hashes", "systems", "shorter", "dependences", "induction", "cells", "buys",
         "fmax", "pace")
"""Modules of this package, in the order of the table; each measures its rows."""

PLACED = {"builds": ("LUT and Fmax of the machines whose lanes are counted", "beside the lanes"),
          "buys": ("what gaps, wide pass and second places of inputs buy, each alone and together", "table"),
          "fmax": ("Fmax of tiny on an ECP5-85k against the build that can only drain", ">= 0.97"),
          "pace": ("samples a second, digits and mnist IL, pipelined, against e9c8550", ">= 4.5")}
"""Parts that place and route for hours: measured when they are asked for by ``--part``; their figures and targets."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``data`` is unused. A part that was measured in ``folder`` with these very
    sources is not measured again."""
    figures: list[Figure] = []
    for part in PARTS:
        if part in PLACED:
            name, target = PLACED[part]
            todo = Figure(name, f"hebbar bench chain --part {part}", target, "", None)
            figures += kept(part, folder, quick) or [todo]
        else:
            figures += one(part, folder, quick, reporter)
    return figures


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    return measured("chain", part, folder, quick, reporter)
