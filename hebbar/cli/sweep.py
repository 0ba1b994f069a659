"""The command of studies: grids and searches over keys of a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from hebbar.contract.errors import BadInput

from .options import Data, Epochs, Json, Quiet, Rule, Run, configured

__all__ = ["sweep"]


def sweep(sources: Annotated[list[str], typer.Argument(metavar="CONFIG...", help="Presets or TOML files.")],
          given: Annotated[list[str] | None, typer.Option(
              "--set", metavar="KEY=VALUES", help="A key of the configuration and values of TOML with commas, as in "
              "rule.steps=4,8; once for each key, for all combinations. With --search also a range: "
              "rule.gamma=0.1..0.5.")] = None,
          seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, .. of weights, order and split.")] = 5,
          jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
          scheduler: Annotated[str, typer.Option(help="local: processes of joblib; dask: --jobs workers of Dask on "
                                                      "this computer; dask:ADDRESS: those of a scheduler.")] = "local",
          search: Annotated[int | None, typer.Option(min=1, help="Try so many combinations, proposed by Optuna, in "
                                                     "place of all; the best by validation data is then trained on "
                                                     "all training data and tested.")] = None,
          validation: Annotated[float | None, typer.Option(
              min=0, max=1, help="Share of the training data that is held out to be graded on, in place of the test "
              "data; a search holds out 0.2 unless told.")] = None,
          out: Annotated[Path, typer.Option("--out", help="Folder for the table, the record and, in runs/, every run: "
                                       "those that are there are not run again.")] = Path("out/sweep"),
          rule: Rule = None, epochs: Epochs = None, data: Data = None, quiet: Quiet = False,
          as_json: Json = False) -> None:
    """Train configurations with several seeds in float and fixed point, in parallel: a grid of values of their keys,
    or a search. A sweep that was stopped, even by kill -9, goes on with what is missing."""
    configs = [configured(source, None, rule, epochs, data) for source in sources]
    from hebbar.contract.record import Check
    from hebbar.studies import sweeps

    axes = [sweeps.axis(text) for text in given or ()]
    sweeps.distinct(axes)
    _once({"rule.name": ("--rule", rule), "training.epochs": ("--epochs", epochs), "data.path": ("--data", data)},
          [one.key for one in axes])
    if search and len(configs) > 1:
        raise BadInput(f"--search is given with {len(configs)} configurations; give one.")
    if search and validation == 0:
        raise BadInput("--search grades on validation data, and --validation 0 holds none out; give a share above 0, "
                       "or leave it out for 0.2.")
    points = [] if search else sweeps.grid(configs, axes, seeds)
    with sweeps.scheduler(scheduler, jobs) as workers:
        here = Run(out, quiet, as_json)
        study = sweeps.Study(sweeps.Store(here.folder / "runs"), workers, here.reporter, seeds, validation or 0.0)
        if search:
            lines, best, accuracy = study.search(configs[0], axes, search)
        else:
            lines = study.run(points)
    (here.folder / "chosen.toml").unlink(missing_ok=True)  # that of an earlier search
    files = [sweeps.write_csv(lines, here.folder / "table.csv")]
    if parquet := sweeps.write_parquet(lines, here.folder / "table.parquet"):
        files.append(parquet)
    if search:
        files.append(sweeps.write_chosen(best, here.folder / "chosen.toml"))

    def show() -> None:
        sweeps.show(lines)
        if search:
            typer.echo(f"chosen by {100 * accuracy:.2f} % of the validation data: {sweeps.said(best)}")
            typer.echo(f"hebbar run {files[-1]}")

    judged = lines[-seeds:] if search else lines  # a proposal of a search may fail
    here.finish([line.record() for line in lines],
                [Check(f"{line.name} seed {line.result.seed} trains", not line.failed, f"{line.name} seed "
                       f"{line.result.seed}: {line.failed}") for line in judged], files, show)


def _once(options: dict[str, tuple[str, object]], keys: list[str]) -> None:
    """Raise BadInput for a key that an option of its own and --set both give."""
    for key, (option, value) in options.items():
        if value is not None and key in keys:
            raise BadInput(f"{option} and --set {key} are both given; leave one out.")
