"""How long a tile is occupied by a sweep and when it reaches its memories, to the cycle: a statement for each kind of
tile, equal to its RTL.

A sweep is taken in cycle 0 of what is said of it. ``hebbar.contract.access_times`` makes one table of all of it."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .effects import Access, Resource
from .isa import OPERAND_FLAGS, Sweep
from .pins import activity_drive_bits, column_bits, error_drive_bits, row_bits

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["DESCRIPTOR_LATENCY", "ERROR_LATENCY", "FEEDBACK_LATENCY", "FETCH_LATENCY", "IDLE_LATENCY", "NEURON_LATENCY",
           "RANGE_LATENCY", "ROW_ACCESSES", "TABLE_LATENCY", "TREE_LEVELS", "WRITE_LATENCY", "AnalogTiming",
           "ArrayTiming", "RowTiming", "Timing"]

FETCH_LATENCY = 2
"""Cycles that an instruction waits for its word where the program does not go on behind the one before it."""

DESCRIPTOR_LATENCY = 3
"""Cycles that a SWEEP or SEPARATE waits, after its decoding, until its descriptor is known to fit."""

IDLE_LATENCY = 1
"""Cycles from the first one in which nothing is in flight to the one in which the sequencer knows it."""

RANGE_LATENCY = 3
"""Cycles that an IN or OUT waits before its first beat: its range is measured and compared."""

NEURON_LATENCY = 15
"""Cycles from a row's sum to the first one in which the neuron unit has let go of it."""

ERROR_LATENCY = 5
"""Cycles from a row's sum to the one in which its error is back at the tile."""

TABLE_LATENCY = 4
"""Cycles from a state to f or f' of it: table, entry, product, sum."""

WRITE_LATENCY = 4
"""Cycles from the one in which TRN and UPD take a word to the first in which its results are written."""

FEEDBACK_LATENCY = 1
"""Cycles from the one in which a tile has feedback sums to the one in which they are written."""

TREE_LEVELS = 2
"""Levels of the adder tree over the lanes in a cycle; its last level goes with the shift behind it."""

ROW_ACCESSES = {
    (Access.READ, Resource.BASE): -2, (Access.READ, Resource.STATE): 0, (Access.READ, Resource.CLAMP): 0,
    (Access.READ, Resource.FEEDBACK): 2, (Access.READ, Resource.ACTIVITY): 2, (Access.READ, Resource.ERROR): 3,
    (Access.READ, Resource.INTEGRAL): 3, (Access.WRITE, Resource.INTEGRAL): 5,
    (Access.WRITE, Resource.BASE): 1, (Access.WRITE, Resource.ERROR): 8, (Access.WRITE, Resource.STATE): 10,
    (Access.WRITE, Resource.ACTIVITY): NEURON_LATENCY - 1}
"""Cycles from a row's sum to the one in which the neuron unit reads or writes a memory for this row."""


