"""Commands that measure, estimate and show."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hebbar.contract.errors import BadInput, Mismatch
from hebbar.studies.registry import AREAS, find

from .options import Data, Epochs, Json, Quiet, Rule, Run, Source, configured

__all__ = ["report", "energy", "sweep", "bench", "presets", "validate_costs",
           "compare_costs"]


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


def energy(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] =
           Path("out/energy"), samples: Annotated[int, typer.Option(min=1, help="Training samples that are counted.")] =
           100, technology: Annotated[list[str] | None, typer.Option(
               help="A technology that ships with Hebbar, or a TOML file; several for a table side by side. Default: "
                    "cmos45.")] = None,
           clock: Annotated[float, typer.Option(min=1e-3, max=1e5, help="Clock of latency and power, MHz.")] = 100,
           rule: Rule = None, data: Data = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Energy, time and area: exact counts of the golden machine times a sourced table, low to high, by block and
    verb."""
    config = configured(source, None, rule, None, data)
    here = Run(out, quiet, as_json, config)
    from hebbar.energy.run import priced_runs, record_priced
    from hebbar.report.costs import print_beside, print_priced

    found = priced_runs(config, samples, technology or ["cmos45"], clock, here.reporter)
    if not as_json:
        print_priced(found[0])
        if found[1:]:
            print_beside(found)
    records = [record_priced(each) for each in found]
    here.finish(records[0] if len(records) == 1 else records, [])


def validate_costs(page: Annotated[Path | None, typer.Option(help="A file for the page, as Markdown; without it, "
                                                               "standard output.")] = None) -> None:
    """Hold the laws behind the estimates against published silicon: one page, every design with its error."""
    from hebbar.contract.files import write_text
    from hebbar.energy.validation.page import page as written

    if page is None:
        typer.echo(written())
        return
    write_text(page, written())
    typer.echo(f"wrote {page}")


def compare_costs(page: Annotated[Path | None, typer.Option(help="A file for the page, as Markdown; without it, "
                                                              "standard output.")] = None,
                  quiet: Quiet = False) -> None:
    """What an online-learned MNIST sample costs: this machine, a processor, a graphics processor, published chips."""
    from hebbar.contract.console import Reporter
    from hebbar.contract.files import write_text
    from hebbar.studies.training_costs import page as written

    text = written(Reporter(quiet))
    if page is None:
        typer.echo(text)
        return
    write_text(page, text)
    typer.echo(f"wrote {page}")


def sweep(sources: Annotated[list[str], typer.Argument(metavar="CONFIG...", help="Presets or TOML files.")],
          seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, .. of weights, order and split.")] = 5,
          jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
          out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/sweep"),
          rule: Rule = None, epochs: Epochs = None, data: Data = None, quiet: Quiet = False,
          as_json: Json = False) -> None:
    """Train several configurations with several seeds in float and fixed point, in parallel."""
    configs = [configured(source, None, rule, epochs, data) for source in sources]
    here = Run(out, quiet, as_json)
    from hebbar.studies.parameter_sweep import print_sweep, sweep as run_sweep

    rows = run_sweep(configs, list(range(seeds)), jobs, here.reporter)
    if not as_json:
        print_sweep(rows)
    here.finish([asdict(row) for row in rows], [])


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
          out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/bench"),
          quick: Annotated[bool, typer.Option("--quick", help="Fewer seeds and samples; figures are then not the "
                                              "targets'.")] = False,
          data: Annotated[Path | None, typer.Option(help="Folder with MNIST's idx files; for strangers, "
                                                       "reproducers other than those of the checkout; for costs, a "
                                                       "Liberty file of standard cells; for clock, a folder of "
                                                       "them.")] = None,
          part: Annotated[str | None, typer.Option(help="Of strangers, house and clock: one part alone; suite of house "
                                                        "takes an hour and is measured only so.")] = None,
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
    if not as_json:
        print_figures(figures)
    missed = [f.figure for f in figures if f.met is False]
    here.finish([f.record() for f in figures], [])
    if missed:
        raise Mismatch(f"{len(missed)} of {len(figures)} figures miss their target: {missed[0]}.")
