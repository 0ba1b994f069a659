"""The commands, in the groups in which help shows them. Heavy imports happen inside the commands."""

import typer

from . import analog, experiment, figures, hardware, study

__all__ = ["app"]

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
