"""Verilog export, and the names simulators need to look inside."""

from amaranth.back import verilog

from hebbar.machine import MachineConfig
from hebbar.places import settle

from .machine import TILES, Machine
from .tidy import tidy

__all__ = ["TOP", "public", "export"]

TOP = "hebbar"


def public(machine: MachineConfig) -> list[str]:
    """Memories a testbench reads at a fence, as ``module.name``."""
    names = [f"{TOP}.{name}_memory.memory" for name in ("state", "error", "activity")]
    return names + TILES[machine.tile].public(machine, f"{TOP}.tile")


def export(machine: MachineConfig) -> str:
    """Synthesizable Verilog of the machine, top module ``hebbar``; same configuration, same text."""
    settle()  # Amaranth's Yosys keeps what it compiles
    return tidy(verilog.convert(Machine(machine), name=TOP, strip_internal_attrs=True))
