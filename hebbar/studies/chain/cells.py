"""What chaining takes of an FPGA: the machine as it is beside one whose WAIT has no bits for a gap."""

from pathlib import Path
from unittest.mock import patch

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.isa import FIELDS, Field, Op
from hebbar.contract.machine import MachineConfig
from hebbar.contract.results import Figure
from hebbar.synth.design import Design, of_machine
from hebbar.synth.devices import Cells
from hebbar.synth.fpga import mapped

__all__ = ["measure", "without_gaps"]

TARGET = 300
"""LUTs."""


def without_gaps(machine: MachineConfig) -> Design:
    """The machine that can only drain: a gap of no bits is 0, and synthesis leaves out its counter."""
    with patch.dict(FIELDS[Op.WAIT], gap=Field(0, 0, "there is none")):
        return of_machine(machine)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """LUTs of an ECP5 that the counter of gaps adds, every module mapped for itself; in brackets those of the whole
    machine with its hierarchy dissolved, where the mapping of all the rest changes by more than the counter takes.
    ``folder`` is unused: mappings are found again in the folder of builds."""
    preset = "tiny" if quick else "digits"
    chains, drains = (mapped(made(load(preset).machine), "ecp5", BUILD, reporter)
                      for made in (of_machine, without_gaps))
    extra = round(sum(chains.modules.values(), Cells()).lut - sum(drains.modules.values(), Cells()).lut)
    return [Figure(f"LUT of chaining itself, {preset} on an ECP5, every module for itself (hierarchy dissolved, "
                   f"{chains.whole.lut:,.0f} LUTs and {chains.whole.ff:,.0f} flip-flops against "
                   f"{drains.whole.lut:,.0f} and {drains.whole.ff:,.0f})", extra, f"<= {TARGET}", "LUT",
                   extra <= TARGET)]
