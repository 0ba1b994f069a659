"""What waits in the FIFOs of the row engine: words for the error of their row, and errors of row groups."""

from .isa import FIELDS, Op, Sweep
from .machine import MachineConfig
from .memories import BLOCK, MAP

__all__ = ["row_bits", "tag_bits", "word_bits"]


def tag_bits(machine: MachineConfig) -> int:
    """What travels with a row group: flags, gain, what its descriptor says of the rows, rows in use, first."""
    said = sum(BLOCK[name].width for name in ("function", "precision", "align", "group_base"))
    return len(Sweep) + FIELDS[Op.SWEEP]["gain"].width + said + machine.row_tiles + 1


def word_bits(machine: MachineConfig) -> int:
    """P x C weights, C activities, the map entry, the address, last of its row."""
    m, entry = machine, sum(field.width for field in MAP.values())
    return m.lanes * (m.row_tiles * m.weight_bits + m.activity_bits) + entry + BLOCK["weight_base"].width + 1


def row_bits(machine: MachineConfig) -> int:
    """The errors of a row group and its tag."""
    return machine.row_tiles * machine.error_bits + tag_bits(machine)
