"""Verilog export, and the names simulators need to look inside."""

import re

from amaranth.back import verilog

from hebbar.machine import MachineConfig

from .machine import TILES, Machine

__all__ = ["TOP", "public", "export"]

TOP = "hebbar"
SOURCE = re.compile(r'^ *\(\* src = "[^"]*" \*\)\n', re.MULTILINE)
"""Where a memory was declared: a path of this machine, which Amaranth leaves in."""


def public(machine: MachineConfig) -> list[str]:
    """Memories a testbench reads at a fence, as ``module.name``."""
    names = [f"{TOP}.{name}_memory.memory" for name in ("state", "error", "activity")]
    return names + TILES[machine.tile].public(machine, f"{TOP}.tile")


def export(machine: MachineConfig) -> str:
    """Synthesizable Verilog of the machine, top module ``hebbar``; same configuration, same text."""
    text = verilog.convert(Machine(machine), name=TOP, strip_internal_attrs=True)
    return SOURCE.sub("", text)
