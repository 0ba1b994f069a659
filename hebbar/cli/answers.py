"""The command that asks a trained network."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Quiet, Run, configured

__all__ = ["predict"]


def predict(weights: Annotated[Path, typer.Argument(help="Trained weights, such as out/run/weights.npz.")],
            file: Annotated[Path, typer.Argument(help="Samples: a CSV file, an .npz file with inputs, a picture or a "
                                                 "folder of pictures; with labels, the answers are graded.")],
            config: Annotated[str | None, typer.Option(help="Preset or TOML file; default: the configuration that the "
                                                            "weights say.")] = None,
            out: Annotated[Path, typer.Option("--out", help="Folder for predictions.csv and the record.")] =
            Path("out/predict"), quiet: Quiet = False, as_json: Json = False) -> None:
    """Answer samples in a file with trained weights: the label and the score of every class."""
    from golden.learning.described import configuration_in

    chosen = configured(config) if config else configuration_in(weights)
    here = Run(out, quiet, as_json, chosen)
    from hebbar.report.predictions import predictions

    found = predictions(chosen, weights, file)
    for sentence in found.warnings:
        here.reporter.say(f"warning: {sentence}")
    table = here.folder / "predictions.csv"
    found.write(table)

    def show() -> None:
        found.show()
        typer.echo(f"wrote {table}")

    here.finish(found.record(), [], [table], show)
