"""Random pulses whose rate is a number: the lines of the stochastic outer product."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.pulses import PROBABILITY_BITS, line_seed

__all__ = ["Pulses"]


class Pulses(wiring.Component):
    """``count`` lines; line i fires with ``probability[i] / 2**PROBABILITY_BITS`` in a cycle with ``draw``.

    Every line has a generator of its own (Marsaglia 2003, xorshift with 13, 17, 5) that moves on with ``draw``; the
    upper bits of its new value are compared. ``first``: number of the first line, for its seed. Latency: none.

    Parameters
    ----------
    count : int
        Lines.
    first : int
        Number of the first of them, for its seed.

    Attributes
    ----------
    draw : Signal(1), in
        A cycle in which lines may fire.
    probability : Signal(ArrayLayout(PROBABILITY_BITS + 1, self.count)), in
        The probability of each line, times 2**PROBABILITY_BITS.
    fires : Signal(self.count), out
        The lines that fire, in the same cycle.
    """

    def __init__(self, count: int, first: int) -> None:
        self.count, self.first = count, first
        probability = data.ArrayLayout(PROBABILITY_BITS + 1, count)
        super().__init__({"draw": In(1), "probability": In(probability), "fires": Out(count)})

    def elaborate(self, platform):
        m = Module()
        for i in range(self.count):
            state = Signal(32, init=line_seed(self.first + i), name=f"state_{i}")
            drawn = Signal(32, name=f"drawn_{i}")
            m.d.comb += [drawn.eq(self._next(m, state, i)),
                         self.fires[i].eq(self.draw & (drawn[-PROBABILITY_BITS:] < self.probability[i]))]
            with m.If(self.draw):
                m.d.sync += state.eq(drawn)
        return m

    @staticmethod
    def _next(m: Module, state: Signal, number: int) -> Value:
        for left in (13, -17, 5):
            moved = Signal(32, name=f"moved_{number}_{abs(left)}")
            m.d.comb += moved.eq(state ^ ((state << left)[:32] if left > 0 else state >> -left))
            state = moved
        return state
