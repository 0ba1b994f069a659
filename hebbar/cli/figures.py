"""Commands that measure, estimate and show."""

from pathlib import Path
from typing import Annotated

import typer

from hebbar.contract.errors import BadInput, Mismatch
from hebbar.studies.registry import AREAS, find

from .options import Json, Quiet, Run

__all__ = ["report", "bench", "presets"]


def report(folder: Annotated[Path, typer.Argument(help="Folder of a run, such as out/run.")],
           out: Annotated[Path | None, typer.Option("--out", help="Folder for the page; default: that of the "
                                                       "run.")] = None,
           sample: Annotated[int, typer.Option(min=0, help="Which sample the waveform shows, in the order of the first "
                                               "epoch.")] = 0,
           wave: Annotated[bool, typer.Option(help="Draw a waveform (builds a second simulator the first time).")] =
           True,
           clock: Annotated[float, typer.Option(min=1e-3, max=1e5, help="Clock at which times are shown, MHz.")] = 100,
           technology: Annotated[str, typer.Option(help="Energies: a name that ships with Hebbar, or a TOML file.")] =
           "cmos45", quiet: Quiet = False) -> None:
    """Make one self-contained HTML page of a run, and its pictures as SVG."""
    if not (folder / "result.json").exists():
        raise BadInput(f"{folder} holds no result.json; give the --out folder of a finished hebbar run or train.")
    from hebbar.contract.console import Reporter, hush
    from hebbar.contract.files import occupy
    from hebbar.report import write_report

    if quiet:
        hush()
    occupy(out or folder)
    reporter = Reporter(quiet)
    with reporter.busy():
        page = write_report(folder, reporter, sample, wave, technology, out, clock)
    typer.echo(f"wrote {page}")


def presets() -> None:
    """List the configurations that ship with Hebbar: what each is, its entries, and what it is asked by default."""
    from importlib import resources

    from hebbar.compiler.config import load, preset_names
    from hebbar.compiler.rules import find
    from hebbar.compiler.tasks import entries_of, kind_of

    for name in preset_names():
        config = load(name)
        network, rule = config.build_network(), find(config.rule)
        text = resources.files("hebbar").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
        typer.echo(f"{name:15} {config.rule.name:13} {', '.join(entries_of(network)):22} "
                   f"{kind_of(network, rule.task).value:15} {text.splitlines()[0].lstrip('# ')}")


def bench(area: Annotated[str, typer.Argument(help="Which figures. "
                                                + "; ".join(f"{a.name}: {a.meaning}" for a in AREAS.values()) + ".")],
          out: Annotated[Path, typer.Option("--out", help="Folder for the figures; the record is in a folder of the "
                                                          "area below it.")] = Path("out/bench"),
          quick: Annotated[bool, typer.Option("--quick", help="Fewer seeds and samples; figures are then not the "
                                              "targets'.")] = False,
          data: Annotated[Path | None, typer.Option(help="Folder with MNIST's idx files; for strangers, "
                                                       "reproducers other than those of the checkout; for costs, a "
                                                       "Liberty file of standard cells; for clock, a folder of "
                                                       "them.")] = None,
          part: Annotated[str | None, typer.Option(help="Of strangers, clock, house, chain, scale and depth: one part "
                                                        "alone; what takes an hour is measured only so.")] = None,
          quiet: Quiet = False, as_json: Json = False) -> None:
    """Measure the figures of an area, print them beside their targets."""
    found = find(area)
    here = Run(out / area, quiet, as_json)
    from hebbar.contract.files import versions, write_json
    from hebbar.contract.record import commit
    from hebbar.report.tables import print_figures

    figures = found.measure(here.folder, quick, here.reporter, data, part)
    name = f"{area}.{part}" if part else area
    write_json(out / f"{name}.json", [f.record() for f in figures])
    write_json(out / f"{name}.manifest.json", {"area": area, "quick": quick, "seeds": found.load().SEEDS[quick],
                                               "git": commit(), "versions": versions()})
    missed = [f.figure for f in figures if f.met is False]
    here.finish([f.record() for f in figures], [], show=lambda: print_figures(figures))
    if missed:
        raise Mismatch(f"{len(missed)} of {len(figures)} figures miss their target: {missed[0]}.")
