"""Commands about what is not perfect: how bad a device may be, and calibrating its converters."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import shown as quoted
from hebbar.studies.severities import RULES, SEVERITIES

from .options import Epochs, Json, Quiet, Run, Source, configured

__all__ = ["study", "calibrate"]


def study(switches: Annotated[list[str], typer.Argument(metavar="SWITCH...", help="Keys of machine.analog, such as "
                                                        "read.additive; 'all' for all that have values of their own.")],
          values: Annotated[str | None, typer.Option(help="As in 0,0.1,0.3; default: four or five of the "
                                                        "switch's own.")] = None,
          config: Annotated[str, typer.Option(help="Preset or TOML file.")] = "digits_analog",
          rules: Annotated[str, typer.Option(help=f"Of {', '.join(RULES)}.")] = ",".join(RULES),
          seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, .. of weights, order, split and devices.")] = 3,
          jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
          out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/study"),
          epochs: Epochs = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Sweep a switch of the analog macro and draw accuracy against severity."""
    chosen = configured(config, None, None, epochs, None)
    from hebbar.report.svg import save
    from hebbar.studies import severity
    from hebbar.studies.severity import known_switch, means, shown

    names = list(SEVERITIES) if switches == ["all"] else switches
    for name in names:
        known_switch(chosen, name)
    plans = {name: severity.planned(chosen, name, _values(name, values), rules.split(","))
             for name in names}
    here = Run(out, quiet, as_json, chosen)
    points = {name: severity.study(plan, range(seeds), jobs, here.reporter) for name, plan in plans.items()}
    summary = {name: means(p) for name, p in points.items()}
    save(severity.draw(summary), here.folder / "severity.svg")

    def show() -> None:
        for name, rows in summary.items():
            for r in rows:
                print(f"{name} {shown(r['value'])}, {r['rule']}: {r['mean']:.2f} % ({r['least']:.2f} to "
                      f"{r['most']:.2f})")

    here.finish({name: {"means": summary[name], "points": severity.records(p)} for name, p in points.items()}, [],
                show=show)


def _values(switch: str, values: str | None) -> list[Any]:
    """What was asked for, or the values of the switch's own."""
    if values is None:
        if switch not in SEVERITIES:
            raise BadInput(f"{switch} has no values of its own; give --values. Those that have: "
                           f"{', '.join(SEVERITIES)}.")
        return list(SEVERITIES[switch])
    from hebbar.studies.sweeps.grid import toml_values

    return toml_values(values, f"--values {quoted(values)}")


def calibrate(config: Source,
              reads: Annotated[int, typer.Option(min=16, help="Random reads from either side.")] = 256,
              seed: Annotated[int, typer.Option(min=0, help="Of the weights and inputs that are read.")] = 0,
              out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] = Path("out/calibrate"),
              quiet: Quiet = False, as_json: Json = False) -> None:
    """Measure offset and gain of every converter, write the configuration that corrects them."""
    chosen = configured(config)
    here = Run(out, quiet, as_json, chosen)
    from dataclasses import asdict

    import tomli_w

    from hebbar.contract.files import write_text
    from sim.analog.calibration import calibrated

    corrected, lines = calibrated(chosen, reads, seed)
    path = here.folder / "calibrated.toml"
    write_text(path, tomli_w.dumps(corrected.model_dump(mode="json", exclude_none=True)))

    def show() -> None:
        for x in lines:
            print(f"{x.side} converter {x.converter}: offset {x.offset:.2f} LSB, gain {x.gain:.4f}; calibrated "
                  f"{x.offset_left:.2f}, {x.gain_left:.4f}")
        print(f"hebbar run {path}")

    here.finish([asdict(x) for x in lines], [], [path], show)
