"""The timing table against the ports of the memories in the RTL, cycle by cycle, for every operation and flag set.

What the compiler and the scoreboard know of overlapping sweeps is this table alone: an access that is later than it
says would be overtaken, and no program of today, which drains, would show it.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from amaranth.sim import Simulator
from helpers import LEGAL, machine

from hebbar.contract import timing
from hebbar.contract.access_times import access_times
from hebbar.contract.effects import Access, Resource
from hebbar.contract.isa import OPERAND_FLAGS, Op, Sweep, encode
from hebbar.contract.memories import BLOCK, MAP, Mem, unpack
from hebbar.contract.registers import Control
from hebbar.verify.random_code import Blocks
from hw.machine import Machine
from sim.backends.pysim import PysimHost
from sim.ports import ports_of

SIZES = {"weight_words": 60, "neuron_words": 20, "map_entries": 256, "blocks": 40, "program_words": 1024}
MACHINES = {
    "rows 1 x 4": SIZES, "rows 2 x 4": SIZES | {"row_tiles": 2, "integral": True},
    "rows 2 x 8": SIZES | {"lanes": 8, "row_tiles": 2},
    "rows 2 x 8, passes of 4 rows": SIZES | {"lanes": 8, "row_tiles": 2, "neuron_rows": 4, "integral": True},
    "array 2 x 4": SIZES | {"tile": "array", "row_tiles": 2, "weight_words": 48},
    "analog 2 x 4": SIZES | {"tile": "analog", "row_tiles": 2, "weight_words": 48}}
FLAG_SETS = {name: LEGAL[i::4] for i, name in enumerate(MACHINES)} | {"array 2 x 4": LEGAL[::10],
                                                                      "analog 2 x 4": LEGAL[::40]}
FLAG_SETS["rows 2 x 4"] += [f | Sweep.INTEGRATE for f in FLAG_SETS["rows 2 x 4"][::3]]
"""Every flag set runs on a row engine, some of them on the tiles whose sweeps take longer."""


@dataclass
class Taken:
    """A sweep that the tile took in ``cycle``; ``drained``: nothing was in flight."""

    cycle: int
    number: int
    flags: Sweep
    drained: bool


def observed(config, blocks, sweeps):
    """Run ``sweeps``, (block, flags, whether to drain before); the sweeps as they are taken, and the ports by cycle."""
    unit, taken, cycles = Machine(config), [], []
    words = [w for number, flags, drain in sweeps for w in (
        [encode(Op.WAIT)] * drain + [encode(Op.SWEEP, block=number, flags=int(flags))])]
    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    host, ports = PysimHost(simulator, unit, 0.0, 0), ports_of(unit)

    def put(ctx, mem, values):
        for i, value in enumerate(values):
            ctx.set(unit.banks[mem].memory.data[i], value)

    async def bench(ctx):
        host.ctx = ctx
        put(ctx, Mem.PROGRAM, [[w] for w in (*words, encode(Op.HALT))])
        put(ctx, Mem.MAP, [[w] for w in blocks.maps])
        put(ctx, Mem.BLOCK, [[b >> 32 * i & 0xFFFFFFFF for i in range(4)] for b in blocks.words])
        await host.set("control", Control.START)
        await host.halted()

    async def watch(ctx):
        orders = iter(sweeps)
        signals = [s for p in ports.values() for s in (p.enable, p.address, *p.reads)]
        async for _, _, valid, ready, clearing, *values in ctx.tick().sample(
                unit.sequencer.sweep.valid, unit.sequencer.sweep.ready, unit.sequencer.hold, *signals):
            if valid and ready:
                number, flags, drain = next(orders)
                taken.append(Taken(len(cycles), number, flags, drain or not taken))
            at, seen = 0, {}
            for resource, p in ports.items():
                enable, address, *reads = values[at:at + 2 + len(p.reads)]
                seen[resource] = address if enable and not clearing else None, reads
                at += 2 + len(p.reads)
            cycles.append(seen)

    simulator.add_testbench(bench)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return taken, cycles


def delays(config, blocks, taken):
    """By how much words of the sweeps since the last WAIT may hold a sweep up."""
    longest = 0
    for one in taken:
        columns = unpack(BLOCK, blocks.words[one.number])["columns"]
        longest = 0 if one.drained else longest
        longest = max(longest, columns) if one.flags & OPERAND_FLAGS else longest
        yield 0 if config.kind.array else max(longest - columns, 0)


def check(config, blocks, taken, cycles):
    """Every read of the table is at a port in its cycle; writes are those of the table, in its order and cycles."""
    tile, writes, seen = config.kind.timing(config), defaultdict(deque), 0
    for one, delay in zip(taken, delays(config, blocks, taken), strict=True):
        b = unpack(BLOCK, blocks.words[one.number])
        entries = [unpack(MAP, e) for e in blocks.maps[b["map_base"]:b["map_base"] + b["columns"]]]
        for t in access_times(tile, b, entries, one.flags, delay):
            if t.resource not in cycles[0] or (config.kind.array and t.resource is Resource.WEIGHT):
                continue
            if t.access is Access.READ:
                assert t.first == t.last and t.word in cycles[one.cycle + t.first][t.resource][1], (one, t)
            else:
                writes[t.resource].append((t.word, one.cycle + t.first, one.cycle + t.last, one, t))
            seen += 1
    for resource in cycles[0]:
        expected = writes[resource]
        for cycle, word in ((c, s[resource][0]) for c, s in enumerate(cycles) if s[resource][0] is not None):
            assert expected, f"a write of {resource} word {word} in cycle {cycle} that nothing asks for"
            wanted, first, last, one, t = expected.popleft()
            assert word == wanted and first <= cycle <= last, (resource, word, cycle, one, t)
        assert not expected, f"{len(expected)} writes of {resource} never come"
    return seen


@cache
def case(name):
    """A machine, its blocks, and what is observed of sweeps with every flag set of its own, a third after a WAIT."""
    rng, config = Random(name), machine(**MACHINES[name])
    blocks = Blocks(config, rng)
    for rows in (1, 2, 5, 7):
        for columns in (1, 2, 3, 6):
            blocks.draw(rows, columns)
    sweeps = [(rng.randrange(len(blocks.words)), flags, rng.random() < 0.3) for flags in FLAG_SETS[name]]
    return config, blocks, *observed(config, blocks, sweeps)


@pytest.mark.parametrize("name", MACHINES)
def test_every_access_is_in_the_cycle_of_the_table(name):
    taken = case(name)[2]
    assert len(taken) == len(FLAG_SETS[name]) and any(b.cycle - a.cycle < 12 for a, b in pairwise(taken))
    assert check(*case(name)) > 300


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("access, resource", timing.ROW_ACCESSES)
def test_a_row_that_is_stated_a_cycle_off_is_found(monkeypatch, access, resource, by):
    """Without it the check above could look at ports that hold still."""
    stated = timing.ROW_ACCESSES[access, resource]
    monkeypatch.setitem(timing.ROW_ACCESSES, (access, resource), stated + by)
    with pytest.raises(AssertionError):
        check(*case("rows 2 x 4"))


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("name, kind, latency", [
    ("rows 2 x 4", timing.RowTiming, "word_latency"), ("rows 2 x 4", timing, "WRITE_LATENCY"),
    ("rows 2 x 4", timing, "ERROR_LATENCY"), ("array 2 x 4", timing.ArrayTiming, "load_latency"),
    ("array 2 x 4", timing.ArrayTiming, "convert_latency"), ("array 2 x 4", timing.ArrayTiming, "settle")])
def test_a_latency_that_is_a_cycle_off_is_found(monkeypatch, name, kind, latency, by):
    case(name)  # whose hardware is built of the true latencies
    monkeypatch.setattr(kind, latency, getattr(kind, latency) + by)
    with pytest.raises(AssertionError):
        check(*case(name))
