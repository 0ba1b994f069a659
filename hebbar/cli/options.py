"""Options that several commands share, and how a command ends."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbar.contract.errors import BadInput, Mismatch
from hebbar.contract.places import BUILD_VARIABLE, build_folder

if TYPE_CHECKING:
    from hebbar.compiler.config import Config
    from hebbar.contract.record import Check

__all__ = ["Source", "Seed", "Quiet", "Json", "Rule", "Epochs", "Data", "Build", "Quick", "Run",
           "configured", "refuse", "wrote"]



def _presets(begun: str) -> list[str]:
    """Presets that begin so, for completion in a shell, which adds the names of files itself."""
    from hebbar.compiler.config import preset_names

    return [name for name in preset_names() if name.startswith(begun)]


Source = Annotated[str, typer.Argument(metavar="CONFIG", help="A preset (hebbar presets lists them) or a TOML file.",
                                       autocompletion=_presets)]
Seed = Annotated[int | None, typer.Option(min=0, help="Training seed, instead of the configured one.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output instead of a table.")]
Rule = Annotated[str | None, typer.Option(help="Learning rule, instead of the configured one.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Training epochs, instead of the configured ones.")]
Quick = Annotated[bool, typer.Option("--quick", help="One epoch of a few samples, and few questions: does it run?")]
Data = Annotated[Path | None, typer.Option(help="Where the data are, instead of the configured path.")]
Build = Annotated[Path, typer.Option(
    "--build", envvar=BUILD_VARIABLE, show_default="in the user's cache", default_factory=build_folder,
    help="Folder for built simulators, found again by hash.")]


def configured(source: str, seed: int | None = None, rule: str | None = None, epochs: int | None = None,
               data: Path | None = None) -> "Config":
    """The configuration with the changes of the command line."""
    from hebbar.compiler.config import load

    changes: dict[str, dict[str, int | str | None]] = {
        "training": {"seed": seed, "epochs": epochs}, "rule": {"name": rule},
        "data": {"path": str(data) if data else None}}
    return load(source).replace(**{section: {key: value for key, value in keys.items() if value is not None}
                                   for section, keys in changes.items()})


def refuse(context: typer.Context, names: Sequence[str], why: str) -> None:
    """Raise BadInput where the command line gives options, of the parameters ``names``, that do nothing because of what
    ``why`` says."""
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    said = [parameter.opts[0] for parameter in context.command.params if parameter.name in given]
    if said:
        raise BadInput(f"{' and '.join(said)} would change nothing: {why}; leave {'it' if len(said) == 1 else 'them'} "
                       "out.")


def wrote(files: Sequence[Path]) -> None:
    """Print a line for each file."""
    for path in files:
        typer.echo(f"wrote {path}")


class Run:
    """One run of a command: its folder, its progress and, at the end, its record.

    Standard output carries the result alone (a table, or JSON), standard error everything else. ``current``: the
    folder of the last one.
    """

    current: Path | None = None

    def __init__(self, folder: Path, quiet: bool = False, as_json: bool = False,
                 config: "Config | None" = None) -> None:
        from hebbar.contract.console import Reporter, hush
        from hebbar.contract.files import occupy, output_folder

        self.folder, self.reporter = output_folder(folder), Reporter(quiet)
        occupy(folder)
        Run.current = self.folder
        self.as_json, self._config, self._began = as_json, config, time.monotonic()
        if quiet:
            hush()
        self._busy = ExitStack()  # imports and compilations take their time too
        self._busy.enter_context(self.reporter.busy())

    def finish(self, result: Any, checks: "Sequence[Check]", files: Sequence[Path] = (),
               show: Callable[[], object] = lambda: None) -> None:
        """Write the record, then print it: as JSON, or by ``show``. Raises Mismatch when a check failed."""
        from hebbar.contract.record import write_record

        self._busy.close()
        write_record(self.folder, ["hebbar", *sys.argv[1:]], result, checks, time.monotonic() - self._began,
                     self._config.model_dump(mode="json") if self._config else None, files)
        if self.as_json:
            typer.echo(json.dumps(result))
        else:
            show()
        failed = [check for check in checks if not check.passed]
        if failed:
            more = f" ({len(failed)} of {len(checks)} checks failed.)" if len(failed) > 1 else ""
            raise Mismatch(failed[0].message + more)
