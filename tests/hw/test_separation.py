"""The separation unit: golden against rationals and against the real softmax, then the RTL against golden.

A share that is off by one unit, a second row that also counts as the largest, or a reciprocal with a
bit too few changes no shape and no sum that anyone would look at, only what a network learns.
"""

from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from math import floor
from random import Random

import numpy as np
import pytest
from helpers import clip, machine, simulate

from golden.neuron import Saturations
from golden.separation import Separation as GoldenSeparation
from hebbar.contract.exponentials import POWERS, SeparationTiming
from hebbar.contract.isa import Into, Mode
from hw.separation import Separation as HwSeparation

CONFIGS = {
    "wide": {"separation": 300},
    "narrow": {"separation": 21, "state_bits": 10, "state_frac": 6, "error_bits": 8, "weight_bits": 8, "weight_frac": 6,
               "row_tiles": 2},
    "no fraction of a sum": {"separation": 9, "row_tiles": 4, "weight_frac": 5, "weight_bits": 8, "activity_frac": 7},
    "fine": {"separation": 16, "state_frac": 15, "weight_frac": 15, "row_sum_bits": 53, "lanes": 8, "row_tiles": 8}}
LOG2_E = 369
"""log2 e with 8 fraction bits: the BETA register for beta = 1."""


def rnd(value):
    return floor(value + Fraction(1, 2))


def formula(f, sums, beta):
    """``hebbar.contract.exponentials`` in rationals; shares in codes."""
    one, powers = Fraction(1, 2**f.state.frac), []
    for s in sums:
        distance = min(rnd(Fraction(max(sums) - s, 2**f.row_sum.frac) / one), 2**24 - 1) * one
        exponent = Fraction(rnd(distance * Fraction(beta, 2**8) * 2**8), 2**8)
        octaves = floor(exponent)
        fraction = POWERS[int((exponent - octaves) * 2**8)]
        powers.append(floor(Fraction(fraction, 2**octaves)) if octaves < 24 else 0)
    reciprocal = floor(Fraction(2**40, sum(powers)))
    return [rnd(Fraction(p * reciprocal, 2**40) / one) for p in powers]


