"""UPD of one weight of the row engine: from its product of error and activity to the new weight."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data

from hebbar.contract.fifos import FINE_BITS, FINEST
from hebbar.contract.machine import MachineConfig

from .fixed import saturate
from .pipeline import staged
from .row_stages import Back

__all__ = ["Update"]


class Update:
    """What the weights of a word share in UPD.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles and C lanes.
    m : Module
        Where the logic goes.
    entry, row : View, in TAKE
        The map entry of the word; the errors and the tag of its row group.
    coarse : Value, in TAKE
        The high bits of the right shift of error times activity; the activity has been shifted for the low ones.
    """

    def __init__(self, machine: MachineConfig, m: Module, entry: data.View, row: data.View, coarse: Value) -> None:
        self._machine, self._m, self._entry, self._row = machine, m, entry, row
        coarse = staged(m, coarse, Back.TAKE, Back.PRODUCT, "coarse")[Back.PRODUCT]
        self._rate = Cat(Const(0, FINE_BITS), coarse)
        self._positive = staged(m, entry.positive, Back.TAKE, Back.WRITE, "positive")[Back.WRITE]

    def weight(self, weight: Value, product: Value, p: int, i: int) -> tuple[Value, Value]:
        """The new weight of row ``p`` and lane ``i`` in WRITE, and whether it is clipped.

        ``weight`` as it was read, in TAKE; ``product`` of error and activity in PRODUCT.
        """
        m, machine = self._m, self._machine
        old = staged(m, weight, Back.TAKE, Back.PRODUCT, f"old{p}_{i}")[Back.PRODUCT]
        change = product.shift_right(FINEST - 1) >> self._rate  # and one fraction bit
        neuron = Cat(Const(p, (machine.row_tiles - 1).bit_length()), self._row.tag.group)
        source = Cat(Const(i, (machine.lanes - 1).bit_length()), self._entry.source)
        own = staged(m, self._entry.diagonal & (neuron == source), Back.TAKE, Back.PRODUCT, f"own{p}_{i}")[Back.PRODUCT]
        change = Mux(own, 0, change).as_signed()
        # The weight stands left of the fraction bit and the half that rounds it: one addition for both.
        grown = (Cat(Const(1, 1), old).as_signed() + change).shift_right(1)
        grown = staged(m, grown, Back.PRODUCT, Back.WRITE, f"grown{p}_{i}")[Back.WRITE]
        return saturate(m, grown, machine.formats.weight, f"new{p}_{i}", self._positive)