class Timing(ABC):
    """When a tile can take the next sweep and when everything is done, as sweeps come in."""

    def __init__(self, machine: "MachineConfig") -> None:
        self.machine = machine
        self.free = 0
        """First cycle in which the next sweep can be accepted."""
        self.idle = 0
        """First cycle in which nothing is in flight."""

    def row_groups(self, block: dict[str, int], flags: Sweep) -> range | list[int]:
        """The row groups that reach the neuron unit one by one: all of a block, or, without weights, the first in each
        word of W rows."""
        groups, parts = range(block["groups"]), self.machine.parts
        if parts == 1 or flags.weights:
            return groups
        return [g for g in groups if g == 0 or (block["group_base"] + g) % parts == 0]

    @abstractmethod
    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Account for a sweep accepted in cycle ``accept``; returns its slots (busy cycles)."""

    @abstractmethod
    def row(self, block: dict[str, int], flags: Sweep, turn: int) -> int:
        """The cycle in which a row group, the one of this number among ``row_groups``, is at the neuron unit."""

    @abstractmethod
    def fetched(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        """The cycle in which the activities of a column are read for a row group."""

    @abstractmethod
    def fed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        """The cycle in which TRN adds to the feedback sums of a column, for a row group, when no earlier sweep holds it
        up."""

    @abstractmethod
    def weighed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> tuple[int, int]:
        """The first and the last cycle in which a weight word is read."""

    @abstractmethod
    def learnt(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        """The cycle in which UPD writes a weight word, when no earlier sweep holds it up."""


class RowTiming(Timing):
    """The row engine: one slot a word; log2 C levels of adders, TREE_LEVELS of them a cycle."""

    def __init__(self, machine: "MachineConfig") -> None:
        super().__init__(machine)
        self._back = 0

    @property
    def tree_latency(self) -> int:
        return -(-((self.machine.lanes - 1).bit_length() - 1) // TREE_LEVELS)

    @property
    def sum_latency(self) -> int:
        """Cycles from the slot of a row's last word to its sum: twice two to read, product, tree, shift, sum."""
        return 7 + self.tree_latency

    @property
    def back_latency(self) -> int:
        """Cycles from the slot of a row's last word to its error, with which TRN and UPD can take its first word."""
        return self.sum_latency + ERROR_LATENCY

    @property
    def fifo_depth(self) -> int:
        """Words that can wait for their error: the longest row and the latency of its error."""
        return self.machine.max_columns + self.back_latency + 2

    @property
    def error_depth(self) -> int:
        """Errors that can wait for their words. That of the longest row waits from its second word to its last, and in
        each of these cycles that of a row of one word may come, the last of them as the long row's error goes."""
        return self.machine.max_columns

    word_latency = 2
    """Cycles from the slot of a word to the one in which its weights and activities are read."""

    def slot(self, block: dict[str, int], group: int, column: int) -> int:
        """The cycle of the slot of a word."""
        return 1 + group * block["columns"] + column

    def row(self, block: dict[str, int], flags: Sweep, turn: int) -> int:
        return self.slot(block, turn, block["columns"] - 1) + self.sum_latency

    def fetched(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        return self.slot(block, group, column) + self.word_latency

    def weighed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> tuple[int, int]:
        return (self.fetched(block, flags, group, column),) * 2

    def fed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        taken = self.slot(block, group, block["columns"] - 1) + self.back_latency + column
        return taken + WRITE_LATENCY - 1 + FEEDBACK_LATENCY

    def learnt(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        return self.fed(block, flags, group, column) - FEEDBACK_LATENCY

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Slots from the cycle after ``accept``; the back end takes a row's words one a cycle, not
        before its error is there and after those of all earlier rows."""
        turns = len(self.row_groups(block, flags))
        slots = block["columns"] * turns
        self.free = accept + slots
        self.idle = max(self.idle, accept + self.row(block, flags, turns - 1) + NEURON_LATENCY)
        if flags & OPERAND_FLAGS:
            ready = accept + self.learnt(block, flags, 0, 0) - WRITE_LATENCY + 1
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

    back_latency = 1
    """Cycles from the one in which a column has its feedback sums, and names their word, to the one that adds them."""

    settle = convert_latency + ERROR_LATENCY
    """Cycles between the last conversion and the first that can use its errors."""

    def phases(self, block: dict[str, int], flags: Sweep) -> dict[str, tuple[int, int]]:
        """Steps of every phase, none where the sweep has no flag for it, and cycles of a step."""
        columns, trn = block["columns"], bool(flags & Sweep.TRN)
        return {"load": (columns + self.load_latency if flags.weights else 0, 1), "fire": (bool(flags & Sweep.FWD), 1),
                "convert": (block["groups"], 1), "settle": (self.settle if flags & OPERAND_FLAGS else 0, 1),
                "feed": (trn, 1), "back": (columns * trn, 1), "learn": (bool(flags & Sweep.UPD), 1)}

    def step(self, block: dict[str, int], flags: Sweep, phase: str, number: int = 0) -> int:
        """The last cycle of a step of a phase."""
        before = 0
        for name, (steps, cycles) in self.phases(block, flags).items():
            if name == phase:
                break
            before += steps * cycles
        return before + (number + 1) * cycles

    def row(self, block: dict[str, int], flags: Sweep, turn: int) -> int:
        return self.step(block, flags, "convert", turn) + self.convert_latency

    def fetched(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        return self.step(block, flags, "load", column + 1)

    def weighed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> tuple[int, int]:
        return self.step(block, flags, "load", block["columns"] + self.load_latency), self._last(block, flags)

    def fed(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        return self.step(block, flags, "back", column) + self.back_latency + FEEDBACK_LATENCY

    def learnt(self, block: dict[str, int], flags: Sweep, group: int, column: int) -> int:
        return self.step(block, flags, "learn")

    def _last(self, block: dict[str, int], flags: Sweep) -> int:
        return sum(steps * cycles for steps, cycles in self.phases(block, flags).values())

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """The phases follow each other from the cycle after ``accept``."""
        slots = self._last(block, flags)
        self.free = accept + slots
        row = self.row(block, flags, block["groups"] - 1)
        self.idle = max(self.idle, accept + row + NEURON_LATENCY, self.free + 1)
        if flags & Sweep.TRN:
            self.idle = max(self.idle, accept + self.fed(block, flags, 0, block["columns"] - 1))
        return slots


class AnalogTiming(ArrayTiming):
    """The analog macro: phases as those of the array macro, with inputs bit by bit and converters that search.

        with weights   n + 2                        map entries and activities into the column registers
        FWD            B t + 1                      B bits of t cycles on the columns, then the row lines are held
        always         G, with FWD G (R + 1)        a row group after R comparisons to the neuron unit
        TRN or UPD     7                            the last errors come back
        TRN            E t + 1 + n (K + 1)          E bits on the rows, then a word after K comparisons
        UPD            E + 1, stochastic 2 P + 1    bits of the errors, or P pulses for each sign; then the cells move
    """

    def phases(self, block: dict[str, int], flags: Sweep) -> dict[str, tuple[int, int]]:
        """As those of the array macro, with a step for every bit that is driven."""
        m, control, digital = self.machine, self.machine.analog.control, super().phases(block, flags)
        fwd, trn, upd = (bool(flags & f) for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD))
        moves = 2 * control.pulses if control.update == "stochastic" else error_drive_bits(m)
        return {"load": digital["load"], "columns": (activity_drive_bits(m) * fwd, control.bit_cycles),
                "fire": digital["fire"], "convert": (block["groups"], row_bits(m) + 1 if fwd else 1),
                "settle": digital["settle"], "rows": (error_drive_bits(m) * trn, control.bit_cycles),
                "feed": digital["feed"], "back": (block["columns"] * trn, column_bits(m) + 1),
                "update": (moves * upd, 1), "learn": digital["learn"]}