def populations(config, rng, count):
    """Row sums of populations of every kind: close, far, equal, at the ends of the format."""
    f, sizes = config.formats, [1, 2, config.separation - 1, config.separation]
    for _ in range(count):
        rows, unit = int(rng.choice([*sizes, rng.integers(1, config.separation + 1)])), 1 << f.row_sum.frac
        spread = rng.choice([1, unit // 16, unit, 8 * unit, f.row_sum.hi])
        sums = rng.integers(-spread, spread + 1, rows)
        sums = np.where(rng.random(rows) < rng.choice([0, 0.3]), rng.choice([sums.max(), 0]), sums)
        ends = rng.choice([f.row_sum.lo, f.row_sum.hi], rows)
        yield np.where(rng.random(rows) < rng.choice([0, 0, 0.2]), ends, sums)


def golden_of(config):
    saturations = Saturations.zero()
    return GoldenSeparation(config.formats, saturations), saturations


def test_powers_are_rounded_to_the_nearest():
    """A single wrong entry is one softmax in a few hundred off by a bit."""
    with localcontext() as context:
        context.prec = 60
        for i, value in enumerate(POWERS):
            exact = Decimal(2) ** (16 - Decimal(i) / 256) + Decimal("0.5")
            assert value == int(exact.to_integral_value(ROUND_FLOOR)), i
    assert len(POWERS) == 256 and POWERS[0] == 1 << 16 and POWERS[128] == 46341


@pytest.mark.parametrize("name", CONFIGS)
def test_golden_follows_the_formula(name):
    """One rounding each for distance, exponent and share, two floors, in rationals."""
    config, rng = machine(**CONFIGS[name]), np.random.default_rng(1)
    unit, _ = golden_of(config)
    for sums in populations(config, rng, 120):
        beta = int(rng.choice([0, 1, 37, LOG2_E, 5000, (1 << 16) - 1]))
        assert unit.softmax(sums, beta).tolist() == formula(config.formats, [int(s) for s in sums], beta)


def bound(beta, rows, frac):
    """How far a share may be from the real one.

    A distance is off by half a unit of a state and an exponent by half of 2**-8 octaves, so a power by the
    factor 1 + r and, with table and shift, 1.5 units more; a sum of n powers, 2**16 or more, by the same
    factor and 1.5 n units; the reciprocal adds 2**-24 and the last rounding half a unit of a state.
    """
    r = 2 ** (beta / 256 * 2.0 ** -(frac + 1) + 2.0**-9) - 1
    absolute = 1.5 * rows / 2**16
    return (2 * r + 1.5 / 2**16 + absolute) / (1 - r - absolute) + 2.0**-24 + 2.0 ** -(frac + 1)


@pytest.mark.parametrize("beta", [64, LOG2_E, 1000])
@pytest.mark.parametrize("rows", [2, 10, 300])
def test_the_shares_are_those_of_the_real_softmax(beta, rows):
    """The formula itself could be no softmax: a base for e, a sign, a binary point."""
    config, rng = machine(separation=300), np.random.default_rng(beta + rows)
    unit, f, worst = golden_of(config)[0], config.formats, 0.0
    limit = bound(beta, rows, f.state.frac)
    for spread in (0.1, 1, 4, 7.9):
        for _ in range(10):
            sums = rng.integers(*(round(side * spread * f.row_sum.scale) for side in (-1, 1)), rows)
            with localcontext() as context:
                context.prec = 40
                scale = Decimal(beta) / 256 / int(f.row_sum.scale)
                powers = [Decimal(2) ** (scale * int(s - sums.max())) for s in sums]
                exact = np.array([float(p / sum(powers)) for p in powers])
            worst = max(worst, np.abs(unit.softmax(sums, beta) / f.state.scale - exact).max())
    assert limit / 100 < worst <= limit, "the bound says something"


def test_with_beta_1_it_is_the_softmax_everybody_knows():
    """Without it beta could carry log2 e twice or not at all; 10 classes, within 1 / 250."""
    config, rng = machine(separation=10), np.random.default_rng(0)
    for _ in range(50):
        x = rng.normal(0, 1.5, 10)
        exact = np.exp(x) / np.exp(x).sum()
        sums = np.round(x * config.formats.row_sum.scale).astype(np.int64)
        found = golden_of(config)[0].softmax(sums, LOG2_E) / 4096
        assert np.abs(found - exact).max() < 1 / 250 and abs(found.sum() - 1) < 1 / 250


@pytest.mark.parametrize("beta", [0, LOG2_E, (1 << 16) - 1])
@pytest.mark.parametrize("rows", [1, 2, 7, 300])
def test_equal_sums_share_equally(beta, rows):
    """Closed form at every size: 1 / n, and exactly 1 alone, at both ends of the format too."""
    config = machine(separation=300)
    for level in (config.formats.row_sum.lo, -1, 0, config.formats.row_sum.hi):
        shares = golden_of(config)[0].softmax(np.full(rows, level), beta)
        assert shares.tolist() == [rnd(Fraction(4096, rows))] * rows


def test_beta_0_does_not_see_the_sums():
    """The other end of the annealing that beta is for."""
    config = machine(separation=5)
    shares = golden_of(config)[0].softmax(np.array([5, -(1 << 35), (1 << 35) - 1, 0, 77]), 1 << 16)
    assert shares.tolist() == [819] * 5, "and of a register only the low 16 bits count"


def test_max_takes_the_first_of_the_largest():
    """Two winners would be no winner-take-all; which of them wins must not depend on the row tiles."""
    config, rng = machine(separation=40), Random(3)
    for _ in range(200):
        sums = [rng.choice([-9, -8, -8, config.formats.row_sum.lo]) for _ in range(rng.randrange(1, 41))]
        shares = golden_of(config)[0].maximum(np.array(sums))
        assert shares.tolist() == [4096 * (i == sums.index(max(sums))) for i in range(len(sums))]


@pytest.mark.parametrize("name", CONFIGS)
def test_destinations_clip_and_count(name):
    """A share goes to three places; only what is clipped there is counted there."""
    config, rng = machine(**CONFIGS[name]), np.random.default_rng(5)
    f, (unit, saturations), counts = config.formats, golden_of(config), {"error": 0, "state": 0}
    for sums in populations(config, rng, 60):
        state = rng.integers(f.state.lo, f.state.hi + 1, sums.size)
        for mode in Mode:
            p = unit.softmax(sums, 99) if mode is Mode.SOFTMAX else unit.maximum(sums)
            for into, wide, where in ((Into.DIFFERENCE, state - p, "error"), (Into.ERROR, p, "error"),
                                      (Into.STATE, p, "state")):
                clipped = [clip(v, getattr(f, where).bits) for v in wide]
                counts[where] += sum(c for _, c in clipped)
                assert unit(sums, state, mode, into, 99).tolist() == [v for v, _ in clipped]
    assert counts == {n: getattr(saturations, n).count for n in counts} and counts["error"]
    assert bool(counts["state"]) == (f.state.hi < f.state.scale)


class _Bench:
    """The memories around hw.separation: every answer one cycle after its address."""

    def __init__(self, config, groups, rng):
        self.config, self.unit, self.cycles = config, HwSeparation(config), []
        f, shape = config.formats, (groups, config.row_tiles)
        self.base = rng.integers(f.row_sum.lo, f.row_sum.hi + 1, shape)
        self.state = rng.integers(f.state.lo, f.state.hi + 1, shape)
        self.error = rng.integers(f.error.lo, f.error.hi + 1, shape)
        self.counts = dict.fromkeys(("rows", "sat_error", "sat_state"), 0)

    async def world(self, ctx):
        u = self.unit
        signals = [u.group, *(getattr(u, n) for n in self.counts)]
        for port in (u.write_state, u.write_error):
            signals += [port.group, port.mask, port.data]
        async for _, _, group, *seen in ctx.tick().sample(*signals):
            group = min(group, len(self.base) - 1)
            ctx.set(u.base, self.base[group].tolist())
            ctx.set(u.state, self.state[group].tolist())
            for name, amount in zip(self.counts, seen, strict=False):
                self.counts[name] += amount
            for memory, (at, mask, values) in ((self.state, seen[3:6]), (self.error, seen[6:9])):
                for p in range(self.config.row_tiles if mask else 0):
                    if mask >> p & 1:
                        memory[at, p] = values[p]

    async def separate(self, ctx, mode, into, group, rows, beta):
        """Run one population and count the cycles."""
        u = self.unit
        ctx.set(u.beta, beta)
        ctx.set(u.command, {"mode": int(mode), "into": int(into), "group": group, "rows": rows})
        ctx.set(u.start, 1)
        assert not ctx.get(u.busy)
        await ctx.tick()
        ctx.set(u.start, 0)
        ctx.set(u.command, {"mode": 0, "into": 3, "group": 0, "rows": 1})
        cycles, done = 0, False
        while not done:
            _, _, done, busy = await ctx.tick().sample(u.done, u.busy)
            cycles += 1
            assert busy
        self.cycles.append(cycles)
        await ctx.tick()  # the last write is carried out by the world


@pytest.mark.parametrize("tiles", [1, 2, 4])
@pytest.mark.parametrize("name", CONFIGS)
def test_hw_equals_golden(name, tiles):
    """Sizes with and without a tail, both modes, every destination; neighbours stay, cycles are the formula."""
    config, rng = machine(**(CONFIGS[name] | {"row_tiles": tiles})), np.random.default_rng(tiles)
    groups = -(-config.separation // tiles) + 3
    bench, (twin, saturations) = _Bench(config, groups, rng), golden_of(config)
    jobs, total = [], 0
    for number, sums in enumerate(populations(config, rng, 40 if config.separation < 100 else 14)):
        group = int(rng.integers(0, groups + 1 - -(-sums.size // tiles)))
        jobs.append((Mode(number % 2 if number > 3 else 0), Into(number % 3), group, sums,
                     int(rng.choice([0, 1, 37, LOG2_E, LOG2_E, (1 << 16) - 1]))))

    async def check(ctx):
        nonlocal total
        for mode, into, group, sums, beta in jobs:
            live = slice(group * tiles, group * tiles + sums.size)
            bench.base.reshape(-1)[live] = sums
            expected = {n: getattr(bench, n).reshape(-1).copy() for n in ("state", "error")}
            values = twin(sums, expected["state"][live].copy(), mode, into, beta)
            expected["state" if into is Into.STATE else "error"][live] = values
            await bench.separate(ctx, mode, into, group, sums.size, beta)
            for memory, want in expected.items():
                assert getattr(bench, memory).reshape(-1).tolist() == want.tolist(), (memory, mode, into, sums, beta)
            total += sums.size

    simulate(bench.unit, check, bench.world)
    assert bench.cycles == [SeparationTiming().cycles(j[3].size, j[0]) for j in jobs]
    assert bench.counts == {"rows": total, "sat_error": saturations.error.count,
                            "sat_state": saturations.state.count}


@pytest.mark.parametrize("bit", range(16))
def test_every_bit_of_beta_weighs(bit):
    """A distance of 2**(8 - bit) under beta = 2**bit / 256 is one octave, so shares of 2/3 and 1/3; without the bit
    they are halves, with twice its weight 4/5 and 1/5. Without it an annealing would skip some of its steps."""
    config = machine(separation=2)
    f, bench = config.formats, _Bench(config, 2, np.random.default_rng(bit))
    bench.base[:, 0] = [0, -(1 << f.row_sum.frac + 8 - bit)]

    async def check(ctx):
        await bench.separate(ctx, Mode.SOFTMAX, Into.STATE, 0, 2, 1 << bit)
        assert bench.state[:, 0].tolist() == [rnd(Fraction(2 * 4096, 3)), rnd(Fraction(4096, 3))]

    simulate(bench.unit, check, bench.world)


def test_the_cycles_by_hand():
    """Without it the formula could change together with the unit: 10 rows, 65 cycles of softmax."""
    assert SeparationTiming().cycles(10, Mode.SOFTMAX) == 3 * 10 + 35
    assert SeparationTiming().cycles(10, Mode.MAX) == 2 * 10 + 5
