"""The ``hebbar`` command. Heavy imports happen inside the commands, so that help is quick."""

import sys

import typer

from ..errors import Exit, HebbarError
from . import analog, experiment, figures, hardware, study

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Predictive-coding accelerators: train, generate Verilog, prove RTL = golden.")
PANELS = {
    "Train and simulate": (experiment.run, experiment.train, experiment.simulate, experiment.compare, figures.report,
                           figures.sweep),
    "Hardware": (hardware.verilog, hardware.check, hardware.prove, figures.energy),
    "Analog crossbar": (analog.macro, analog.spice, analog.transient, study.study, study.calibrate),
    "Set-up and figures": (figures.presets, hardware.doctor, figures.bench)}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main() -> None:
    """Entry point: errors become one sentence and an exit code, never a stack trace."""
    try:
        app(standalone_mode=False)
    except HebbarError as error:
        print(f"hebbar: {error}", file=sys.stderr)
        sys.exit(error.code)
    except (typer.Abort, KeyboardInterrupt):
        print("hebbar: interrupted; nothing half-written was left.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        print(f"hebbar: {error.format_message()} See hebbar --help.", file=sys.stderr)
        sys.exit(Exit.BAD_INPUT)
