"""``hebbar bench analog``: wires, speed of a tile, RTL with noise, learning on published devices."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from . import devices, ir_drop, noisy_rtl, tile_speed

__all__ = ["SEEDS", "measure"]

SEEDS = {False: 5, True: 1}
"""Seeds of weights, order, split and devices, in full and with --quick."""

SAMPLES = {False: 100, True: 5}
"""Training samples on the RTL, in full and with --quick."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table, those that a clock decides first; ``data`` is unused."""
    return [*ir_drop.measure(reporter), *tile_speed.measure(reporter), *noisy_rtl.measure(SAMPLES[quick], reporter),
            *devices.measure(SEEDS[quick], reporter, 1 if quick else None)]
