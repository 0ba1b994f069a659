"""The stages of the row engine, which is two pipelines: one to the sum of a row, one from its error."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from hebbar.contract.timing import WRITE_LATENCY

from .pipeline import check_latency

__all__ = ["Front", "Back"]


@dataclass(frozen=True)
class Front:
    """Where a word is on its way to the sum of its row, in cycles after its slot.

    slot      its map entry is read
    entry     the entry is there: weights and activities are read
    word      both are there: products; a word that feeds back or learns waits in a FIFO from here on
    product   the first level of the adder tree
    tree      the sum of the products is there, ``levels`` later, and is added to the row
    row_sum   the sum of the row is there: behind its last word it goes to the neuron unit
    error     the error of the row comes back and is stored beside its words
    """

    levels: int
    slot: ClassVar[int] = 0
    entry: ClassVar[int] = 1
    word: ClassVar[int] = 2
    product: ClassVar[int] = 3

    @property
    def tree(self) -> int:
        """After the last level of the adder tree."""
        return self.product + self.levels

    @property
    def row_sum(self) -> int:
        """A register behind the tree."""
        return self.tree + 1

    @property
    def error(self) -> int:
        """The neuron unit answers in the next cycle."""
        return self.row_sum + 1


class Back(IntEnum):
    """Where a word is in TRN and UPD.

    TAKE      the first word and the first error of the FIFOs: products
    PRODUCT   TRN adds them over the rows, UPD rounds them
    WRITE     feedback sums are added to, weights are written
    """

    TAKE = 0
    PRODUCT = 1
    WRITE = 2


check_latency("WRITE_LATENCY", WRITE_LATENCY, len(Back))
