"""Sweeps without weights over W rows a cycle: which rows, in how many cycles, and that no bit depends on it."""

from itertools import product

import numpy as np
import pytest
from amaranth.sim import Simulator
from helpers import machine, random_samples

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep
from hebbar.contract.registers import build
from hw.walk import Walk
from sim.backends import fast, golden
from sim.write_hashes import compared

SIZES = {"lanes": 8, "row_tiles": 2, "weight_words": 64, "neuron_words": 3, "max_columns": 2}


def walked(unit, sweeps):
    """Of each sweep the rows in use by turn, as the last column of a turn shows them: numbers of neurons."""
    found = [[] for _ in sweeps]
    simulator = Simulator(unit)
    simulator.add_clock(1e-8)

    async def bench(ctx):
        at = -1
        for number in range(len(sweeps) + 1):
            if number < len(sweeps):
                for name, value in ({"columns": 1, "stride": 1} | sweeps[number]).items():
                    ctx.set(unit.sweep.payload[name], int(value))
            ctx.set(unit.sweep.valid, number < len(sweeps))
            while True:
                if at >= 0 and ctx.get(unit.active) and ctx.get(unit.last):
                    found[at].append((ctx.get(unit.tag.group), ctx.get(unit.tag.valid_rows)))
                taken = ctx.get(unit.sweep.ready)
                await ctx.tick()
                if taken:
                    break
            at = number

    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("wide", [2, 4, 8])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_sweep_reaches_every_row_of_its_block_once(wide, columns):
    """Every first row group, number of groups and of rows in the last one: with weights P rows in each turn, without
    them all that a word of W has of the block."""
    config = machine(**SIZES, neuron_rows=wide)
    tiles, parts = config.row_tiles, wide // config.row_tiles
    sweeps = [{"flags": flags, "group_base": base, "groups": groups, "last_rows": last, "columns": columns}
              for flags, base, groups, last in product(
                  (Sweep.FWD, Sweep.ACT), range(config.groups), range(1, config.groups + 1), (1, 2))
              if base + groups <= config.groups]
    for sweep, turns in zip(sweeps, walked(Walk(config), sweeps), strict=True):
        first = sweep["group_base"] * tiles
        rows = range(first, first + (sweep["groups"] - 1) * tiles + sweep["last_rows"])
        words = [(group // parts * wide, mask) for group, mask in turns]
        reached = [word + i for word, mask in words for i in range(wide) if mask >> i & 1]
        assert reached == list(rows), sweep
        spans = {row // (tiles if sweep["flags"] is Sweep.FWD else wide) for row in rows}
        assert len(turns) == len(spans), sweep


@pytest.mark.parametrize("rows", [4, 8])
def test_a_pass_takes_the_first_row_group_of_each_word(rows):
    """Wherever a block begins in a word: as many turns as it reaches words of W rows, each at the first group there."""
    machine = load("digits").replace(machine={"neuron_rows": rows}).machine
    timing, parts = machine.kind.timing(machine), rows // machine.row_tiles
    for base, groups in ((base, groups) for base in range(2 * parts) for groups in range(1, 3 * parts)):
        firsts = {(base + g) // parts: g for g in reversed(range(groups))}
        block = {"group_base": base, "groups": groups}
        assert list(timing.row_groups(block, Sweep.STEP)) == sorted(firsts.values())
        assert list(timing.row_groups(block, Sweep.FWD)) == list(range(groups))


@pytest.mark.parametrize("rows, why", [(3, "a power of two"), (1, r"row_tiles \(2\)"), (16, r"lanes \(8\)")])
def test_rows_that_are_no_part_of_a_word_are_refused(rows, why):
    with pytest.raises(BadInput, match=rf"neuron_rows is {rows}; .*{why}"):
        machine(**SIZES, neuron_rows=rows)


def test_a_tile_that_hands_over_row_groups_alone_is_refused():
    with pytest.raises(BadInput, match=r"neuron_rows is 4; tile 'array' hands over machine\.row_tiles"):
        machine(tile="array", lanes=4, row_tiles=2, weight_words=48, neuron_rows=4)


def test_a_build_is_another_one_only_where_a_word_is_wider():
    """A program of one has addresses and gaps that are wrong for the other; as many as there are row tiles is what no
    key at all says."""
    builds = [build(machine(**SIZES, neuron_rows=rows)) for rows in (0, 4, 8)]
    assert len(set(builds)) == 3 and build(machine(**SIZES)) == builds[0]


@pytest.mark.parametrize("schedule", ["drained", "chained", "pipelined"])
def test_no_bit_depends_on_how_wide_a_pass_is(schedule, models):
    """A training of tiny on the RTL of W = P and W = C: every write and every counter of work is the golden machine's,
    and each of four passes of 16 neurons takes 4 slots in place of 16."""
    config = load("tiny").replace(rule={"schedule": schedule})
    finals, passes = [], []
    for rows in (0, 4):
        program = compile_config(config.replace(machine={"neuron_rows": rows}))
        job = Job(program, "train", initial_image(program), random_samples(program, "train", 2, 3), steps=False,
                  hashes=True)
        library = fast.prepare(program, models, announce=False)
        want, got = golden.run(job), fast.run(job, library)
        found = compared(job, want, got, lambda job=job, library=library: fast.writes(job, library))
        assert not found.total_mismatches, found.first
        finals.append(got.final)
        passes.append(got.counters["bubbles"])
    np.testing.assert_array_equal(*finals)
    assert passes == [2 * 4 * 16, 2 * 4 * 4]
