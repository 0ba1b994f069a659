"""The analog macro at the pins of the simulated control: a comparison is answered in the cycle that asks."""

from cocotb.triggers import FallingEdge

from ..macro import PINS, Macro

__all__ = ["answer"]


async def answer(dut, macro: Macro) -> None:
    """Answer in the middle of every cycle: what is driven is settled, and ``compare`` is there before the next edge."""
    strobe, phase, compare = (getattr(dut, PINS + name) for name in ("strobe", "phase", "compare"))
    compare.value = 0
    while True:
        await FallingEdge(dut.clk)
        if strobe.value.is_resolvable and int(strobe.value):
            compare.value = macro.answer(int(phase.value), lambda name: int(getattr(dut, PINS + name).value))
