"""Cells of a design on an FPGA, and its clock after placing and routing."""

import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json
from sim.toolchain import require

from .critical_path import Step, steps_of
from .design import Design
from .devices import DEVICES, Cells, Device
from .multipliers import BLOCK, absorb
from .process import placed, yosys

__all__ = ["Mapped", "Clock", "clock", "mapped"]

PACKED = "packed.json"
STAT = "tee -q -o stat.json stat -json\nwrite_json netlist.json\n"
FREQUENCY = "120"
"""What nextpnr is asked for, in MHz: more than the machine reaches, so that it works on the slowest paths."""

MANY_LUT = 10_000
"""Above that many LUTs nextpnr's static placer places. The usual one, heap, packs cells so closely that routing the
preset digits takes half an hour in place of four minutes; the clocks of either differ by less than those of seeds."""


@dataclass(frozen=True)
class Mapped:
    """What a design takes: ``whole`` with its hierarchy dissolved, ``modules`` each for itself, without what is inside
    it. The modules make more than the whole, which is simplified across their borders and has registers of products in
    its multiplier blocks. ``netlist``: of the whole."""

    whole: Cells
    modules: dict[str, Cells]
    netlist: Path


@dataclass(frozen=True)
class Clock:
    """The clock of a design in MHz, one figure a seed, and their median; ``routed`` or estimated after placing.

    ``used``: LUTs and flip-flops as nextpnr counts them. ``path``: the slowest path of the seed in the middle, where
    it was routed.
    """

    mhz: tuple[float, ...]
    routed: bool
    used: Cells
    path: tuple[Step, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.mhz)


def mapped(design: Design, target: str, folder: Path, reporter: Reporter) -> Mapped:
    """Map a design to an FPGA, once with its hierarchy and once without."""
    device = DEVICES[target]
    counts, netlist = {}, folder
    for kind, flatten in (("modules", "-noflatten"), ("whole", "")):
        script = device.mapping.format(top=design.top, flatten=flatten) + STAT
        netlist = yosys(design, script, folder, reporter, f"{device.name}, {kind}")
        counts[kind] = json.loads((netlist / "stat.json").read_text())["modules"]
    modules = {name.lstrip("\\"): device.of(m["num_cells_by_type"]) for name, m in counts["modules"].items()}
    whole = device.of(counts["whole"][f"\\{design.top}"]["num_cells_by_type"])
    taken, packed = _packed(netlist, design.top) if BLOCK in device.cells else (0, netlist / "netlist.json")
    return Mapped(replace(whole, ff=whole.ff - taken), dict(sorted(modules.items())), packed)


def _packed(place: Path, top: str) -> tuple[int, Path]:
    """How many flip-flops are registers of multiplier blocks, and the netlist in which they are."""
    netlist = json.loads((place / "netlist.json").read_text())
    taken = absorb(netlist["modules"][top])
    write_json(place / PACKED, netlist)
    return taken, place / PACKED


def clock(found: Mapped, target: str, seeds: int, route: bool, reporter: Reporter) -> tuple[Clock | None, str]:
    """Place and route with seeds 1 .. ``seeds``; no clock, and the reason, where that is not possible. Raises
    MissingTool without nextpnr for the device."""
    device = DEVICES[target]
    if reason := _impossible(found.whole, device, seeds):
        return None, reason
    require(device.package.replace("_", "-"))
    runs = []
    for seed in range(1, seeds + 1):
        options = [*device.options, "--freq", FREQUENCY, "--timing-allow-fail", "--seed", str(seed)]
        options += [] if route else ["--no-route"]
        options += ["--placer", "static"] if found.whole.lut > MANY_LUT else []
        runs.append(placed(device, options, found.netlist, reporter, f"seed {seed} of {seeds}"))
    runs.sort(key=lambda run: run.mhz)
    middle = runs[(len(runs) - 1) // 2]
    used = Cells(middle.used.get("TRELLIS_COMB", 0), middle.used.get("TRELLIS_FF", 0), found.whole.dsp, found.whole.ram)
    return Clock(tuple(run.mhz for run in runs), route, used, steps_of(middle.report)), ""


def _impossible(whole: Cells, device: Device, seeds: int) -> str:
    """Why a design cannot be placed."""
    if not seeds:
        return "placing was not asked for (--seeds 0)"
    over = [f"{getattr(whole, n):g} {n} of {getattr(device.has, n):g}" for n in ("lut", "ff", "dsp", "ram")
            if getattr(whole, n) > getattr(device.has, n)]
    if over:
        return f"it does not fit a {device.name}: {', '.join(over)}"
    if not device.package:
        return f"nextpnr can leave no pins open on a {device.name}, and the machine has more than it has"
    return ""
