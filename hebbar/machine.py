"""The machine's geometry and widths, validated."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .analog import AnalogConfig
from .errors import BadInput
from .formats import Format, Formats

__all__ = ["Frozen", "MachineConfig"]

ARRAY_CELLS = 1 << 14
"""Cells an array macro may have: every one is a register with its multipliers."""

ANALOG_CELLS = 1 << 20
"""Cells of an analog macro, which has no logic of its own in a cell."""


class Frozen(BaseModel):
    """A configuration section: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class MachineConfig(Frozen):
    """``[machine]``: the geometry and the widths of the accelerator.

    ``lanes`` C weights of each of ``row_tiles`` P rows are processed a cycle. Depths count words:
    a weight word is P x C weights, a neuron word is C neurons. Optional units: ``separation`` is the
    largest population that SEPARATE takes (0: not built), ``energy`` builds the energy sum and EXIT.
    """

    tile: Literal["rows", "array", "analog"] = "rows"
    lanes: int = 8
    row_tiles: int = 1
    weight_words: int = Field(1024, ge=2, le=1 << 20)
    neuron_words: int = Field(64, ge=2, le=1 << 12)
    max_columns: int = Field(32, ge=1, le=1 << 10)
    map_entries: int = Field(128, ge=2, le=1 << 12)
    blocks: int = Field(32, ge=2, le=1 << 10)
    program_words: int = Field(256, ge=2, le=1 << 12)
    functions: int = Field(4, ge=1, le=16)
    weight_bits: int = Field(16, ge=3, le=24)
    weight_frac: int = Field(13, ge=0, le=23)
    state_bits: int = Field(16, ge=3, le=16)
    state_frac: int = Field(12, ge=0, le=15)
    error_bits: int = Field(16, ge=3, le=16)
    activity_bits: int = Field(8, ge=2, le=8)
    activity_frac: int = Field(7, ge=0, le=15)
    row_sum_bits: int = Field(36, ge=8, le=53)
    back_sum_bits: int = Field(42, ge=8, le=53)
    separation: int = Field(0, ge=0, le=1 << 10)
    energy: bool = False
    analog: AnalogConfig = AnalogConfig()

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
        if self.tile != "rows":
            self._check_array()
        f = self.formats
        for key, shift in (("weight_frac and activity_frac", f.sum_shift),
                           ("weight_frac", f.back_shift)):
            if shift < 0:
                raise BadInput(f"machine.state_frac is {self.state_frac}, finer than the products "
                               f"it is rounded from; raise machine.{key} or lower state_frac.")

    def _check_array(self) -> None:
        """Raise BadInput for an array that is not whole rows or has too many cells."""
        whole = self.weight_words // self.max_columns * self.max_columns
        if whole != self.weight_words:
            raise BadInput(f"machine.weight_words is {self.weight_words}; with tile {self.tile!r} it must "
                           f"be a multiple of max_columns ({self.max_columns}), such as "
                           f"{whole + self.max_columns}.")
        cells = self.weight_words * self.row_tiles * self.lanes
        most = ARRAY_CELLS if self.tile == "array" else ANALOG_CELLS
        if cells > most:
            raise BadInput(f"machine.weight_words is {self.weight_words}, which makes {cells} cells "
                           f"with tile {self.tile!r}, at most {most} are possible; lower "
                           "weight_words or max_columns, or use tile 'rows'.")
        if self.tile == "analog":
            self.analog.check(self.row_sum_bits, self.back_sum_bits, (self.row_tiles, self.lanes))

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
            back_sum=Format(self.back_sum_bits, self.weight_frac + s),
            gain=Format(9, 7))

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
