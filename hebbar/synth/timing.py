"""Slack of a mapped netlist by OpenSTA: cells alone, no wires, no clock tree."""

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import write_text

from .critical_path import Step
from .process import beating, listen

__all__ = ["Slack", "slack"]

SCRIPT = """\
read_liberty cells.lib
set_cmd_units -time ns
read_verilog mapped.v
link_design {top}
create_clock -name clk -period {period:.4f} [get_ports clk]
report_checks -path_delay max -digits 4
exit
"""
POINT = re.compile(r"^ +[\d.]+ +([\d.]+) [v^] (\S+)/\w+ \((\S+)\)", re.MULTILINE)
SLACK = re.compile(r"(-?[\d.]+) +slack \((?:MET|VIOLATED)\)")
UNNAMED = re.compile(r"_\d+_$")


@dataclass(frozen=True)
class Slack:
    """What is left of a clock period, in ns; ``path``: the registers and named cells of the slowest path."""

    period: float
    ns: float
    path: tuple[Step, ...]

    @property
    def mhz(self) -> float:
        """The clock at which nothing would be left."""
        return 1000 / (self.period - self.ns)


def slack(netlist: Path, top: str, mhz: float, reporter: Reporter) -> tuple[Slack | None, str]:
    """Time the netlist at a clock; no slack, and the reason, where OpenSTA is not installed."""
    if shutil.which("sta") is None:
        return None, "OpenSTA is not installed (on Debian: apt-get install -y opensta)"
    period = 1000 / mhz
    script = SCRIPT.format(top=top, period=period)
    name = "sta-" + hashlib.sha256(script.encode()).hexdigest()[:12]
    log = netlist.with_name(f"{name}.log")
    if not log.exists():
        write_text(netlist.with_name(f"{name}.tcl"), script)
        with beating(reporter, "timing with OpenSTA") as beat:
            write_text(log, listen(["sta", "-no_splash", "-exit", f"{name}.tcl"], netlist.parent, beat, "OpenSTA"))
    said = log.read_text()
    found = SLACK.search(said)
    if not found:
        log = log.rename(log.with_suffix(".failed.log"))  # not to be found again
        raise HebbarError(f"OpenSTA found no path; what it said is in {log}.")
    return Slack(period, float(found[1]), _path(said)), ""


def _path(said: str) -> tuple[Step, ...]:
    """The ends of the slowest path of a report, and the cells between them that have a name."""
    steps = [Step(cell.replace("\\", "").removesuffix(kind), float(at), (kind,))
             for at, cell, kind in POINT.findall(said)]
    return tuple(step for i, step in enumerate(steps)
                 if i in (0, len(steps) - 1) or not UNNAMED.search(step.signal))
