"""``hebbar bench depth``: deep networks on the bit-exact machine, PC-ALM beside backprop and predictive coding."""

from importlib import import_module
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import kept, measured

__all__ = ["ALONE", "KEPT", "PARTS", "SEEDS", "measure", "one"]

SEEDS = {False: 4, True: 1}
"""Seeds of weights and of the order of samples behind the accuracies at depth 32; there is one at depth 128."""

PARTS = ("accuracy", "deeper", "exponent", "rtl", "gate", "window", "wind_up", "final", "bits", "rules", "alignment",
         "mnist")
"""Modules of this package, in the order of the table; each measures its rows."""

KEPT = ("accuracy", "deeper", "exponent", "rtl", "window", "rules", "alignment", "mnist")
"""Parts that keep every training and every run by what its bits depend on."""

ALONE = {"bits": "accuracy by fraction bits and depth",
         "final": "RTL mismatches, depth 32, weights of 10,000 samples"}
"""Parts that are measured with --part only, as they take hours, and their row where that was not done."""

SOURCES = ("golden", "hw", "sim", "hebbar/contract", "hebbar/compiler", "hebbar/presets", "hebbar/studies/depth")
"""What a record of another part is of."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``data``: the folder of MNIST's files. A part that was measured in
    ``folder`` with these very sources is not measured again."""
    figures = [figure for part in PARTS if part not in ALONE for figure in one(part, folder, quick, reporter, data)]
    for part, name in ALONE.items():
        figures += kept(part, folder, quick, SOURCES, data) or [
            Figure(name, f"hebbar bench depth --part {part}", "0", "", None)]
    return figures


def one(part: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part."""
    if part not in KEPT:
        return measured("depth", part, folder, quick, reporter, SOURCES, data, images=data)
    reporter.say(f"{part} ...")
    figures: list[Figure] = import_module(f"{__name__}.{part}").measure(folder / part, quick, reporter, data)
    return figures
