"""The memories of one machine as the stream sees them, and the size of one sample on it."""

from typing import TYPE_CHECKING

from .memories import Mem, Port

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["ports", "BLOCK_LANES"]

BLOCK_LANES = 4


def ports(m: "MachineConfig") -> dict[Mem, Port]:
    """Depth, lanes and beat packing of every memory the host can reach."""
    tables = m.functions << m.formats.table_bits
    weights_per_beat = 2 if m.weight_bits <= 16 else 1
    return {
        Mem.ACTIVITY: Port(m.neuron_words, m.lanes, m.activity_bits, 4 if m.activity_bits <= 8 else 2, True),
        Mem.STATE: Port(m.row_words, m.pass_rows, m.state_bits, 1, True),
        Mem.ERROR: Port(m.row_words, m.pass_rows, m.error_bits, 1, True),
        Mem.CLAMP: Port(m.row_words, m.pass_rows, 1, 1, False),
        Mem.WEIGHT: Port(m.weight_words, m.row_tiles * m.lanes, m.weight_bits, weights_per_beat,
                         True),
        Mem.PROGRAM: Port(m.program_words, 1, 32, 1, False),
        Mem.BLOCK: Port(m.blocks, BLOCK_LANES, 32, 1, False),
        Mem.MAP: Port(m.map_entries, 1, 32, 1, False),
        Mem.FUNCTION: Port(tables, 1, 32, 1, False),
        Mem.DERIVATIVE: Port(tables, 1, 32, 1, False),
    }
