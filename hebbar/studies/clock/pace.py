"""Samples a second of digits on an ECP5, against the machine of e9c8550 synthesised in the same run.

``hebbar bench chain`` asks the same of pipelined programs.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD, write_text
from hebbar.contract.results import Figure
from hebbar.synth import fpga
from hebbar.synth.design import Design
from hebbar.synth.devices import DEVICES
from hebbar.synth.process import beating, yosys

from .earlier import AGAINST, asked, lacking, trees
from .fpga import TARGET, mapped, routed

__all__ = ["Pace", "clocks", "measure", "paces", "said"]

FASTER, DENSER, LONGER = 3.3, 6.0, 1.25
"""Least samples a second and samples a second for 1,000 LUTs, most cycles a sample, each against before."""
CAUSES = {"slots": "bubbles"}
"""Names that causes of cycles had."""
CYCLES = """\
from hw.verilog import export
two, four = (Cycles(program).run("train", samples, exits=None) for samples in (2, 4))
print(json.dumps({"cycles": {name: (four[name] - two[name]) / 2 for name in CYCLES},
                  "verilog": export(program.machine) if "verilog" in sys.argv else ""}))
"""
"""Asks for the cycles of a sample by cause, the mean of two, which may take turns."""
CHANGED = "program = compile_config(program.config.replace(**json.loads(sys.argv[3])))\n"
"""What makes FIRST's program one with other settings."""


@dataclass(frozen=True)
class Pace:
    """A machine: cycles a sample by cause, MHz, LUTs."""

    cycles: dict[str, float]
    mhz: float
    lut: float

    @property
    def samples(self) -> float:
        """Samples a second."""
        return 1e6 * self.mhz / sum(self.cycles.values())


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Ratios and what they are made of; ``quick``: of tiny, estimated."""
    preset = "tiny" if quick else "digits"
    if why := lacking(AGAINST):
        return [_missing(preset, why)]
    answers = said(preset, reporter)
    found, reason = clocks(preset, answers, quick, reporter)
    return _figures(preset, *paces(answers, found)) if found else [_missing(preset, reason)]


def said(preset: str, reporter: Reporter, changes: Mapping[str, Any] = MappingProxyType({})) -> list[dict[str, Any]]:
    """What the sources now, with ``changes`` of the configuration, and those of AGAINST, without, say of a preset:
    ``cycles`` a sample by cause, ``verilog`` of the earlier."""
    with trees() as places, beating(reporter, f"cycles of {preset}, now and at {AGAINST}"):
        return [asked(places["now"], CHANGED + CYCLES, preset, json.dumps(dict(changes))),
                asked(places[AGAINST], CYCLES, preset, "verilog")]


def clocks(preset: str, answers: Sequence[dict[str, Any]], quick: bool, reporter: Reporter,
           changes: Mapping[str, Any] = MappingProxyType({})) -> tuple[list[fpga.Clock], str]:
    """The clocks of a preset's machine now, with ``changes``, and at AGAINST, by what ``said`` told; none, and why,
    where one of the two cannot be placed."""
    found: list[fpga.Clock] = []
    for cells in (partial(mapped, load(preset).replace(**changes), reporter),
                  partial(_mapped, answers[1]["verilog"], reporter)):
        clock, reason = routed(cells(), quick, reporter)
        if clock is None:
            return [], reason
        found.append(clock)
    return found, ""


def paces(answers: Sequence[dict[str, Any]], found: Sequence[fpga.Clock]) -> list[Pace]:
    """Cycles at clocks, now and at AGAINST."""
    return [Pace({CAUSES.get(name, name): count for name, count in one["cycles"].items()}, clock.median, clock.used.lut)
            for one, clock in zip(answers, found, strict=True)]


def _missing(preset: str, why: str) -> Figure:
    return Figure(f"samples a second of {preset} against {AGAINST}", f"not measured: {why}", f">= {FASTER}", "", None)


def _mapped(verilog: str, reporter: Reporter) -> fpga.Mapped:
    """The cells of Verilog, by the same mapping as every machine's."""
    device, top = DEVICES[TARGET], "hebbar"
    script = "read_verilog design.v\nhierarchy -check -top hebbar\n" \
        + device.mapping.format(top=top, flatten="") + fpga.STAT

    def prepare(place: Path) -> None:
        write_text(place / "design.v", verilog)

    place = yosys(Design(top, ""), script, BUILD, reporter, f"{device.name}, {AGAINST}", prepare,
                  hashlib.sha256(verilog.encode()).hexdigest())
    stat: dict[str, Any] = json.loads((place / "stat.json").read_text())["modules"]
    return fpga.Mapped(device.of(stat[f"\\{top}"]["num_cells_by_type"]), {}, place / "netlist.json")


def _figures(preset: str, now: Pace, before: Pace) -> list[Figure]:
    """The rows of two machines."""
    faster, longer = now.samples / before.samples, sum(now.cycles.values()) / sum(before.cycles.values())
    denser = faster * before.lut / now.lut
    figures = [
        Figure(f"samples a second of {preset} IL against {AGAINST} ({now.mhz:.1f} MHz, {now.samples:,.0f}; "
               f"{before.mhz:.1f} MHz, {before.samples:,.0f})", faster, f">= {FASTER}", "x", faster >= FASTER),
        Figure(f"samples a second for 1,000 LUT, against {AGAINST} ({now.lut:,.0f} LUT; {before.lut:,.0f} LUT)", denser,
               f">= {DENSER:g}", "x", denser >= DENSER),
        Figure(f"cycles a sample of {preset}, drained, against {AGAINST} ({sum(now.cycles.values()):,g}; "
               f"{sum(before.cycles.values()):,g})", longer, f"<= {LONGER}", "x", longer <= LONGER)]
    return figures + [Figure(f"cycles a sample: {cause}", f"{count:,g} ({AGAINST}: {before.cycles.get(cause, 0):,g})",
                             "printed", "", None) for cause, count in now.cycles.items()]
