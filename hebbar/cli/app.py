"""The commands, in the groups in which help shows them. Heavy imports happen inside the commands."""

import warnings
from collections.abc import Callable
from typing import Annotated

import typer

from hebbar import __version__
from hebbar.contract.errors import HebbarWarning

from . import analog, answers, costs, experiment, figures, hardware, study, synthesis
from .keys import keys
from .new import new
from .sweep import sweep

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Train and simulate": (experiment.run, experiment.train, experiment.simulate, experiment.compare, answers.predict,
                           figures.report, sweep),
    "Hardware": (hardware.verilog, hardware.testbench, hardware.check, hardware.prove, synthesis.synth, costs.energy),
    "Analog crossbar": (analog.macro, analog.spice, analog.transient, study.study, study.calibrate),
    "Set-up and figures": (new, figures.presets, keys, hardware.doctor, figures.bench,
                           costs.validate_costs, costs.compare_costs)}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)



def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hebbar {__version__}")
        raise typer.Exit


@app.callback()
def options(version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version,
                                                  help="Show the version.")] = False) -> None:
    """Predictive-coding accelerators: train, generate Verilog, prove RTL = golden."""


_formatted = warnings.formatwarning


def _said(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """Our own warnings as a sentence, without the line of code they come from."""
    if category is HebbarWarning:
        return f"hebbar: warning: {message}\n"
    return _formatted(message, category, filename, lineno, line)


warnings.formatwarning = _said
