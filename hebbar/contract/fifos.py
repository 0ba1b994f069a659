"""What waits in the FIFOs of the row engine: words for the error of their row, and errors of row groups."""

from .isa import FIELDS, Op
from .machine import MachineConfig
from .memories import BLOCK, MAP
from .registers import MAX_RATE

__all__ = ["COARSE_BITS", "FINE_BITS", "FINEST", "address_bits", "entry_bits", "group_bits", "row_bits", "tag_bits",
           "word_bits"]

FINE_BITS = 2
"""Low bits of a rate, for which no product is shifted. An activity waits for UPD shifted to the left by what they lack
of FINEST, since a multiplier block has bits to spare: the product is shifted to the right by the other bits."""
FINEST = (1 << FINE_BITS) - 1
"""Bits that an activity in a FIFO is longer."""
COARSE_BITS = MAX_RATE.bit_length() - FINE_BITS
"""High bits of a rate."""


def group_bits(machine: MachineConfig) -> int:
    """The number of a row group of this machine."""
    return max(1, (machine.groups - 1).bit_length())


def address_bits(machine: MachineConfig) -> int:
    """The address of a weight word of this machine."""
    return max(1, (machine.weight_words - 1).bit_length())


def entry_bits(machine: MachineConfig) -> dict[str, int]:
    """Bits of the fields of a map entry, those that count words or lanes of this machine as wide as they have to be."""
    return {name: field.width for name, field in MAP.items()} | {
        "source": max(1, (machine.neuron_words - 1).bit_length()), "lanes": machine.lanes.bit_length()}


def tag_bits(machine: MachineConfig) -> int:
    """What travels with a row group: flags, gain, what its descriptor says of the rows, rows in use, first."""
    said = sum(BLOCK[name].width for name in ("function", "precision", "align"))
    return machine.sweep_flags + FIELDS[Op.SWEEP]["gain"].width + said + group_bits(machine) + machine.pass_rows + 1


def word_bits(machine: MachineConfig) -> int:
    """P x C weights, C activities and the high bits of the rate for UPD, the map entry, the address, last of its
    row."""
    m, entry = machine, sum(entry_bits(machine).values())
    update = 0 if m.updates == "none" else m.lanes * (m.activity_bits + FINEST) + COARSE_BITS
    return m.lanes * m.row_tiles * m.weight_bits + update + entry + address_bits(m) + 1


def row_bits(machine: MachineConfig) -> int:
    """The errors of a row group and its tag."""
    return machine.row_tiles * machine.error_bits + tag_bits(machine)
