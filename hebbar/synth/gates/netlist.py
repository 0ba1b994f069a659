"""A flat netlist of standard cells, as Yosys maps a design to a Liberty library."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput

from ..asic import area
from ..design import Design
from .library import Cell, Library

__all__ = ["CONSTANTS", "Instance", "Netlist", "map_flat", "netlist_of"]

CONSTANTS = {"0": 0, "1": 1, "x": 0, "z": 0}
"""Nets that never move; what is of no consequence is zero."""


@dataclass(frozen=True)
class Instance:
    """A cell and the net of each of its pins; a pin that is left open has a net of its own."""

    name: str
    cell: Cell
    nets: dict[str, str]


@dataclass(frozen=True)
class Netlist:
    """``inputs``, ``outputs``: the nets of each port, lowest bit first. ``clock``: the net of all registers.
    ``verilog``: the same netlist as a file. ``names``: nets by the names of their signals."""

    top: str
    instances: tuple[Instance, ...]
    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, tuple[str, ...]]
    clock: str
    verilog: Path
    names: dict[str, tuple[str, ...]]

    @property
    def nets(self) -> tuple[str, ...]:
        """All nets but the constants."""
        found = {net: None for nets in self.inputs.values() for net in nets}
        for instance in self.instances:
            found |= dict.fromkeys(instance.nets.values())
        return tuple(net for net in found if net not in CONSTANTS)


def map_flat(design: Design, liberty: Path, library: Library, folder: Path, reporter: Reporter) -> Netlist:
    """Map a design to the cells of a library, its modules dissolved into one.

    A memory that becomes a macro is no part of the netlist: the word that it reads is an input, of the macro's name.
    """
    found = area(design, liberty, [], folder, reporter, flat=True)
    return netlist_of(json.loads(found.netlist.with_suffix(".json").read_text()), design.top, library, found.netlist)


def netlist_of(record: dict[str, Any], top: str, library: Library, verilog: Path) -> Netlist:
    """The netlist of what Yosys wrote as JSON."""
    module = record["modules"][top]
    ports: dict[str, dict[str, tuple[str, ...]]] = {"input": {}, "output": {}}
    for name, port in module["ports"].items():
        ports[port["direction"]][name] = tuple(map(str, port["bits"]))
    macros = {name: cell for name, cell in module["cells"].items() if cell["type"].startswith("sram_")}
    ports["input"] |= {name: tuple(map(str, cell["connections"]["RD_DATA"])) for name, cell in macros.items()}
    instances = [_instance(name, cell, library) for name, cell in module["cells"].items() if name not in macros]
    clocks = {i.nets[pin] for i in instances if i.cell.flip_flop for pin, p in i.cell.pins.items() if p.clock}
    if len(clocks) > 1:
        raise BadInput(f"{top} has {len(clocks)} clocks after mapping; energies of gates are of one clock domain.")
    names = {name: tuple(map(str, net["bits"])) for name, net in module["netnames"].items() if not net["hide_name"]}
    return Netlist(top, tuple(instances), ports["input"], ports["output"], next(iter(clocks), ""), verilog, names)


def _instance(name: str, cell: dict[str, Any], library: Library) -> Instance:
    kind = cell["type"]
    if kind not in library.cells:
        raise BadInput(f"{name} is a {kind}, which the library {library.name} does not have.")
    found = library.cells[kind]
    nets = {pin: str(bits[0]) for pin, bits in cell["connections"].items() if bits}
    return Instance(name, found, {pin: nets.get(pin, f"{name}.{pin}" if p.output else "x")
                                  for pin, p in found.pins.items()})
