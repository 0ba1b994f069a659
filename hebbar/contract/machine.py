"""The machine's geometry and widths, validated."""

from typing import TYPE_CHECKING, Literal

from pydantic import field_validator

from .analog import AnalogConfig
from .errors import BadInput
from .formats import Format, Formats, code
from .geometry import ports
from .isa import UPDATES, Sweep
from .memories import BLOCK, HEADER, Mem
from .section import Section, key
from .tiles import TILES, WEIGHTS, TileKind

__all__ = ["MachineConfig"]

EXACT_BITS = 62
"""Bits of a sum that leave room for another one in 64."""

if TYPE_CHECKING:
    TileName = str
    Updates = str
else:
    TileName = Literal[tuple(TILES)]
    Updates = Literal[tuple(UPDATES)]


class MachineConfig(Section):
    """``[machine]``: the geometry and the widths of the accelerator."""

    tile: TileName = key("rows", " ".join(f"{name}: {kind.meaning}." for name, kind in TILES.items()), example="array")
    lanes: int = key(8, "Weights C of a row that are worked on in a cycle.", "lanes",
                     range="powers of two from 4 to 64")
    row_tiles: int = key(1, "Rows P that are worked on in a cycle.", "rows", 2, "powers of two from 1 to `lanes`")
    neuron_rows: int = key(0, "Rows W that a sweep without weights works on in a cycle, with tile 'rows'; 0: "
                              "`row_tiles`.", "rows", 8, "0 or powers of two from `row_tiles` to `lanes`", ge=0, le=64)
    weight_words: int = key(1024, f"Depth of the weight memory; {WEIGHTS:,} weights at most in all, with tile array "
                                  f"{TILES['array'].cells:,} and with tile analog {TILES['analog'].cells:,}. With "
                                  "these two tiles a multiple of `max_columns`.", "words of P x C weights", ge=2,
                            le=1 << 20)
    neuron_words: int = key(64, "Depth of the memories of states, errors and activities.", "words of C neurons", ge=2,
                            le=1 << 12)
    max_columns: int = key(32, "Most words of a row; the row engine's FIFO holds one row.", "words of C weights", ge=1,
                           le=1 << 10)
    map_entries: int = key(128, "Entries of the memory that says what feeds a column.", "entries", ge=2, le=1 << 12)
    blocks: int = key(32, "Block descriptors.", "entries", ge=2, le=1 << 10)
    program_words: int = key(256, "Depth of the program memory.", "instructions", ge=2, le=1 << 12)
    functions: int = key(4, "Activation tables, one for each function and number of fraction bits.", "tables", ge=1,
                         le=16)
    weight_bits: int = key(16, "Width of a weight, sign included.", "bits", ge=3, le=24)
    weight_frac: int = key(13, "Fraction bits of a weight.", "bits", ge=0, le=23)
    state_bits: int = key(16, "Width of a state x, sign included; a state must reach 1.", "bits", ge=3, le=16)
    state_frac: int = key(12, "Fraction bits of states and errors.", "bits", ge=0, le=15)
    error_bits: int = key(16, "Width of an error e, sign included.", "bits", ge=3, le=16)
    activity_bits: int = key(8, "Width of an activity f(x), sign included; more than 8 for tiles of weights in a "
                                "memory, two of them a beat.", "bits", ge=2, le=15)
    activity_frac: int = key(7, "Fraction bits that all products of a row are aligned to; at least those of any "
                                "population, at most 7 more.", "bits", ge=0, le=15)
    row_sum_bits: int = key(36, "Width of a row sum; the compiler proves that it cannot overflow.", "bits", ge=8, le=53)
    feedback_sum_bits: int = key(42, "Width of a feedback sum; the compiler proves that it cannot overflow.", "bits",
                                 ge=8, le=53)
    separation: int = key(0, "Largest population that softmax or max takes; 0: the unit is not built.", "neurons", 128,
                          ge=0, le=1 << 10)
    energy: bool = key(False, "Build the energy sum, which `rule.tolerance` needs.")
    counters: bool = key(True, "Build the counters of cycles and work; without them the machine is smaller, and its "
                               "cycles are known from the golden and the cycle model alone.")
    integral: bool = key(False, "Build the memory of integrals, a second state word a neuron, which the flag INTEGRATE "
                                "needs.")
    updates: Updates = key("own", "; ".join(f"{name}: {meaning}" for name, meaning in UPDATES.items()) + ".",
                           example="shared")
    analog: AnalogConfig = key(AnalogConfig(), "The macro of tile 'analog'.")

    @field_validator("lanes", "row_tiles")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value < 1 or value > 64 or value & (value - 1):
            raise ValueError("must be a power of two from 1 to 64")
        return value

    def check(self) -> None:
        """Raise BadInput for a geometry the hardware cannot have."""
        if self.lanes < 4:
            raise BadInput(f"machine.lanes is {self.lanes}; it must be at least 4, the activities "
                           "of one stream beat.")
        if self.row_tiles > self.lanes:
            raise BadInput(f"machine.row_tiles is {self.row_tiles}, more than machine.lanes "
                           f"({self.lanes}); lower row_tiles.")
        self._check_neuron_rows()
        if self.kind.array:
            self._check_array()
            if self.updates != "own":
                raise BadInput(f"machine.updates is {self.updates!r}; a machine with tile {self.tile!r} has 'own' "
                               "alone, so leave it out or use tile 'rows'.")
        if self.kind.array and self.activity_bits > 8:
            raise BadInput(f"machine.activity_bits is {self.activity_bits}; tile {self.tile!r} takes at most 8, lower "
                           "it or set machine.tile to 'rows'.")
        most = WEIGHTS // (self.lanes * self.row_tiles)
        if self.weight_words > most:
            raise BadInput(f"machine.weight_words is {self.weight_words}, words of {self.lanes * self.row_tiles} "
                           f"weights and more than {WEIGHTS} in all; give at most {most}.")
        self._check_reach()
        f = self.formats
        code(1.0, f.state, f"the state 1 of a target, with machine.state_frac {self.state_frac} and machine.state_bits "
             f"{self.state_bits},", f"lower machine.state_frac to {self.state_bits - 2} or raise machine.state_bits")
        for keys, shift in (("weight_frac and activity_frac", f.sum_shift),
                            ("weight_frac", f.back_shift)):
            if shift < 0:
                raise BadInput(f"machine.state_frac is {self.state_frac}, finer than the products "
                               f"it is rounded from; raise machine.{keys} or lower state_frac.")

    def _check_reach(self) -> None:
        """Raise BadInput for memories larger than an instruction or a packet can name, or sums that no golden machine
        of 64 bits can add."""
        most = 1 << BLOCK["group_base"].width
        if self.groups > most:
            raise BadInput(f"machine.neuron_words is {self.neuron_words}, which makes {self.groups:,} row groups of "
                           f"{self.row_tiles}; descriptors name {most:,}, so give at most "
                           f"{most * self.row_tiles // self.lanes} or raise row_tiles.")
        port, packet = ports(self)[Mem.WEIGHT], (1 << HEADER["beats"].width) - 1
        if port.depth * port.beats_per_word > packet:
            raise BadInput(f"machine.weight_words is {self.weight_words}, {port.depth * port.beats_per_word:,} beats "
                           f"on the stream; a packet has at most {packet:,}, so give at most "
                           f"{packet // port.beats_per_word}.")
        f = self.formats
        for name, wide, other in (("feedback_sum_bits", f.feedback_sum, f.row_sum),
                                  ("row_sum_bits", f.row_sum, f.feedback_sum)):
            if wide.bits + max(0, other.frac - wide.frac) > EXACT_BITS:
                raise BadInput(f"machine.{name} is {wide.bits}; beside sums of {other.frac} fraction bits, which GATE "
                               f"adds, it can be {EXACT_BITS - max(0, other.frac - wide.frac)} at most.")

    def _check_neuron_rows(self) -> None:
        """Raise BadInput for rows that are no part of a word of neurons, or a tile that hands over P of them alone."""
        rows = self.neuron_rows
        if rows and (rows & (rows - 1) or not self.row_tiles <= rows <= self.lanes):
            raise BadInput(f"machine.neuron_rows is {rows}; give a power of two from machine.row_tiles "
                           f"({self.row_tiles}) to machine.lanes ({self.lanes}), or 0 for row_tiles.")
        if self.parts > 1 and self.kind.array:
            raise BadInput(f"machine.neuron_rows is {rows}; tile {self.tile!r} hands over machine.row_tiles "
                           f"({self.row_tiles}) rows in a cycle, so leave neuron_rows out or use tile 'rows'.")

    def _check_array(self) -> None:
        """Raise BadInput for an array that is not whole rows or has too many cells."""
        whole = self.weight_words // self.max_columns * self.max_columns
        if whole != self.weight_words:
            raise BadInput(f"machine.weight_words is {self.weight_words}; with tile {self.tile!r} it must "
                           f"be a multiple of max_columns ({self.max_columns}), such as "
                           f"{whole + self.max_columns}.")
        cells, most = self.weight_words * self.row_tiles * self.lanes, self.kind.cells
        if cells > most:
            raise BadInput(f"machine.weight_words is {self.weight_words}, which makes {cells} cells "
                           f"with tile {self.tile!r}, at most {most} are possible; lower "
                           "weight_words or max_columns, or use tile 'rows'.")
        if self.kind.macro:
            self.analog.check(self.row_sum_bits, self.feedback_sum_bits, (self.row_tiles, self.lanes))

    @property
    def kind(self) -> TileKind:
        """What the contract says of this tile."""
        return TILES[self.tile]

    @property
    def formats(self) -> Formats:
        """Every number format of this machine."""
        s = self.state_frac
        return Formats(
            weight=Format(self.weight_bits, self.weight_frac),
            state=Format(self.state_bits, s),
            error=Format(self.error_bits, s),
            activity=Format(self.activity_bits, self.activity_frac),
            derivative=Format(9, 7),
            feedback=Format(self.state_bits + 4, s),
            row_sum=Format(self.row_sum_bits, self.weight_frac + self.activity_frac),
            feedback_sum=Format(self.feedback_sum_bits, self.weight_frac + s),
            gain=Format(9, 7))

    @property
    def weight_bounds(self) -> tuple[int, int]:
        """The least and the largest code of a weight: of the format, or of a pair of conductances if that is less."""
        f = self.formats.weight
        if not self.kind.macro:
            return f.lo, f.hi
        full = int(self.analog.device.weight_range * f.scale)
        return max(f.lo, -full), min(f.hi, full)

    @property
    def sweep_flags(self) -> int:
        """How many flags of a SWEEP, from bit 0 on, the machine has."""
        return len(Sweep) - (not self.integral)

    @property
    def pass_rows(self) -> int:
        """Rows W that a sweep without weights works on in a cycle: a word of states, errors, clamps and bases."""
        return self.neuron_rows or self.row_tiles

    @property
    def parts(self) -> int:
        """Row groups of such a word."""
        return self.pass_rows // self.row_tiles

    @property
    def part_bits(self) -> int:
        """Bits of the number of a row group in its word."""
        return (self.parts - 1).bit_length()

    @property
    def row_words(self) -> int:
        """Words of W rows of the neuron address space."""
        return self.groups // self.parts

    @property
    def groups(self) -> int:
        """Row groups (P neurons each) of the neuron address space."""
        return self.neuron_words * self.lanes // self.row_tiles

    @property
    def array_stride(self) -> int:
        """Weight words of one row group of an array; its rows all have this length."""
        return self.max_columns

    @property
    def array_rows(self) -> int:
        """Word lines of an array, P a row group."""
        return self.weight_words // self.array_stride * self.row_tiles

    @property
    def array_columns(self) -> int:
        """Bit lines of an array, C a weight word."""
        return self.array_stride * self.lanes
