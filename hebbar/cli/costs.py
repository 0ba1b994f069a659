"""Commands about what the machine costs, and how far the estimates can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbar.contract.errors import BadInput

from .options import Build, Data, Json, Quiet, Rule, Run, Source, configured, refuse, wrote

if TYPE_CHECKING:
    from hebbar.compiler.config import Config
    from hebbar.energy.run import Priced

__all__ = ["compare_costs", "energy", "validate_costs"]

SAMPLES = {"A": 100, "B": 10, "C": 1}
"""Training samples that a tier prices by default."""


def energy(context: typer.Context, source: Source,
           out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] =
           Path("out/energy"), samples: Annotated[int | None, typer.Option(
               min=1, help="Training samples that are counted; default: 100, 10 and 1 of tiers A, B and C.")] = None,
           technology: Annotated[list[str] | None, typer.Option(
               help="A technology that ships with Hebbar, or a TOML file; several for a table side by side. Default: "
                    "cmos45.")] = None,
           clock: Annotated[float, typer.Option(min=1e-3, max=1e5, help="Clock of latency and power, MHz.")] = 100,
           tier: Annotated[str, typer.Option(metavar="A|B|C", help="A: exact counts times a table. B: transitions of "
                                             "the RTL, counted by Verilator, times cells of a library. C: the tile as "
                                             "gates of a library, at work. Tier A stands beside B and C.")] = "A",
           liberty: Annotated[Path | None, typer.Option(help="Liberty file of standard cells, for tiers B and "
                                                        "C.")] = None,
           pictures: Annotated[bool, typer.Option("--pictures", help="Also draw blocks.svg, stacked by verb, and "
                                                  "sweeps.svg, energy against the size of the array, T and bits, into "
                                                  "--out.")] = False,
           rule: Rule = None, data: Data = None, quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Energy, time and area: exact counts of the golden machine times a sourced table, low to high, by block and
    verb; or energy by what the nets of the RTL, or the gates of the tile, do."""
    config = configured(source, None, rule, None, data)
    if tier not in SAMPLES:
        raise BadInput(f"--tier is {tier!r}; give A, B or C.")
    if tier != "A" and liberty is None:
        raise BadInput(f"tier {tier} prices cells of a library; give its Liberty file with --liberty.")
    if tier == "A" and liberty is not None:
        raise BadInput("tier A takes its energies from --technology; give --tier B or C with --liberty.")
    if tier != "A" and pictures:
        raise BadInput("--pictures are of tier A; leave it or --tier out.")
    if tier != "A":
        refuse(context, ["clock"], f"tier {tier} prices energy alone")
        if technology and len(technology) > 1:
            raise BadInput(f"tier {tier} stands beside tier A in one --technology, and {len(technology)} are given; "
                           "give one.")
    here, count = Run(out, quiet, as_json, config), samples or SAMPLES[tier]
    if liberty is not None:
        _below(config, tier, count, (technology or ["cmos45"])[0], liberty, here, build)
        return
    from hebbar.energy.run import priced_runs, record_priced
    from hebbar.report.costs import print_beside, print_priced

    found = priced_runs(config, count, technology or ["cmos45"], clock, here.reporter)
    records = [record_priced(each) for each in found]
    drawn = _drawn(config, found[0], here) if pictures else []

    def show() -> None:
        print_priced(found[0])
        if found[1:]:
            print_beside(found)
        wrote(drawn)

    here.finish(records[0] if len(records) == 1 else records, [], drawn, show)


def _drawn(config: "Config", found: "Priced", here: Run) -> list[Path]:
    """The pictures of one technology."""
    from hebbar.report.cost_figures import against, blocks_and_verbs
    from hebbar.report.svg import save
    from hebbar.studies.cost_sweeps import sweeps

    paths = [here.folder / "blocks.svg", here.folder / "sweeps.svg"]
    save(blocks_and_verbs(found), paths[0])
    table = found.estimate.technology
    points = {axis: [(p.at, p.label, p.energy, p.own) for p in of]
              for axis, of in sweeps(config, table, here.reporter).items()}
    save(against(points, table.name), paths[1])
    return paths


def _below(config: "Config", tier: str, samples: int, technology: str, liberty: Path, here: Run, build: Path) -> None:
    """Tiers A and B, or A and C, in one layout."""
    from hebbar.energy.run import job_for
    from hebbar.report.tier_table import print_tiers, record_tier
    from hebbar.studies.tiers import tier_a, tier_b, tier_c

    job = job_for(config, samples)
    found = [tier_a(job, technology)]
    if tier == "B":
        found.append(tier_b(job, liberty, here.reporter, build))
    else:
        found.append(tier_c(job, liberty, here.folder, here.reporter)[0])
    here.finish([record_tier(each) for each in found], [], show=lambda: print_tiers(found))


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
