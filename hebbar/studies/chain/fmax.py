"""The clock of the machine that chains against that of one whose WAIT has no bits for a gap."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.synth import fpga
from hebbar.synth.design import of_machine
from hebbar.synth.process import beating

from . import PLACED, SEEDS
from .cells import without_gaps

__all__ = ["measure", "row"]

PRESET, DEVICE = "tiny", "ecp5"
NAME, TARGET = PLACED["fmax"]
LEAST = float(TARGET.removeprefix(">= "))


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The ratio of both medians; quickly of one placement that is not routed. The schedule is no other machine, so the
    build that drains is one without gaps. ``folder`` is unused: placements are found again in the folder of builds."""
    clocks: list[fpga.Clock] = []
    for what, made in (("with gaps", of_machine), ("without gaps", without_gaps)):
        with beating(reporter, f"elaborating {PRESET} {what}"):
            design = made(load(PRESET).machine)
        clock, reason = fpga.clock(fpga.mapped(design, DEVICE, BUILD, reporter), DEVICE, SEEDS[quick], not quick,
                                   reporter)
        if clock is None:
            return [Figure(NAME, f"not measured: {reason}", TARGET, "", None)]
        clocks.append(clock)
    return [row(*clocks)]


def row(chains: fpga.Clock, drains: fpga.Clock) -> Figure:
    """The figure of two clocks."""
    ratio, how = chains.median / drains.median, "routed" if chains.routed else "estimated"
    seeds = "; ".join(", ".join(f"{mhz:.1f}" for mhz in sorted(clock.mhz)) for clock in (chains, drains))
    return Figure(f"{NAME}, {how}, median of {len(chains.mhz)} seeds ({seeds} MHz)", ratio, TARGET, "x",
                  ratio >= LEAST)
