"""What is synthesised: the netlist as Amaranth writes it, with the source line of every signal."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hebbar.contract.machine import MachineConfig

if TYPE_CHECKING:
    from amaranth.lib import wiring

__all__ = ["Design", "of_component", "of_machine"]


@dataclass(frozen=True)
class Design:
    """RTLIL text and the name of its top module."""

    top: str
    rtlil: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.rtlil.encode()).hexdigest()


def of_component(component: "wiring.Component", top: str) -> Design:
    """Any unit of the hardware, for itself."""
    from amaranth.back import rtlil

    return Design(top, rtlil.convert(component, name=top))


def of_machine(machine: MachineConfig) -> Design:
    """The whole machine."""
    from hw.machine import Machine
    from hw.verilog import TOP

    return of_component(Machine(machine), TOP)
