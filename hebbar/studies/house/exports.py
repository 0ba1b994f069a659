"""Size of the exported Verilog and the processor time it takes, beside those of before."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .. import export_size
from .history import AGAINST, checkout, lacking

__all__ = ["measure"]

LANES, QUICK = (4, 128, 512), (4,)
"""tiny, mnist and the machine of 512 lanes."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Rows of ``hebbar.studies.export_size``; without history the time of before is the recorded one."""
    if quick or lacking(AGAINST):
        return export_size.measure(reporter, QUICK if quick else LANES)
    with checkout(AGAINST) as tree:
        return export_size.measure(reporter, LANES, tree)
