"""Verilog export, and the names simulators need to look inside."""

from amaranth.back import verilog
from amaranth.back.verilog import YosysError

from hebbar.contract.errors import build_failed
from hebbar.contract.machine import MachineConfig
from hebbar.contract.places import settle

from .machine import Machine
from .tidy import tidy

__all__ = ["TOP", "public", "export"]

TOP = "hebbar"


def public(machine: MachineConfig) -> list[str]:
    """Memories a testbench reads at a barrier, as ``module.name``."""
    names = [f"{TOP}.{name}_memory.memory" for name in ("state", "error", "activity")]
    return names + [f"{TOP}.tile.{place}" for place in machine.kind.weight_places(machine)]


def export(machine: MachineConfig) -> str:
    """Synthesizable Verilog of the machine, top module ``hebbar``; same configuration, same text. Raises BadInput when
    this computer has no room for Amaranth's Yosys to work."""
    settle()  # Amaranth's Yosys keeps what it compiles
    try:
        return tidy(verilog.convert(Machine(machine), name=TOP, strip_internal_attrs=True))
    except YosysError as error:
        raise build_failed("Amaranth's Yosys could not write the Verilog", str(error)) from None
