"""Counters: the RTL's totals against a running sum, the golden work against counting one by one.

Every claim of this project about work and energy is a counter; a counter that is off by one cycle at
a clear, or counts padding as work, changes published numbers and nothing else.
"""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from helpers import LEGAL, layered, simulate

from golden.array_macro import ArrayMacro
from golden.counters import Counters as GoldenCounters
from golden.machine import Machine
from golden.neuron import Saturations
from golden.row_engine import RowEngine
from hebbar.compiler import compile_config
from hebbar.counters import COUNTERS, CYCLES, HOST, ISSUE_SETS, WORK
from hebbar.formats import Format
from hebbar.isa import Sweep
from hebbar.memories import BLOCK, MAP, UNIT_PRECISION, pack
from hw.counters import Counters as HwCounters


def test_hw_totals_follow_the_addends():
    """Clear beats an addend of its cycle, latch shows the totals before its cycle's addend."""
    unit, rng = HwCounters(), Random(1)
    totals, latched = [0] * len(COUNTERS), [0] * len(COUNTERS)

    async def bench(ctx):
        nonlocal totals, latched
        for _ in range(300):
            add = [rng.choice([0, 1, rng.randrange(1 << 20), (1 << 20) - 1]) for _ in COUNTERS]
            clear, latch = rng.random() < 0.03, rng.random() < 0.2
            ctx.set(unit.add, add)
            ctx.set(unit.clear, clear)
            ctx.set(unit.latch, latch)
            await ctx.tick()
            latched = totals if latch else latched
            totals = [0] * len(add) if clear else [t + a for t, a in zip(totals, add, strict=True)]
            assert list(ctx.get(unit.values)) == latched

    simulate(unit, bench)


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
                    "feedback": rng.randrange(2), "fresh": 0, "plastic": rng.randrange(2),
                    "diagonal": 0, "positive": rng.randrange(2)} for _ in range(rng.randrange(1, 4))]
        groups, tail = rng.randrange(1, 4), rng.randrange(1, 3)
        block = pack(BLOCK, "block", weight_base=0, stride=len(columns), map_base=0, columns=len(columns), function=0,
                     precision=UNIT_PRECISION, align=0, group_base=8, groups=groups, tail=tail)
        golden = Machine(replace(program, blocks=(block,),
                                 maps=tuple(pack(MAP, "map", **c) for c in columns)))
        golden.tile = tile(golden.config)
        golden.sweep(0, flags, 0)
        rows, expected = (groups - 1) * 2 + tail, dict.fromkeys(WORK, 0)
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
