"""The stages of the row engine, which is two pipelines: one to the sum of a row, one from its error."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from hebbar.contract.effects import Access, Resource
from hebbar.contract.timing import ERROR_LATENCY, ROW_ACCESSES, WRITE_LATENCY, RowTiming

from .pipeline import check_latency

__all__ = ["Front", "Back"]


@dataclass(frozen=True)
class Front:
    """Where a word is on its way to the sum of its row, in cycles after its slot.

    slot      its map entry is read
    fetched   the entry is there
    entry     a register behind the memory: weights and activities are read
    loaded    both are there, lanes in use and identity columns are sorted out
    word      a register behind the memories: products; a word that feeds back or learns waits in a FIFO from here on
    product   the first levels of the adder tree
    tree      the last two terms of their sum, ``registers`` later: added, then shifted
    aligned   it is added to the row
    row_sum   the sum of the row is there: behind its last word it goes to the neuron unit
    error     the error of the row comes back; its first word leaves with it, unless others are before it
    """

    registers: int
    slot: ClassVar[int] = 0
    fetched: ClassVar[int] = 1
    entry: ClassVar[int] = 2
    loaded: ClassVar[int] = 3
    word: ClassVar[int] = 4
    product: ClassVar[int] = 5

    @property
    def tree(self) -> int:
        """Behind the last register of the adder tree."""
        return self.product + self.registers

    @property
    def aligned(self) -> int:
        """A register behind the shift."""
        return self.tree + 1

    @property
    def row_sum(self) -> int:
        """A register behind the addition."""
        return self.aligned + 1

    @property
    def error(self) -> int:
        """The neuron unit has answered."""
        return self.row_sum + ERROR_LATENCY


class Back(IntEnum):
    """Where a word is in TRN and UPD.

    LEAVE     a word and the error of its row leave their FIFOs
    TAKE      a register behind these: products
    PRODUCT   TRN adds them over the rows, UPD shifts them by the rate, rounds and adds to the weights
    WRITE     feedback sums are added to; UPD clips the weights and writes them
    """

    LEAVE = 0
    TAKE = 1
    PRODUCT = 2
    WRITE = 3


check_latency("WRITE_LATENCY", WRITE_LATENCY, len(Back))
check_latency("RowTiming.word_latency", RowTiming.word_latency, Front.entry - Front.slot)
check_latency("ROW_ACCESSES of a base that is read", ROW_ACCESSES[Access.READ, Resource.BASE],
              Front(0).tree - Front(0).row_sum)
