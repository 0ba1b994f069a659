"""``hebbar bench scale``: speed of the golden machine and of the float engines, sweeps that are killed, and what is not
measured yet."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import SOURCES as PACKAGES, kept, measured

__all__ = ["ALONE", "OPEN", "PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 1, True: 1}

SOURCES = (*PACKAGES, "benchmarks/c_model", "benchmarks/peers")
"""What a record is of."""

PARTS = ("floats", "peers", "fixed_point", "analog", "sweeps", "epoch", "training")
"""Modules of this package, in the order of the table; each measures its rows."""

ALONE = {"training": "a whole training on the RTL to its final accuracy"}
"""Parts that are measured with --part only, as they take hours, and their row where that was not done."""

OPEN = {
    "zero-word skipping on MNIST": "bit-identical",
    "noisy 256 x 256 tile and IR drop beside CrossSim": "<= 8 us"}
"""Figures that nothing measures yet, and their targets."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table, those that nothing measures among them; ``data``: a folder with MNIST."""
    figures = [figure for part in PARTS if part not in ALONE for figure in one(part, folder, quick, reporter, data)]
    for part, name in ALONE.items():
        figures += kept(part, folder, quick, SOURCES, data) or [
            Figure(name, f"hebbar bench scale --part {part}", "recorded once", "", None)]
    return figures + [Figure(name, "not measured", target, "", None) for name, target in OPEN.items()]


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    return measured("scale", part, folder, quick, reporter, SOURCES, data, images=data)
