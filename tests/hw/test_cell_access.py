"""Cells of an analog macro on the stream: an access that is abandoned must not go on by itself.

The memory of weights stays the host's while the machine is halted, so nothing but the request itself says that it
ended: a cell that is written once more after a STOP would be wrong by what the next packet brings.
"""

import pytest
from helpers import machine, simulate

from hebbar.contract.pins import MacroOp
from hw.cell_access import CellAccess

CONFIG = machine(tile="analog", row_tiles=2, weight_words=66, analog={"control": {"verify": 2}})
LOOK = 3 + CONFIG.weight_bits
"""Cycles of a look at the cells."""


@pytest.mark.parametrize("asked, whole", [("write", 1 + 3 * LOOK), ("read", LOOK)])
def test_an_abandoned_access_ends_at_once(asked, whole):
    """In whichever cycle it is abandoned; a whole one then takes what it should: two rewrites, so three looks."""
    unit = CellAccess(CONFIG)
    request = getattr(unit.host, asked)

    async def access(ctx, most):
        """Ask for so many cycles, or until it happens; returns how many that were."""
        cycles = 0
        ctx.set(request, 1)
        while cycles < most and not ctx.get(unit.host.ready):
            await ctx.tick()
            cycles += 1
        ctx.set(request, 0)
        await ctx.tick()
        return cycles

    async def check(ctx):
        ctx.set(unit.host.select, 1)
        ctx.set(unit.host.beat, 0x0102_0304)  # nothing that is read back is near: every attempt is made
        for most in range(1, whole):
            await access(ctx, most)
            for _ in range(3):
                assert not ctx.get(unit.busy) and not ctx.get(unit.strobe), most
                assert ctx.get(unit.phase) != MacroOp.WRITE
                await ctx.tick()
        assert await access(ctx, 10 * whole) == whole

    simulate(unit, check)
