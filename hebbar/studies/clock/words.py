"""That the machine is still the same: RTL against golden model, cycle formula against the RTL's counters."""

from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.verify import random_programs

from .. import noisy_rtl, replays, rtl

__all__ = ["measure"]

OPERATIONS, NETWORKS, SAMPLES = {False: 10_000, True: 1_000}, {False: 10, True: 2}, {False: 10, True: 2}
"""Random micro-operations, networks a machine, samples on devices, in full and with --quick."""
MORE: dict[str, tuple[str, dict[str, Any]]] = {
    "4 x 64": ("digits", {"lanes": 64, "row_tiles": 4, "weight_words": 128, "neuron_words": 16, "max_columns": 8})}
"""A machine of 256 lanes beside those of ``hebbar.studies.rtl``, whose smallest has 4."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All systems on one export, random programs on digital tiles, the analog tile on devices, cycles."""
    systems = [f for f in replays.measure(quick, reporter) if f.met is not None]
    machines = rtl.MACHINES if quick else rtl.MACHINES | MORE
    return [*systems, random_programs.agreement(BUILD, OPERATIONS[quick], reporter),
            *(f for f in noisy_rtl.measure(SAMPLES[quick], reporter) if f.target == "0"),
            rtl.cycle_model(BUILD, NETWORKS[quick], reporter, machines)]
