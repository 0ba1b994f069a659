"""The command that asks a technology what it makes of the machine."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Quiet, Run, Source, configured, refuse

__all__ = ["synth"]

Target = Annotated[str, typer.Option(help="ecp5, ice40 or gowin, the path of a Liberty file of standard cells, or "
                                           "aqfp: the tile as superconducting logic.")]
Seeds = Annotated[int, typer.Option(min=0, max=99, help="Placements of an FPGA, of which the median clock counts; 0: "
                                                        "count cells only.")]
Route = Annotated[bool, typer.Option("--route/--no-route", help="Route each placement; without it the clock is an "
                                     "estimate, in a quarter of the time.")]
Clock = Annotated[float, typer.Option("--clock", min=1e-3, max=1e5, help="MHz that standard cells are timed at.")]
Srams = Annotated[list[Path] | None, typer.Option("--sram",
                                                  help="Liberty file of an SRAM macro, once for each; default: a "
                                                          "law fitted to published ones.")]
Cooling = Annotated[float | None, typer.Option(help="Watts at the wall for a watt at 4.2 K, of --target aqfp; default: "
                                               "493, a large plant, to 1000, a small cooler.")]


def synth(context: typer.Context, source: Source,
          target: Target = "ecp5", seeds: Seeds = 3, route: Route = True, clock: Clock = 100.0,
          sram: Srams = None, cooling: Cooling = None,
          out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/synth"),
          quiet: Quiet = False, as_json: Json = False) -> None:
    """Synthesise the machine: cells by module, clock, critical path and time a sample on an FPGA or in standard
    cells; junctions, phases and energy of its tile in AQFP."""
    config = configured(source)
    from hebbar.synth.devices import DEVICES
    from hebbar.synth.result import kind_of, show, synthesise

    if kind_of(target) is None:
        refuse(context, ["clock"], f"{target} is not timed at a clock of yours, as standard cells are")
    if target not in DEVICES:
        refuse(context, ["seeds", "route"], f"{target} is no FPGA")
    here = Run(out, quiet, as_json, config)
    found = synthesise(config, target, seeds, route, clock, sram or [], here.reporter, cooling)
    here.finish(found.record, [], show=lambda: show(found))
