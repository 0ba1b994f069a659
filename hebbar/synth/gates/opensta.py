"""Power of the same netlist by OpenSTA, at the same fixed activity: a second implementation of the same tables."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import output_folder, write_text

from ..asic import cells_of
from ..process import beating, listen
from .activity import Activity
from .expression import Tree, tree
from .library import Internal
from .netlist import Instance, Netlist
from .power import Power

__all__ = ["as_opensta", "opensta_power"]

SCRIPT = """\
read_liberty cells.lib
set_cmd_units -time ns
read_verilog mapped.v
link_design {top}
create_clock -name clk -period {period} [get_ports {clock}]
set_input_delay 0 -clock clk [all_inputs]
set_power_activity -global -activity {rate} -duty 0.5
report_power -digits 8
exit
"""
TOTAL = re.compile(r"^Total\s+([\d.e+-]+)\s+([\d.e+-]+)\s+([\d.e+-]+)", re.MULTILINE)


WIRES = re.compile(r'\b(?:default_wire_load\w*\s*:[^;]*;|wire_load(?:_selection)?\s*\([^)]*\)\s*\{[^}]*\})')
"""What a library says of wires before layout, which OpenSTA would count and ``power`` does not."""


def as_opensta(instance: Instance, found: Sequence[Internal], activity: Activity) -> list[float]:
    """Weights of tables as in OpenSTA's search/Power.cc of November 2019, which Debian has, at a global activity.

    It charges a rise and a fall at each transition, counts a table without a state beside those with one, takes
    constants for signals, and of an output's tables it weighs each by how often the other inputs of the outermost
    operator let it through, by a half where the input is deeper inside. Later versions halve the first.
    """
    return [_duty(instance, i) for i in found]


def _duty(instance: Instance, internal: Internal) -> float:
    pin = instance.cell.pins[internal.pin]
    if internal.when:
        return _high(tree(internal.when))
    if internal.related and (through := _through(tree(pin.function), internal.related)):
        return _high(through)
    return 1.0 if instance.cell.pins[internal.related or internal.pin].clock else 0.5


def _high(part: Tree) -> float:
    """How often an expression is high when each pin is so in half of the cycles, repeated ones independent."""
    match part:
        case ("pin", name):
            return float(name) if name in "01" else 0.5
        case ("!", inner):
            return 1 - _high(inner)
    one, other = _high(part[1]), _high(part[2])
    return {"&": one * other, "|": one + other - one * other, "^": one + other - 2 * one * other}[part[0]]


def _through(part: Tree, pin: str) -> Tree | None:
    """The state of the other inputs that lets a pin through, where it is an operand of the outermost operator."""
    match part:
        case ("pin", name):
            return ("pin", "1") if name == pin else None
        case ("!", inner):
            return _through(inner, pin)
    for own, other in ((part[1], part[2]), (part[2], part[1])):
        if own in (("pin", pin), ("!", ("pin", pin))):
            return other if part[0] == "&" else ("!", other)
    return None


def opensta_power(netlist: Netlist, liberty: Path, rate: float, mhz: float, folder: Path, reporter: Reporter
                  ) -> Power | None:
    """Joules a cycle and watts of leakage at ``rate`` transitions a cycle; none where OpenSTA is not installed."""
    if shutil.which("sta") is None:
        return None
    place = output_folder(folder / "opensta")
    write_text(place / "cells.lib", WIRES.sub("", cells_of(liberty)))
    write_text(place / "mapped.v", netlist.verilog.read_text())
    clock = next(name for name, nets in netlist.inputs.items() if nets == (netlist.clock,))
    write_text(place / "power.tcl", SCRIPT.format(top=netlist.top, period=1000 / mhz, clock=clock, rate=rate))
    with beating(reporter, "power with OpenSTA") as beat:
        said = listen(["sta", "-no_splash", "-exit", "power.tcl"], place, beat, "OpenSTA")
    found = TOTAL.search(said)
    if not found:
        raise HebbarError(f"OpenSTA reported no power; it said: {said[-300:]}")
    internal, switching, leakage = map(float, found.groups())
    hertz = mhz * 1e6
    return Power(internal / hertz, switching / hertz, leakage)
