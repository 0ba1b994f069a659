"""The energy sum: the errors of a run squared, and whether they still fall."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.machine import MachineConfig
from hebbar.contract.registers import ENERGY_BITS

from .fixed import named, pipe, tree
from .tile import Shapes

__all__ = ["EnergySum"]


class EnergySum(wiring.Component):
    """``sum = min(sum + sum_r e_r**2, 2**ENERGY_BITS - 1)``; EXIT compares it with the one before.

    EXIT takes E, the sum, and starts it anew. Armed it remembers E. Otherwise, when ``previous - E <
    tolerance`` it leaves and remembers nothing, else it remembers E. ``clear``: both are zero.

    An error squared is at most 2**(2 error_bits - 2), so a sum is exact while fewer than
    2**(ENERGY_BITS - 2 error_bits + 2) rows, 2**18 at 16 bits, were compared since the last EXIT.

    Latency: errors are in the sum ``latency`` cycles later. Throughput: a word of W rows a cycle. Multipliers:
    one a row.

    Parameters
    ----------
    machine : MachineConfig
        The format of errors and W rows of a word.

    Attributes
    ----------
    mask : Signal(W), in
        Rows whose errors count.
    errors : Signal(Shapes.error_words), in
        The errors that are written.
    clear : Signal(1), in
        The sum and the one that is remembered become 0.
    exit : Signal(1), in
        An EXIT takes the sum.
    arm : Signal(1), in
        It only remembers it.
    tolerance : Signal(32), in
        The fall below which it leaves.
    leave : Signal(1), out
        It leaves; the answer comes in the cycle of ``exit``.
    """

    latency = 2

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__({
            "mask": In(machine.pass_rows), "errors": In(Shapes(machine).error_words), "clear": In(1),
            "exit": In(1), "arm": In(1), "tolerance": In(32), "leave": Out(1)})

    def elaborate(self, platform):
        m = Module()
        energy = Signal(ENERGY_BITS)
        previous = Signal(ENERGY_BITS)
        squares = [pipe(m, Mux(self.mask[p], (e * e).as_unsigned(), 0), 1, f"square_{p}", reset=True)[1]
                   for p, e in enumerate(self.errors)]
        total = named(m, energy + tree(m, squares, "squares"), "total")
        m.d.comb += self.leave.eq(~self.arm & (previous - energy < self.tolerance))
        # Of several assignments the last counts: clear before exit, exit before the sum.
        m.d.sync += energy.eq(Mux(total[ENERGY_BITS:].any(), (1 << ENERGY_BITS) - 1, total))
        with m.If(self.exit):
            m.d.sync += energy.eq(0)
            with m.If(~self.leave):
                m.d.sync += previous.eq(energy)
        with m.If(self.clear):
            m.d.sync += [energy.eq(0), previous.eq(0)]
        return m
