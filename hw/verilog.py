"""Verilog export, and the names simulators need to look inside."""

from amaranth.back import verilog

from hebbar.config import MachineConfig

from .machine import Machine

__all__ = ["TOP", "MEMORIES", "export"]

TOP = "hebbar"

MEMORIES = {f"{TOP}.{name}_memory": "memory" for name in ("state", "error", "activity")}
"""Modules and the variable in each that a testbench reads at a fence, besides the weights."""


def export(machine: MachineConfig) -> str:
    """Synthesizable Verilog of the machine, top module ``hebbar``; same configuration, same text."""
    return verilog.convert(Machine(machine), name=TOP, strip_internal_attrs=True)
