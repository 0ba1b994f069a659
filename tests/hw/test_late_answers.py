"""How long the bus and the counters behind it keep a host waiting, against what the register map says."""

from dataclasses import dataclass, field
from pathlib import Path

from amaranth.hdl import Module
from helpers import simulate

from hebbar.contract.counters import UNATTENDED, WORK
from hebbar.contract.registers import COUNTERS_WAIT, REGISTERS, Control, counter_address
from hw.bus import Bus
from hw.counters import Counters

DOCS = Path(__file__).parents[2] / "docs"
AFTER = 180
"""Cycles in which all that was asked must be answered."""


def connected():
    """Bus and counters as the machine connects them."""
    m, bus, unit = Module(), Bus(), Counters(dict.fromkeys(WORK, 1))
    m.submodules.bus, m.submodules.unit = bus, unit
    m.d.comb += [unit.latch.eq((bus.control & Control.LATCH).any()), unit.clear.eq((bus.control & Control.START).any()),
                 bus.counting.eq(unit.counting), unit.read.eq(bus.counter_read), unit.index.eq(bus.counter_index),
                 bus.counter.eq(unit.value), bus.counter_ready.eq(unit.ready), bus.startable.eq(1)]
    return m, bus, unit


@dataclass
class Host:
    """Writes and reads at given cycles, and how long each waits for its answer."""

    ctx: object
    bus: Bus
    waits: dict[str, list[int]] = field(default_factory=lambda: {"b": [], "r": []})

    async def run(self, writes, reads, cycles):
        ctx, since = self.ctx, {}
        for cycle in range(cycles):
            if cycle in writes:
                ctx.set(self.bus.s_axil_awvalid, 1)
                ctx.set(self.bus.s_axil_wvalid, 1)
            if cycle in reads:
                ctx.set(self.bus.s_axil_arvalid, 1)
            for answer in list(since):
                if ctx.get(getattr(self.bus, f"s_axil_{answer}valid")):
                    self.waits[answer].append(cycle - since.pop(answer) - Bus.latency)
            taken = [answer for answer, request in (("b", "aw"), ("r", "ar")) if all(
                ctx.get(getattr(self.bus, f"s_axil_{request}{end}")) for end in ("valid", "ready"))]
            await ctx.tick()
            for answer in taken:
                since[answer] = cycle
                for request in ("aw", "w") if answer == "b" else ("ar",):
                    ctx.set(getattr(self.bus, f"s_axil_{request}valid"), 0)
        assert not since, "an answer does not come"


def test_start_latch_and_counters_are_answered_in_the_time_stated():
    """The longest waits are of a write that finds a read under way, then a round that the counters begin by themselves,
    then the next read. A driver that gives up after the stated time would take the machine for dead."""
    m, bus, unit = connected()
    waits = {"b": [], "r": []}

    async def bench(ctx):
        for name, value in {"bready": 1, "rready": 1, "wstrb": 15, "araddr": counter_address(3),
                            "awaddr": REGISTERS["control"].address, "wdata": Control.START | Control.LATCH}.items():
            ctx.set(getattr(bus, f"s_axil_{name}"), value)
        host = Host(ctx, bus, waits)
        for second in range(UNATTENDED - 5, UNATTENDED + 3):
            for read in range(second - 2, second + 1):
                for other in range(second + 76, second + 83, 2):
                    ctx.set(unit.causes, 0)
                    while ctx.get(unit.counting):
                        await ctx.tick()
                    ctx.set(unit.causes, 1)
                    await host.run({0, second}, {read, other}, second + AFTER)
        for read in range(1, 90):  # after a LATCH
            ctx.set(unit.causes, 0)
            await host.run({0, 4}, {read}, 90 + AFTER)

    simulate(m, bench)
    assert 80 < max(waits["b"]) <= COUNTERS_WAIT and 80 < max(waits["r"]) <= COUNTERS_WAIT, waits
    assert min(waits["b"]) == 0


def test_the_manuals_say_how_long_that_may_be():
    """A time-out is set by what the manual says."""
    said = f"up to {COUNTERS_WAIT} cycles"
    assert said in Control.__doc__ and said in (DOCS / "integrate.md").read_text().replace("\n ", "")
