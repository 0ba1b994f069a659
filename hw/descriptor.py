"""The descriptor of a block: kept, measured and compared with the machine."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig

from .fields import descriptor, fits, room, span
from .fixed import named, pipe

__all__ = ["Descriptor"]


class Descriptor(wiring.Component):
    """Whether a block fits, and how many rows it has.

    Latency from ``block`` to ``kept``: 1 cycle, to ``fits`` and ``rows``: DESCRIPTOR_LATENCY of
    ``hebbar.contract.timing``; memory, multiplier and comparisons have a cycle each. ``block`` stays for that long.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories and units.

    Attributes
    ----------
    block : Signal(128), in
        The descriptor as the memory shows it.
    weights : Signal(1), in
        It is to be used with weights and map; stays until ``fits`` is taken.
    kept : Signal(128), out
        The descriptor a cycle later.
    fits : Signal(1), out
        It lies in the machine.
    rows : Signal(range(machine.separation + 1)), out
        Its rows as a population, 0 if they are more than the separation unit takes.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__({"block": In(128), "weights": In(1), "kept": Out(128), "fits": Out(1),
                          "rows": Out(range(machine.separation + 1))})

    def elaborate(self, platform):
        m, machine, b = Module(), self.machine, descriptor(self.kept)
        values = {"words": span(b), "most": room(b, machine), "others": fits(b, self.weights, machine)}
        # The descriptor stands still from the cycle after it is read until it is used, so no stage keeps a copy.
        words, most, others = (pipe(m, named(m, value, name), 1, name)[1] for name, value in values.items())
        m.d.sync += [self.kept.eq(self.block), self.fits.eq(others & (~self.weights | (words <= most)))]
        if machine.separation:
            count = pipe(m, (b["groups"] - 1) * machine.row_tiles + b["last_rows"], 1, "count")[1]
            m.d.sync += self.rows.eq(Mux(count > machine.separation, 0, count))
        return m
