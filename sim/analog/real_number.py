"""The analog macro in Verilog: a real-number model to simulate, a stub to synthesise, the control with one of them.

The model is the physics of ``golden.analog`` at the pins of ``hebbar.contract.pins``: a simulation of the whole machine
needs no Python.
"""

import re
from pathlib import Path
from typing import Any

from golden.analog.cells import Cells
from golden.analog.hashing import Draw
from golden.analog.laws import READ_TIME
from hebbar import __version__
from hebbar.contract.analog import AnalogConfig
from hebbar.contract.errors import BadInput
from hebbar.contract.files import write_text
from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem
from hebbar.contract.pins import MacroOp, cell_lanes, column_bits, pins, row_bits
from hw.verilog import TOP

from ..design import source
from ..macro import PINS

__all__ = ["MACRO", "SYSTEM", "ideal", "model", "stub", "system", "write", "write_stub"]

MACRO = "hebbar_macro"
"""The module behind the pins."""

SYSTEM = "hebbar_system"
"""The module of control and macro together."""

PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", re.MULTILINE)
"""A port of a module as the export writes it: direction, the highest bit where there are several, name."""

COEFFICIENTS = 3
"""The least number of coefficients of programming noise: so many are parameters also where none are configured."""


CALIBRATION = ("row_offset", "row_gain", "column_offset", "column_gain")


def ideal(machine: MachineConfig) -> MachineConfig:
    """The machine with every switch of the physics off, and no calibration of what is not wrong."""
    a = machine.analog
    control = a.control.model_copy(update=dict.fromkeys(CALIBRATION, ()))
    physics = AnalogConfig(control=control, device=a.device.model_copy(update={"levels": 0}), seed=a.seed)
    return machine.model_copy(update={"analog": physics})


def model(machine: MachineConfig) -> str:
    """SystemVerilog of the macro in real numbers. Raises BadInput for a machine without a macro."""
    _analog(machine)
    a, cells = machine.analog, Cells(machine)
    noise = [*a.programming.noise, *[0.0] * (COEFFICIENTS - len(a.programming.noise))]
    return _rendered("macro.sv", machine, a=a, noise=noise, beat=cell_lanes(machine),
                     beats=ports(machine)[Mem.WEIGHT].beats_per_word, row_bits=row_bits(machine),
                     column_bits=column_bits(machine), full=cells.full, unit=cells.unit, least=cells.least,
                     lowest=cells.bounds[0], highest=cells.bounds[1], variance_grid=cells.law.grid,
                     coincidence=a.control.each,
                     row_lsb=2.0**-a.control.row_step, column_lsb=2.0**-a.control.column_step, read_time=READ_TIME,
                     phases=list(MacroOp), draws=list(Draw))


def stub(machine: MachineConfig) -> str:
    """Verilog of a macro that is nothing but pins."""
    return _rendered("macro_stub.v", machine)


def system(machine: MachineConfig, control: str) -> str:
    """Verilog of ``control``, the text of it, with a macro at its pins; the ports are the other ones of the control."""
    body = control.partition(f"\nmodule {TOP}(")[2].partition("\nendmodule")[0]
    outer = [port for port in PORT.findall(body) if not port[2].startswith(PINS)]
    return _rendered("system.v", machine, top=TOP, outer=outer)


def write(machine: MachineConfig, folder: Path, build: Path) -> list[Path]:
    """Write control, model and both together into ``folder``: all that a simulator of SystemVerilog needs."""
    text, control = model(machine), source(machine, build).read_text()
    return _written(folder, {"macro.sv": text, "system.v": system(machine, control), f"{TOP}.v": control})


def write_stub(machine: MachineConfig, folder: Path, control: str) -> list[Path]:
    """Write stub, and control and macro together, into ``folder``: what an export needs beside the control."""
    return _written(folder, {"macro_stub.v": stub(machine), "system.v": system(machine, control)})


def _written(folder: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def _analog(machine: MachineConfig) -> MachineConfig:
    if not machine.kind.macro:
        raise BadInput(f"machine.tile is {machine.tile!r}; only a machine with tile 'analog' has a macro.")
    return machine


def _rendered(name: str, machine: MachineConfig, **more: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only needed here

    environment = Environment(loader=PackageLoader("sim"), undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["real"] = lambda value: repr(float(value))
    known = {PINS + pin: width for pin, width in pins(_analog(machine)).items()}
    return environment.get_template(f"{name}.j2").render(
        machine=machine, version=__version__, name=MACRO, system=SYSTEM, p=PINS, ports=known,
        compare=f"{PINS}compare", **more)
