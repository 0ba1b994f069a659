"""``hebbar synth``: what a technology makes of a configuration's machine, as a record and as tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.files import BUILD
from hebbar.contract.results import whole
from hebbar.contract.suggest import suggest
from sim.toolchain import require

from . import asic, fpga
from .aqfp.cost import check_cooling
from .critical_path import told
from .design import of_machine
from .devices import DEVICES
from .process import beating
from .sram import LAW
from .timing import Slack, slack

__all__ = ["Synthesis", "kind_of", "show", "synthesise"]

AQFP = "aqfp"
"""Adiabatic superconducting logic, a target beside FPGAs and standard cells."""

KINDS = {"lut": "LUT", "ff": "flip-flops", "dsp": "multiplier blocks", "ram": "block RAM"}


@dataclass(frozen=True)
class Synthesis:
    """What was found for one target: the record, and the lines below its table."""

    record: dict[str, Any]
    notes: tuple[str, ...]


def kind_of(target: str) -> Path | None:
    """None for a known FPGA, the path of a Liberty file; raises BadInput for what is neither."""
    if target in DEVICES:
        return None
    if target == AQFP:
        return None
    path = Path(target)
    if path.suffix in (".lib", ".gz", ".liberty"):
        if not path.is_file():
            raise BadInput(f"there is no file {path}; give the path of a Liberty file of standard cells.")
        return path
    raise BadInput(f"--target is {target!r}{suggest(target, [*DEVICES, AQFP])}, or the path of a Liberty file (.lib).")


def synthesise(config: Config, target: str, seeds: int, route: bool, mhz: float, srams: Sequence[Path],
               reporter: Reporter, cooling: float | None = None) -> Synthesis:
    """Synthesise the machine of a configuration for an FPGA or for the cells of a Liberty file, or its tile for AQFP.

    ``seeds``: placements of an FPGA, 0 for none; ``route``: also route them. ``mhz``: the clock that an ASIC is timed
    at. ``cooling``: watts at the wall for a watt at 4.2 K. Raises MissingTool where a program of the extra ``synth`` is
    not installed.
    """
    liberty = kind_of(target)
    if srams and liberty is None:
        raise BadInput("--sram is for a target of standard cells; an FPGA has block RAM of its own, AQFP has none.")
    if cooling is not None and target != AQFP:
        raise BadInput(f"--cooling is for --target {AQFP}; nothing else is cooled to 4.2 K.")
    check_cooling(cooling)
    if target == AQFP:
        from .aqfp.target import notes, tile

        record = {"config": config.name, "target": target} | tile(config.machine, cooling, BUILD, reporter)
        return Synthesis(record, tuple(notes(record)))
    if liberty is None and DEVICES[target].package and seeds:
        require(DEVICES[target].package.replace("_", "-"))
    if liberty is not None:
        asic.check_files(liberty, srams)
    with beating(reporter, "elaborating the machine"):
        design = of_machine(config.machine)
    head = {"config": config.name, "target": target, "cycles_per_sample": cycles(config)}
    if liberty is None:
        found = fpga.mapped(design, target, BUILD, reporter)
        clock, reason = fpga.clock(found, target, seeds, route, reporter)
        return _fpga(head, target, found, clock, reason)
    area = asic.area(design, liberty, srams, BUILD, reporter, mhz=mhz)
    timed, reason = slack(area.netlist, design.top, mhz, reporter)
    return _asic(head, area, timed, reason, bool(srams))


def cycles(config: Config) -> float:
    """Cycles of one training sample in the steady state, the most it can take where inference may end early; of a
    prediction on a machine that does not learn."""
    from hebbar.compiler.cycles import Cycles
    from hebbar.compiler.program import compile_config

    program = compile_config(config)
    return whole(sum(Cycles(program).each("train" if "train" in program.entries else "predict").values()))


def _fpga(head: dict[str, Any], target: str, found: fpga.Mapped, clock: fpga.Clock | None, reason: str) -> Synthesis:
    device = DEVICES[target]
    record = head | {"device": device.name, "has": asdict(device.has), "whole": asdict(found.whole),
                     "modules": {name: asdict(cells) for name, cells in found.modules.items()}, "clock": None}
    if clock is None:
        return Synthesis(record, (f"No clock: {reason}.",))
    record["clock"] = _clock(clock.median, head["cycles_per_sample"], [asdict(step) for step in clock.path]) | {
        "seeds_mhz": clock.mhz, "routed": clock.routed, "lut_placed": clock.used.lut, "ff_placed": clock.used.ff}
    how = "routed" if clock.routed else "estimated after placing, not routed"
    seeds = ", ".join(f"{mhz:.1f}" for mhz in clock.mhz)
    notes = [(f"{clock.median:.1f} MHz, median of {len(clock.mhz)} seeds ({seeds}), {how}; placed: {clock.used.lut:g} "
             f"LUT, {clock.used.ff:g} flip-flops."), _pace(record)]
    path = ["The slowest path, ns after the clock edge:", *told(clock.path)] if clock.path else []
    return Synthesis(record, (*notes, *path))


def _asic(head: dict[str, Any], area: asic.Area, timed: Slack | None, reason: str, known: bool) -> Synthesis:
    record = head | {"whole": asdict(area.whole), "macro_um2": area.macro_um2, "clock": None,
                     "modules": {name: asdict(part) for name, part in area.modules.items()},
                     "macros": {name: [asdict(m) for m in found] for name, found in area.macros.items()}}
    of = "the SRAM files" if known else LAW
    notes = [(f"Memories of {asic.LEAST_WORDS} words or more that are read with a clock are macros, {of}; two banks "
             "each, as they are read and written in one cycle, and a copy for each reader. All others are flip-flops.")]
    if timed is None:
        return Synthesis(record, (*notes, f"No timing: {reason}."))
    record["clock"] = _clock(timed.mhz, head["cycles_per_sample"], [asdict(step) for step in timed.path]) | {
        "period_ns": timed.period, "slack_ns": timed.ns}
    return Synthesis(record, (
        *notes, (f"Slack {timed.ns:.2f} ns at {1000 / timed.period:.0f} MHz, so {timed.mhz:.1f} MHz: before layout, "
        "without wires and clock tree; paths that begin or end in a macro are left out."), _pace(record),
        "The slowest path, ns after the clock edge:", *told(timed.path)))


def _clock(mhz: float, cycles_: float, path: list[dict[str, Any]]) -> dict[str, Any]:
    return {"mhz": mhz, "us_per_sample": cycles_ / mhz, "samples_per_second": 1e6 * mhz / cycles_, "path": path}


def _pace(record: dict[str, Any]) -> str:
    clock = record["clock"]
    return (f"{record['cycles_per_sample']:g} cycles a training sample: {clock['us_per_sample']:.1f} us, "
            f"{clock['samples_per_second']:,.0f} samples a second.")


def show(found: Synthesis) -> None:
    """The modules as a table, what there is in all below them, then the notes."""
    from rich.table import Table

    from hebbar.contract.console import terminal

    record, console = found.record, terminal(highlight=False, soft_wrap=True)
    if record["target"] == AQFP:
        for line in found.notes:
            console.print(line)
        return
    device = record.get("has")
    columns = KINDS if device else {"cells": "cells", "flip_flops": "flip-flops", "um2": "um2", "macros": "macros, um2"}
    table = Table(title=f"{record['config']} on {record.get('device', record['target'])}")
    for column in ("module", *columns.values()):
        table.add_column(column, justify="left" if column == "module" else "right")
    for name, part in record["modules"].items():
        macros = sum(macro["um2"] for macro in record.get("macros", {}).get(name, []))
        table.add_row(name, *_cells(columns, part | {"macros": macros}))
    table.add_section()
    table.add_row("all, dissolved into one" if device else "all",
                  *_cells(columns, record["whole"] | {"macros": record.get("macro_um2")}))
    if device:
        table.add_row("the device has", *_cells(columns, device))
        table.add_row("", *(f"{100 * record['whole'][key] / device[key]:.0f} %" for key in columns))
    console.print(table)
    for line in found.notes:
        console.print(line)


def _cells(columns: dict[str, str], values: dict[str, Any]) -> list[str]:
    """One row of the table: whole numbers, or halves where a device shares a block."""
    return [f"{values[key]:,.0f}" if key in ("um2", "macros") else f"{values[key]:,.10g}" for key in columns]
