"""``hebbar bench clock``: what technologies make of the machines, and of the machine of e9c8550 in the same run.

One default build a preset for all its rows, counters on.
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import measured

__all__ = ["PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 3, True: 1}
"""Seeds of placement, of which the median clock counts."""

PARTS = ("fpga", "pace", "cells", "words", "simulation")
"""Modules of this package, in the order of the table; each measures its rows."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` takes the smallest machine and estimates its clock.

    It takes hours: a part that was measured in ``folder`` with these very sources is not measured again, and a
    placement that was made before is found again. ``data``: a folder with Liberty files of IHP's SG13G2.
    """
    return [figure for part in PARTS for figure in one(part, folder, quick, reporter, data)]


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    if part == "cells":
        return measured("clock", part, folder, quick, reporter, data=data, liberty=data)
    return measured("clock", part, folder, quick, reporter)
