"""The array macro: a crossbar whose rows all fire at once, with digital control around it."""

from amaranth.hdl import Const, Module, Value
from amaranth.lib import wiring

from hebbar.contract.isa import OPERAND_FLAGS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.timing import ArrayTiming

from .crossbar import Crossbar
from .fields import asks
from .phase_control import Phase, PhaseControl
from .tile import TileSignature

__all__ = ["ArrayMacro"]


class ArrayMacro(wiring.Component):
    """FWD, TRN and UPD of a whole block at once; a word and a row group a cycle at its edges.

    A sweep of n columns and G row groups walks through these phases, those it has flags for:

    * ``load``, n + 2 cycles: map entries and activities into the column registers;
    * ``fire``, FWD: all row sums; ``convert``, G cycles: a row group a cycle to the neuron unit;
    * ``settle``, TRN or UPD: the last errors arrive; ``feed``, TRN: all column sums;
    * ``back``, TRN, n cycles: a word a cycle to the feedback sums; ``learn``, UPD: all weights.

    A sweep without weights only converts. The next sweep is accepted in the last cycle of a sweep.
    Cycles: ``hebbar.contract.timing.ArrayTiming``. ``weight_base`` names a cell word (row group times
    ``array_stride`` plus column); cells that a block would have outside the array do not exist. There
    are no identity columns: one with ``lanes`` 0 adds nothing and learns nothing.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes and the size of the array.

    Attributes
    ----------
    * : see hw.tile.TileSignature
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.timing = machine, ArrayTiming(machine)
        super().__init__(TileSignature(machine))

    def elaborate(self, platform):
        m = Module()
        m.submodules.crossbar = self._array = array = Crossbar(self.machine)
        wiring.connect(m, wiring.flipped(self.host), array.host)
        control = PhaseControl(self.machine, self.timing, self, array)

        def take_sums(group: Value) -> None:
            with m.Switch(group):
                for g, sums in enumerate(array.sums):
                    with m.Case(g):
                        m.d.sync += control.sums.eq(sums)

        control.build(m, self._phases(control), take_sums, list(array.backs))
        return m

    def _phases(self, control: PhaseControl) -> list[Phase]:
        flags, command, t = control.flags, control.command, self.timing
        later, trn, upd = (asks(flags, f) for f in (OPERAND_FLAGS, Sweep.TRN, Sweep.UPD))
        return [Phase("load", Const(1), command.columns + t.load_latency), Phase("fire", asks(flags, Sweep.FWD), 1),
                Phase("convert", Const(1), command.groups), Phase("settle", later, t.settle), Phase("feed", trn, 1),
                Phase("back", trn, command.columns), Phase("learn", upd, 1)]

    def image(self, ctx) -> list[list[int]]:
        """The weights in an Amaranth simulation, word by word."""
        return [[ctx.get(weight) for weight in word] for word in self._array.words]
