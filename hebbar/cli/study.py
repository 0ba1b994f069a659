"""The command that asks how bad a device may be."""

import tomllib
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import BadInput
from .options import Epochs, Json, Quiet, Run, configured

__all__ = ["study"]


def study(switches: Annotated[list[str], typer.Argument(metavar="SWITCH...", help="Keys of machine.analog, such as "
                                                        "read.additive; 'all' for all that have values of their own.")],
          values: Annotated[Optional[str], typer.Option(help="As in 0,0.1,0.3; default: four or five of the "
                                                        "switch's own.")] = None,
          config: Annotated[str, typer.Option(help="Preset or TOML file.")] = "digits_analog",
          rules: Annotated[str, typer.Option(help="Of il, ipc, backprop.")] = "il,ipc,backprop",
          seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, .. of weights, order, split and devices.")] = 3,
          jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
          out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/study"),
          epochs: Epochs = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Sweep a switch of the analog macro and draw accuracy against severity."""
    chosen = configured(config, None, None, epochs, None)
    here = Run(out, quiet, as_json)
    from sim.html.devices import severity
    from sim.html.svg import save
    from sim.study import SEVERITIES, means, records
    from sim.study import study as run_study

    names = list(SEVERITIES) if switches == ["all"] else switches
    given = {name: _values(name, values, SEVERITIES) for name in names}
    points = {name: run_study(chosen, name, v, rules.split(","), range(seeds), jobs, here.reporter)
              for name, v in given.items()}
    summary = {name: means(p) for name, p in points.items()}
    save(severity(summary), here.folder / "severity.svg")
    if not as_json:
        for name, rows in summary.items():
            for r in rows:
                print(f"{name} {r['value']:g}, {r['rule']}: {r['mean']:.2f} % ({r['least']:.2f} to {r['most']:.2f})")
    here.finish({name: {"means": summary[name], "points": records(p)} for name, p in points.items()}, [])


def _values(switch: str, values: str | None, known: dict) -> list:
    """What was asked for, or the values of the switch's own."""
    if values is None:
        if switch not in known:
            raise BadInput(f"{switch} has no values of its own; give --values. Those that have: {', '.join(known)}.")
        return list(known[switch])
    try:
        return tomllib.loads(f"values = [{values}]")["values"]
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"--values is {values!r}: {error}; give numbers with commas, as in 0,0.1,0.3.") from None
