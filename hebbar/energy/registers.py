"""How many register bits the RTL has, counted in the netlist that Amaranth writes."""

import re
from functools import cache

from hebbar.contract.machine import MachineConfig

__all__ = ["HOUSEKEEPING", "register_bits"]

HOUSEKEEPING = ("bus", "counters")
"""Modules that do no work on data: host registers and counters."""

CELL = re.compile(r"^module \\(\S+)|^  cell \$dff .*\n((?:    .*\n)*)", re.MULTILINE)

DELAYS = ("tile.tags", "neuron.states", "neuron.feedbacks")
"""Instances of ``hw.delay.Delay``."""

READ = re.compile(r"connect \\D \\(?:\S*signature|reader)__data")
"""A register of the word that a memory reads, a part of it: so Amaranth names what comes out of a port."""


@cache
def register_bits(machine: MachineConfig) -> dict[str, int]:
    """Flip-flop bits by block of the machine (``tile``, ``neuron``, ``bus`` ...); memories and the words that they
    have just read are not among them, an array macro's weights are. A delay counts as the word that it writes and the
    word that it reads. Takes one to ten seconds."""
    from amaranth.back import rtlil

    from hw.machine import Machine

    bits: dict[str, int] = {}
    block, ring = "", False
    for module, parameters in CELL.findall(rtlil.convert(Machine(machine), name="top")):
        if module:
            path = re.sub(r"\$\d+", "", module).partition(".")[2]
            block, ring = path.partition(".")[0], path in DELAYS
            continue
        words = 1 if not READ.search(parameters) else 2 if ring else 0
        width = re.search(r"parameter \\WIDTH (\d+)", parameters)
        assert width, parameters
        bits[block] = bits.get(block, 0) + words * int(width[1])
    return bits
