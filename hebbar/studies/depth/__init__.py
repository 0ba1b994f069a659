"""``hebbar bench depth``: deep networks on the bit-exact machine, PC-ALM beside backprop and predictive coding."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import measured

__all__ = ["OPEN", "PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 4, True: 1}
"""Seeds of weights and of the order of samples behind the accuracies at depth 32; there is one at depth 128."""

PARTS = ("accuracy", "deeper", "rtl", "writes", "gate", "wind_up")
"""Modules of this package, in the order of the table; each measures its rows."""

SOURCES = ("golden", "hw", "sim", "hebbar/contract", "hebbar/compiler", "hebbar/presets", "hebbar/studies/depth")
"""What a record of a part is of."""

OPEN = {
    "RTL mismatches, depth 32, final weights of 10,000 samples": "0",
    "window, cycles against dense at depth 32 / 128": "<= .45 / <= .25",
    "exponent of steps against depth, PC / PC-ALM": "beside 1.92 / 1.27",
    "MNIST at batch 1, IL / Z-IL / iPC": ">= 98.2 / 98.5 / 97.8 %",
    "784-100-50-10, the best local rule": "> 97.36 %"}
"""Rows that nothing measures yet, and their targets."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table, those that nothing measures yet at its end; ``data``: the folder of
    MNIST's files. A part that was measured in ``folder`` with these very sources is not measured again."""
    figures = [figure for part in PARTS for figure in one(part, folder, quick, reporter, data)]
    return figures + [Figure(name, "not measured", target, "", None) for name, target in OPEN.items()]


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    return measured("depth", part, folder, quick, reporter, SOURCES, data, images=data)
