"""The machines on an ECP5-85k: clock after routing, cells, and what a lane adds."""

from pathlib import Path

from hebbar.compiler.config import Config, load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.synth import fpga
from hebbar.synth.design import of_machine
from hebbar.synth.process import beating

from . import SEEDS

__all__ = ["TARGET", "mapped", "measure", "routed"]

TARGET = "ecp5"
CLOCKS = {"tiny": 90, "digits": 85, "ecp5": 75}
"""Presets and the least MHz that each is to reach."""
LUTS, FLIP_FLOPS = {"tiny": 6_500, "digits": 12_500}, {"tiny": 4_500}
WIDER = {"lanes": 32, "row_tiles": 2, "weight_words": 128, "neuron_words": 8, "max_columns": 4}
"""digits on 64 lanes, with memories of as many weights and neurons."""
UNITS = {"separation": 64, "energy": True}
"""All features: the optional units."""
MOST_A_LANE = 500


def mapped(config: Config, reporter: Reporter) -> fpga.Mapped:
    """The cells of a configuration's machine."""
    with beating(reporter, f"elaborating {config.name}"):
        design = of_machine(config.machine)
    return fpga.mapped(design, TARGET, BUILD, reporter)


def routed(found: fpga.Mapped, quick: bool, reporter: Reporter) -> tuple[fpga.Clock | None, str]:
    """The clock of what was mapped; ``quick``: of one placement that is not routed."""
    return fpga.clock(found, TARGET, SEEDS[quick], not quick, reporter)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Clock, LUTs and flip-flops of each preset, then the LUTs that a lane adds."""
    figures: list[Figure] = []
    for preset in list(CLOCKS)[:1] if quick else CLOCKS:
        figures += _preset(preset, quick, reporter)
    return [*figures, *([] if quick else [_lane(reporter)])]


def _preset(preset: str, quick: bool, reporter: Reporter) -> list[Figure]:
    found = mapped(load(preset), reporter)
    clock, reason = routed(found, quick, reporter)
    least = CLOCKS[preset]
    title = f"clock of {preset} on an ECP5-85k, speed 6, {'estimated' if quick else 'routed'}"
    if clock is None:
        return [Figure(title, f"not measured: {reason}", f">= {least}", "", False)]
    figures = [Figure(f"{title}, median of {len(clock.mhz)} seeds ({', '.join(f'{m:.1f}' for m in clock.mhz)})",
                      clock.median, f">= {least}", "MHz", clock.median >= least)]
    for what, used, limits in (("LUT", clock.used.lut, LUTS), ("flip-flops", clock.used.ff, FLIP_FLOPS)):
        most = limits.get(preset)
        target, met = ("printed", None) if most is None else (f"<= {most:,}", used <= most)
        figures.append(Figure(f"{what} of {preset}, as nextpnr counts them", round(used), target, "", met))
    return [*figures, Figure(f"DSP blocks and block RAMs of {preset}", f"{found.whole.dsp:g}, {found.whole.ram:g}",
                             "printed", "", None)]


def _lane(reporter: Reporter) -> Figure:
    """Mapped and not placed: 64 lanes of three multipliers have more of them than the device."""
    base = load("digits").replace(machine=UNITS)
    few, many = (mapped(config, reporter).whole.lut for config in (base, base.replace(machine=WIDER)))
    each = (many - few) / (WIDER["lanes"] * WIDER["row_tiles"] - base.machine.lanes * base.machine.row_tiles)
    return Figure(f"LUT that a lane adds, digits to 64 lanes with separation and energy units (mapped: {few:,.0f} to "
                  f"{many:,.0f})", each, f"<= {MOST_A_LANE}", "LUT", each <= MOST_A_LANE)
