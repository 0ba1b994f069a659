"""The memories of the machine, how the host reaches each over the stream, and their entries.

A packet on the input stream, taken while the machine is halted, is two header beats and a payload:
``HEADER`` (memory, read or write, payload beats), then the first word address, then for a write the
payload with TLAST on its last beat. For a read the payload leaves on the output stream.
A beat of 32 bits carries ``lanes_per_beat`` elements of the word, lowest lane first, each sign
extended to its share; a word takes ``beats_per_word`` beats. IN and OUT move ``count`` neurons from the first
lane of a word on: what the last beat of activities holds beyond them, IN leaves alone and OUT leaves open.

An identity column (``lanes`` 0) joins every row to one neuron with the weight 1, which is stored
nowhere: the neuron with the row's own lane in the neuron word ``source`` words after the row's own.
It is never written and counts no work; its ``overwrite`` holds at the first row group of every word. The
array macro has no identity columns.
"""

from dataclasses import dataclass
from enum import IntEnum

from .isa import Field

__all__ = ["Mem", "Port", "HEADER", "BLOCK", "MAP", "READ_PORTS", "TABLE", "UNIT_PRECISION", "pack", "unpack"]

READ_PORTS = 8
"""Read ports of one copy of a memory: one that more units read is written in several copies. A technology has memories
of one or two and copies them by itself, but Yosys tries each of the 2**n ways to share n of them."""


class Mem(IntEnum):
    """Memory numbers in packet headers; IN and OUT reach the first four."""

    ACTIVITY = 0
    STATE = 1
    ERROR = 2
    CLAMP = 3
    WEIGHT = 4
    PROGRAM = 5
    BLOCK = 6
    MAP = 7
    FUNCTION = 8
    DERIVATIVE = 9


@dataclass(frozen=True)
class Port:
    """Geometry of one memory as the stream sees it.

    ``depth`` words of ``lanes`` elements of ``bits`` bits; ``lanes_per_beat`` elements a beat.
    """

    depth: int
    lanes: int
    bits: int
    lanes_per_beat: int
    signed: bool

    @property
    def beats_per_word(self) -> int:
        return self.lanes // self.lanes_per_beat

    @property
    def sub_bits(self) -> int:
        """Bits of the number of a beat in its word."""
        return max(1, (self.beats_per_word - 1).bit_length())

    @property
    def element_bits(self) -> int:
        """Bits of a beat that one element takes."""
        return 32 // self.lanes_per_beat


HEADER = {
    "beats": Field(0, 24, "payload beats"),
    "memory": Field(24, 4, "memory number"),
    "read": Field(28, 1, "1: stream the memory out; 0: write it"),
}

BLOCK = {
    "weight_base": Field(0, 20, "weight word of row group 0, column 0"),
    "stride": Field(20, 12, "weight words from one row group to the next"),
    "map_base": Field(32, 12, "map entry of column 0"),
    "columns": Field(44, 12, "words of a row, 1 or more"),
    "function": Field(56, 4, "activation table of the destination"),
    "precision": Field(60, 4, "log2 of the precision pi of the destination's errors, plus 8"),
    "group_base": Field(64, 14, "first row group of the destination"),
    "groups": Field(78, 14, "row groups, 1 or more"),
    "align": Field(92, 4, "left shift that aligns the destination's activities to errors, for POST"),
    "last_rows": Field(96, 8, "rows in use in the last row group, 1..P"),
}

MAP = {
    "source": Field(0, 12, "neuron word that feeds this column; identity: less the row's own word, modulo 4096"),
    "lanes": Field(12, 8, "lanes in use, 1..C; 0: an identity column, see below"),
    "shift": Field(20, 3, "left shift that aligns the products"),
    "rate": Field(23, 4, "which RATE register holds the update shift"),
    "feedback": Field(27, 1, "TRN adds into the source's feedback sums"),
    "overwrite": Field(28, 1, "row group 0 replaces the feedback sums instead of adding"),
    "plastic": Field(29, 1, "UPD writes these weights"),
    "diagonal": Field(30, 1, "UPD leaves the weight from a neuron to itself alone"),
    "positive": Field(31, 1, "UPD clips at zero instead of the least weight"),
}

TABLE = {
    "value": Field(0, 16, "output at the segment's left end, scaled to 16 signed bits"),
    "slope": Field(16, 16, "change across the segment in the same unit, signed"),
}


UNIT_PRECISION = 8
"""The code of precision 1."""


def pack(layout: dict[str, Field], where: str, **values: int) -> int:
    """Build a table entry from its fields; raises BadInput when a value does not fit."""
    word = 0
    for name, field in layout.items():
        word |= field.put(values[name], f"{where} {name}")
    return word


def unpack(layout: dict[str, Field], word: int) -> dict[str, int]:
    """The fields of a table entry by name."""
    return {name: field.get(word) for name, field in layout.items()}
