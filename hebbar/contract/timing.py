"""How long a tile is occupied by a sweep, to the cycle: a statement for each kind of tile, equal to its RTL."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .isa import OPERAND_FLAGS, Sweep
from .pins import activity_drive_bits, column_bits, error_drive_bits, row_bits

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["DESCRIPTOR_LATENCY", "ERROR_LATENCY", "FETCH_LATENCY", "NEURON_LATENCY", "RANGE_LATENCY", "TABLE_LATENCY",
           "WRITE_LATENCY", "AnalogTiming", "ArrayTiming", "RowTiming", "Timing"]

FETCH_LATENCY = 1
"""Cycles that an instruction waits for its word where the program does not go on behind the one before it."""

DESCRIPTOR_LATENCY = 3
"""Cycles that a SWEEP or SEPARATE waits, after its decoding, until its descriptor is known to fit."""

RANGE_LATENCY = 2
"""Cycles that an IN or OUT waits before its first beat: its range is measured and compared."""

NEURON_LATENCY = 16
"""Cycles from a row's sum to the first one in which the neuron unit has let go of it."""

ERROR_LATENCY = 5
"""Cycles from a row's sum to the one in which its error is back at the tile."""

TABLE_LATENCY = 4
"""Cycles from a state to f or f' of it: table, entry, product, sum."""

WRITE_LATENCY = 3
"""Cycles from the one in which TRN and UPD take a word to the first in which its results are written."""


class Timing(ABC):
    """When a tile can take the next sweep and when everything is done, as sweeps come in."""

    def __init__(self, machine: "MachineConfig") -> None:
        self.machine = machine
        self.free = 0
        """First cycle in which the next sweep can be accepted."""
        self.idle = 0
        """First cycle in which nothing is in flight."""

    @abstractmethod
    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Account for a sweep accepted in cycle ``accept``; returns its slots (busy cycles)."""


class RowTiming(Timing):
    """The row engine: one slot a word; T = log2 C levels of registered adders."""

    def __init__(self, machine: "MachineConfig") -> None:
        super().__init__(machine)
        self._back = 0

    @property
    def tree_latency(self) -> int:
        return (self.machine.lanes - 1).bit_length()

    @property
    def sum_latency(self) -> int:
        """Cycles from the slot of a row's last word to its sum: twice two to read, product, tree, shift, sum."""
        return 7 + self.tree_latency

    @property
    def back_latency(self) -> int:
        """Cycles from the slot of a row's last word to the first in which TRN and UPD can take it, after its error is
        stored."""
        return self.sum_latency + ERROR_LATENCY + 1

    @property
    def fifo_depth(self) -> int:
        """Words that can wait for their error: the longest row and the latency of its error."""
        return self.machine.max_columns + self.back_latency + 2

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Slots from the cycle after ``accept``; the back end takes a row's words one a cycle, not
        before its error is there and after those of all earlier rows."""
        columns, groups = block["columns"], block["groups"]
        first, slots = accept + 1, columns * groups
        last = first + slots - 1
        self.free = last
        self.idle = max(self.idle, last + self.sum_latency + NEURON_LATENCY)
        if flags & OPERAND_FLAGS:
            ready = first + columns - 1 + self.back_latency
            self._back = max(self._back + slots, ready + slots)
            self.idle = max(self.idle, self._back - 1 + WRITE_LATENCY)
        return slots


class ArrayTiming(Timing):
    """The array macro: one sweep at a time, in phases (n columns, G row groups):

        with weights   n + 2   map entries and activities into the column registers
        FWD            1       all rows fire
        always         G       a row group a cycle to the neuron unit
        TRN or UPD     7       the last errors come back
        TRN            1 + n   all columns fire, then a word a cycle to the feedback sums
        UPD            1       all weights are written
    """

    load_latency = 2
    """Cycles from the map address of a column to its activities."""

    convert_latency = 2
    """Cycles from the conversion of a row group to its sums at the neuron unit."""

    settle = convert_latency + ERROR_LATENCY
    """Cycles between the last conversion and the first that can use its errors."""

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """The phases follow each other from the cycle after ``accept``."""
        columns, groups = block["columns"], block["groups"]
        converted = accept + groups
        if flags.weights:
            converted += columns + self.load_latency + bool(flags & Sweep.FWD)
        last = converted
        if flags & OPERAND_FLAGS:
            last += self.settle + bool(flags & Sweep.UPD)
        if flags & Sweep.TRN:
            last += 1 + columns
        self.free = last
        self.idle = max(self.idle, converted + self.convert_latency + NEURON_LATENCY, last + 1)
        return last - accept


class AnalogTiming(ArrayTiming):
    """The analog macro: phases as those of the array macro, with inputs bit by bit and converters that search.

        with weights   n + 2                        map entries and activities into the column registers
        FWD            B t + 1                      B bits of t cycles on the columns, then the row lines are held
        always         G, with FWD G (R + 1)        a row group after R comparisons to the neuron unit
        TRN or UPD     7                            the last errors come back
        TRN            E t + 1 + n (K + 1)          E bits on the rows, then a word after K comparisons
        UPD            E + 1, stochastic 2 P + 1    bits of the errors, or P pulses for each sign; then the cells move
    """

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """The phases follow each other from the cycle after ``accept``."""
        m, control = self.machine, self.machine.analog.control
        columns, converted = block["columns"], accept
        if flags.weights:
            converted += columns + self.load_latency
        if flags & Sweep.FWD:
            converted += activity_drive_bits(m) * control.bit_cycles + 1
        converted += block["groups"] * (row_bits(m) + 1 if flags & Sweep.FWD else 1)
        last = converted
        if flags & OPERAND_FLAGS:
            last += self.settle
        if flags & Sweep.TRN:
            last += error_drive_bits(m) * control.bit_cycles + 1 + columns * (column_bits(m) + 1)
        if flags & Sweep.UPD:
            last += (2 * control.pulses if control.update == "stochastic" else error_drive_bits(m)) + 1
        self.free = last
        self.idle = max(self.idle, converted + self.convert_latency + NEURON_LATENCY, last + 1)
        return last - accept
