"""LUTs, flip-flops and clock of the machines whose lanes are counted."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.machine import MachineConfig
from hebbar.contract.results import Figure
from hebbar.synth import fpga
from hebbar.synth.design import Design, of_machine
from hebbar.synth.process import beating

from . import PLACED
from .lanes import builds

__all__ = ["built", "measure"]

DEVICE, TARGET = "ecp5", PLACED["builds"][1]
MOST_LANES = 128
"""The largest machine that is mapped; those of more lanes have the LUTs a lane of ``hebbar bench clock``."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Every machine of ``hebbar bench chain --part lanes``, placed and routed once where a device holds it; ``quick``:
    those of the first part, not routed. ``folder`` is unused: placements are found again in the folder of builds."""
    machines = {row.machine(wide): row.config("pipelined", wide).machine for row, wide in builds(quick)}
    return [figure for name, machine in machines.items() for figure in _rows(name, machine, quick, reporter)]


def _rows(name: str, machine: MachineConfig, quick: bool, reporter: Reporter) -> list[Figure]:
    if (lanes := machine.lanes * machine.row_tiles) > MOST_LANES:
        why = f"not mapped: {lanes:,} lanes, more than {MOST_LANES}"
        return [Figure(f"LUT and flip-flops, {name}", why, TARGET, "", None)]
    with beating(reporter, f"elaborating {name}"):
        design = of_machine(machine)
    return built(name, design, TARGET, 1, quick, reporter)[0]


def built(name: str, design: Design, target: str, seeds: int, quick: bool,
          reporter: Reporter) -> tuple[list[Figure], fpga.Clock | None]:
    """LUTs, flip-flops and the median clock of a design, not routed when ``quick``; no clock where a row says why."""
    cells = fpga.mapped(design, DEVICE, BUILD, reporter)
    used = Figure(f"LUT and flip-flops, {name}", f"{cells.whole.lut:,.0f}, {cells.whole.ff:,.0f}", target, "", None)
    clock, reason = fpga.clock(cells, DEVICE, seeds, not quick, reporter)
    if clock is None:
        return [used, Figure(f"clock, {name}", f"not measured: {reason}", target, "", None)], None
    mhz, how = ", ".join(f"{mhz:.1f}" for mhz in sorted(clock.mhz)), "routed" if clock.routed else "estimated"
    several = f", median of {seeds} seeds ({mhz})" if seeds > 1 else ", one seed"
    return [used, Figure(f"clock, {name}, {how}{several}", clock.median, target, "MHz", None)], clock
