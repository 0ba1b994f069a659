"""How many register bits the RTL has, counted in the netlist that Amaranth writes."""

import re
from functools import cache

from hebbar.contract.machine import MachineConfig

__all__ = ["HOUSEKEEPING", "register_bits"]

HOUSEKEEPING = ("bus", "counters")
"""Modules that do no work on data: host registers and counters."""

CELL = re.compile(r"^  cell \$dff .*\n((?:    .*\n)*)", re.MULTILINE)

DELAYS = ("tile.tags", "neuron.states")
"""Instances of ``hw.delay.Delay``."""

READ = re.compile(r"connect \\D (\\(?:\S*signature|reader)__data\S*)")
"""A register of the word that a memory reads, a part of it: so Amaranth names what comes out of a port."""

CLOCKED = re.compile(r"^    parameter \\CLK_ENABLE 1\n.*\n.*\n    connect \\DATA (\S+)", re.MULTILINE)
"""What comes out of a port that has such a register already."""


@cache
def register_bits(machine: MachineConfig) -> dict[str, int]:
    """Flip-flop bits by block of the machine (``tile``, ``neuron``, ``bus`` ...); memories and the words that they
    have just read are not among them, an array macro's weights are. A delay counts as the word that it writes and the
    word that it reads. Takes one to ten seconds."""
    from amaranth.back import rtlil

    from hw.machine import Machine

    bits: dict[str, int] = {}
    for module in rtlil.convert(Machine(machine), name="top").split("\nmodule ")[1:]:
        path = re.sub(r"\$\d+", "", module.split(None, 1)[0]).partition(".")[2]
        block, clocked = path.partition(".")[0], set(CLOCKED.findall(module))
        for parameters in CELL.findall(module):
            read = READ.search(parameters)
            of_memory = read is not None and read[1] not in clocked
            words = 1 if not of_memory else 2 if path in DELAYS else 0
            width = re.search(r"parameter \\WIDTH (\d+)", parameters)
            assert width, parameters
            bits[block] = bits.get(block, 0) + words * int(width[1])
    return bits
