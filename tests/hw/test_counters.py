"""Counters: the RTL's totals against a running sum, the golden work against counting one by one.

Every claim of this project about work and energy is a counter; a counter that is off by one cycle at
a clear, or counts padding as work, changes published numbers and nothing else.
"""

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from helpers import LEGAL, layered, simulate

from golden.array_macro import ArrayMacro
from golden.counters import Counters as GoldenCounters
from golden.machine import Machine
from golden.neuron import Saturations
from golden.row_engine import RowEngine
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CAUSES, COUNTERS, CYCLES, HOST, ISSUE_SETS, WORK
from hebbar.contract.formats import Format
from hebbar.contract.isa import Sweep
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, pack
from hw.counters import Counters as HwCounters

WIDTHS = [dict.fromkeys(WORK, 1), {name: 1 + 19 * (i % 3) // 2 for i, name in enumerate(WORK)}]


@pytest.mark.parametrize("largest", [False, True], ids=["random", "largest"])
@pytest.mark.parametrize("widths", WIDTHS, ids=["bits", "mixed"])
def test_hw_totals_follow_what_is_counted(widths, largest):
    """Against a plain sum: what is counted in the cycle of a clear or latch comes after it. Latches as often as they
    may come and seldom, and the largest addends in every cycle, at which a narrow register overflows. In the last third
    a latch comes while nothing is counted, and then none for longer than a register could count."""
    unit, rng = HwCounters(widths), Random(1)
    totals, latched, read = [0] * len(COUNTERS), [0] * len(COUNTERS), 0

    async def bench(ctx):
        nonlocal totals, latched, read
        await ctx.tick().until(~unit.counting)
        for cycle in range(6000):
            top, rare = [(1 << width) - 1 for width in unit.widths.values()], cycle >= 4000
            quiet = rare and cycle % 400 < 40
            add = [0 if quiet else t if largest else rng.choice((0, 1, rng.randrange(t + 1), t)) for t in top]
            # The largest that one of many can count is all of them.
            which, cause = ((cycle // 1500, cycle // 1500 + 4) if largest else
                            (rng.randrange(len(ISSUE_SETS)), rng.randrange(len(CAUSES))))
            visits, runs = (not quiet and (largest or rng.random() < 0.7) for _ in range(2))
            free = not ctx.get(unit.counting) and not ctx.get(unit.read)
            latch = free and (quiet and cycle % 400 > 5 if rare else rng.random() < (1, 0.1)[cycle // 2000])
            clear = free and not rare and rng.random() < (0.5 if latch else 0.01)
            if ctx.get(unit.read) and ctx.get(unit.ready):
                assert ctx.get(unit.value) == latched[ctx.get(unit.index)], cycle
                read += 1
                ctx.set(unit.read, 0)
            elif not ctx.get(unit.read):
                ctx.set(unit.index, rng.randrange(len(COUNTERS)))
                ctx.set(unit.read, rng.random() < 0.5)
            for name, value in {"add": dict(zip(WORK, add, strict=True)), "visits": visits, "set": which,
                                "causes": runs << cause, "clear": clear, "latch": latch}.items():
                ctx.set(getattr(unit, name), value)
            await ctx.tick()
            latched = totals if latch else latched
            add = [visits and i == which for i in range(len(ISSUE_SETS))] + add + [
                runs and i == cause for i in range(len(CAUSES))]
            totals = [(0 if clear else t) + a for t, a in zip(totals, add, strict=True)]

    simulate(unit, bench)
    assert read > 300


def test_hw_counts_for_as_long_as_it_says():
    """LATCH, START and reads wait for so long; a reset zeroes totals and latched totals, whatever the memory holds."""
    reset, read = Signal(), []
    unit = HwCounters(WIDTHS[0])

    async def bench(ctx):
        async def quiet():
            cycles = 0
            while ctx.get(unit.counting):
                cycles += 1
                await ctx.tick()
            return cycles

        for strobe in (None, "latch", "clear", None):
            if strobe:
                ctx.set(getattr(unit, strobe), 1)
                await ctx.tick()
                ctx.set(getattr(unit, strobe), 0)
            else:
                for address in range(128):
                    ctx.set(unit._totals.data[address], 0xDEAD_BEEF_0BAD_CAFE)
                for tally in (unit._sets, unit._causes):
                    for memory, at in product(tally._memories, range(tally.count)):
                        ctx.set(memory.data[at], 0xAD)
                ctx.set(reset, 1)
                await ctx.tick()
                ctx.set(reset, 0)
            assert 0 < await quiet() <= 2 * len(COUNTERS) + 4
        for index in range(len(COUNTERS)):
            ctx.set(unit.index, index)
            ctx.set(unit.read, 1)
            value, _ = await ctx.tick().sample(unit.value, unit.ready).until(unit.ready)
            read.append(value)

    simulate(ResetInserter(reset)(unit), bench)
    assert read == [0] * len(COUNTERS)


def test_names_are_unique_and_cover_all_kinds():
    """Two counters of one name would share a register."""
    assert (*ISSUE_SETS, *WORK, *CYCLES, *HOST) == COUNTERS
    assert len(set(COUNTERS)) == len(COUNTERS)


@pytest.mark.parametrize("tile", [RowEngine, ArrayMacro])
def test_golden_counts_weights_in_use_one_by_one(tile):
    """Padding lanes, padding rows, identity, unplastic and feedback-free columns are no work."""
    program = compile_config(layered([6, 5, 3], row_tiles=2))
    rng = Random(tile.__name__)
    for flags in LEGAL:
        columns = [{"source": rng.randrange(4), "lanes": rng.randrange(5), "shift": 0, "rate": 0,
                    "feedback": rng.randrange(2), "overwrite": 0, "plastic": rng.randrange(2),
                    "diagonal": 0, "positive": rng.randrange(2)} for _ in range(rng.randrange(1, 4))]
        groups, last_rows = rng.randrange(1, 4), rng.randrange(1, 3)
        block = pack(BLOCK, "block", weight_base=0, stride=len(columns), map_base=0, columns=len(columns), function=0,
                     precision=UNIT_PRECISION, align=0, group_base=8, groups=groups, last_rows=last_rows)
        golden = Machine(replace(program, blocks=(block,),
                                 maps=tuple(pack(MAP, "map", **c) for c in columns)))
        golden.tile = tile(golden.config)
        golden.sweep(0, flags, 0)
        rows, expected = (groups - 1) * 2 + last_rows, dict.fromkeys(WORK, 0)
        for column in columns:
            for _ in range(rows * column["lanes"]):
                fwd, trn, upd = (bool(flags & f) for f in (Sweep.FWD, Sweep.TRN, Sweep.UPD))
                expected["mac_fwd"] += fwd
                expected["mac_trn"] += trn and column["feedback"]
                expected["mac_upd"] += upd and column["plastic"]
                expected["weight_writes"] += upd and column["plastic"]
                expected["weight_reads"] += (fwd or trn or upd) if tile is RowEngine else fwd + trn
        expected["steps"] = rows * bool(flags & (Sweep.STEP | Sweep.DELTA))
        expected["activations"] = rows * bool(flags & Sweep.ACT)
        assert golden.counters.read() == expected, flags


def test_golden_reports_every_place_that_clips():
    """Four clips in four places must not end up in one number."""
    saturations = Saturations.zero()
    for count, place in enumerate(("error", "state", "feedback", "weight"), 1):
        getattr(saturations, place)(np.full(count, 99), Format(4, 0))
    read = GoldenCounters(saturations).read()
    assert [read[f"sat_{p}"] for p in ("error", "state", "feedback", "weight")] == [1, 2, 3, 4]


def test_golden_counts_what_the_units_did():
    """Rows of every SEPARATE and EXITs that left: without it an early end would look like a fast machine."""
    counters = GoldenCounters(Saturations.zero())
    for rows in (3, 10):
        counters.separate(rows)
    counters.exit()
    assert (counters.read()["separations"], counters.read()["exits"]) == (13, 1)
