"""The watchdog: how long nothing has got on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .fixed import pipe

__all__ = ["Watchdog"]


class Watchdog(wiring.Component):
    """Counts cycles without progress.

    Latency: two cycles; ``expired`` is up in the second cycle behind the ``limit``-th quiet one, and while it stays
    quiet.

    Attributes
    ----------
    limit : Signal(32), in
        How many of them are too many; 0: none.
    quiet : Signal(1), in
        There is no progress in this cycle.
    expired : Signal(1), out
        The last ``limit`` cycles were quiet.
    """

    def __init__(self) -> None:
        super().__init__({"limit": In(32), "quiet": In(1), "expired": Out(1)})

    def elaborate(self, platform):
        m = Module()
        # It counts from 1, the cycle that is now, so that a comparison is all that is before the register.
        cycles = self._cycles = Signal(32, init=1)
        quiet = pipe(m, self.quiet, 1, "was_quiet", reset=True)[1]
        m.d.sync += [cycles.eq(Mux(quiet, cycles + 1, 1)),
                     self.expired.eq(quiet & (self.limit != 0) & (cycles >= self.limit))]
        return m
