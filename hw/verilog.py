"""Verilog export, and the names simulators need to look inside."""

from amaranth.back import verilog
from amaranth.back.verilog import YosysError

from hebbar.contract.effects import Resource
from hebbar.contract.errors import build_failed
from hebbar.contract.machine import MachineConfig
from hebbar.contract.places import settle
from hebbar.contract.tiles import Weights

from .machine import Machine
from .tidy import tidy

__all__ = ["CLEARING", "EXIT", "PORT", "TOP", "export", "public", "written"]

TOP = "hebbar"
PORT = "host_has", "writer__en", "write_address"
"""Signals of the module of a memory: whether the host has it, which elements are written at the next clock edge, and
their word, unless the host has it."""
CLEARING = "clearing"
"""A signal of the top: START has bases and integrals, which no host has."""
EXIT = "sequencer.exit", "sequencer.arm", "sequencer.leave"
"""Signals below the top: an EXIT happens; it is armed; it leaves its loop."""


def public(machine: MachineConfig) -> list[str]:
    """Memories and signals that a testbench reads, as ``module.name``."""
    names = [f"{place}.memory" for place in written(machine).values()]
    if machine.kind.weights is Weights.REGISTERS:
        names += [f"tile.{place}" for place in machine.kind.weight_places(machine)]
    own = (Resource.BASE, Resource.INTEGRAL)
    names += [f"{place}.{name}" for resource, place in written(machine).items() for name in PORT[resource in own:]]
    return [f"{TOP}.{name}" for name in (*names, CLEARING, *(EXIT if machine.energy else ()))]


def written(machine: MachineConfig) -> dict[Resource, str]:
    """The modules, below the top, of the memories that a program writes."""
    found = {r: f"{r}_memory" for r in (Resource.STATE, Resource.ERROR, Resource.ACTIVITY, Resource.BASE)}
    if machine.integral:
        found[Resource.INTEGRAL] = "integral_memory"
    return found | ({Resource.WEIGHT: "tile.weights"} if machine.kind.weights is Weights.MEMORY else {})


def export(machine: MachineConfig) -> str:
    """Synthesizable Verilog of the machine, top module ``hebbar``; same configuration, same text. Raises BadInput when
    this computer has no room for Amaranth's Yosys to work."""
    settle()  # Amaranth's Yosys keeps what it compiles
    try:
        return tidy(verilog.convert(Machine(machine), name=TOP, strip_internal_attrs=True))
    except YosysError as error:
        raise build_failed("Amaranth's Yosys could not write the Verilog", str(error)) from None
