"""``hebbar bench scale``: speed of the golden machine and of the float engines, sweeps that are killed, and what is not
measured yet."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import measured

__all__ = ["OPEN", "PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 1, True: 1}

SOURCES = ("hebbar", "golden", "hw", "sim", "benchmarks/c_model")
"""What a record is of."""

PARTS = ("floats", "fixed_point", "analog", "sweeps", "epoch")
"""Modules of this package, in the order of the table; each measures its rows."""

OPEN = {
    "float32 engine beside pcx": ">= 1.5 x pcx",
    "float64 engine beside pcx": ">= .45 x pcx",
    "a whole training on the RTL to its final accuracy": "recorded once",
    "zero-word skipping on MNIST": "bit-identical",
    "noisy 256 x 256 tile and IR drop beside CrossSim": "<= 8 us"}
"""Figures that nothing measures yet, and their targets."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table, those that nothing measures among them; ``data``: a folder with MNIST."""
    figures = [figure for part in PARTS for figure in one(part, folder, quick, reporter, data)]
    return figures + [Figure(name, "not measured", target, "", None) for name, target in OPEN.items()]


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    return measured("scale", part, folder, quick, reporter, SOURCES, data, images=data)
