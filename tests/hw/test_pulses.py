"""Random pulses and the converters' search: RTL against golden, against Marsaglia's generator, exhaustively."""

from math import floor, sqrt

import numpy as np
import pytest
from helpers import simulate

from golden.pulses import Pulses as GoldenPulses
from hebbar.contract.pulses import PROBABILITY_BITS, line_seed
from hw.pulses import Pulses as HwPulses
from hw.sar_logic import SarLogic

FULL = 1 << 16
CHANCES = [0, 1, 2, 77, FULL // 3, FULL // 2, FULL // 2 + 1, FULL - 2, FULL - 1, FULL]


def xorshift(state):
    """Marsaglia 2003, whose example starts at 2463534242."""
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ state << 5 & 0xFFFFFFFF


def murmur(h):
    """fmix32 of MurmurHash3."""
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def test_the_generator_and_the_hash_are_the_published_ones():
    """Without it the oracle of this file could have the same slip as the twins."""
    assert xorshift(2463534242) == 723471715
    assert murmur(1) == 0x514E28B7 and murmur(0xFFFFFFFF) == 0x81F16F39  # of an empty text with these seeds
    assert PROBABILITY_BITS == 16


def test_every_line_starts_elsewhere():
    """Without it two lines could fire together for ever, and one that starts at zero never stops."""
    seeds = np.array([line_seed(n) for n in range(200_000)])
    assert np.unique(seeds).size == seeds.size and seeds.min() > 0 and seeds.max() < 2**32
    assert seeds[:1000].tolist() == [murmur(n + 1) for n in range(1000)]
    ones = (seeds[:, None] >> np.arange(32) & 1).mean(axis=0)
    assert abs(ones - 0.5).max() < 5 * 0.5 / sqrt(seeds.size)
    flipped = (seeds[1:] ^ seeds[:-1])[:, None] >> np.arange(32) & 1
    assert abs(flipped.mean() - 0.5) < 5 * 0.5 / sqrt(flipped.size)


def drawn(first, count, cycles):
    """The upper halves of the numbers of all lines, (cycles, count)."""
    states, found = [murmur(first + i + 1) for i in range(count)], []
    for _ in range(cycles):
        states = [xorshift(s) for s in states]
        found.append([s >> 16 for s in states])
    return np.array(found)


@pytest.mark.parametrize("first", [0, 5, 1 << 20])
def test_lines_fire_as_on_the_golden_machine(first):
    """Without it the RTL would learn with other pulses than the golden machine: every cycle, also after a pause, and
    where a probability is just not, or just enough."""
    count, rng = len(CHANCES), np.random.default_rng(first)
    lengths = [32, 1, 17, 32, 9] + [1] * 12
    halves = drawn(first, count, sum(lengths))
    probabilities = [np.array(CHANCES), *(rng.permutation(CHANCES) for _ in range(3)), rng.integers(0, FULL + 1, count),
               *(halves[-12:] + rng.integers(0, 2, (12, count)))]
    lines = GoldenPulses(count, first)
    words = [lines.words(c, n) for c, n in zip(probabilities, lengths)]
    golden = np.concatenate([w >> np.arange(n, dtype=np.uint32)[:, None] & 1 for w, n in zip(words, lengths)]) == 1
    draws = [c for c, n in zip(probabilities, lengths) for _ in range(n)]
    assert np.array_equal(golden, halves < draws)
    assert all(w.max() >> n == 0 for w, n in zip(words, lengths) if n < 32)
    dut, fired = HwPulses(count, first), []

    async def bench(ctx):
        for probability in draws:
            for i, c in enumerate(probability):
                ctx.set(dut.probability[i], int(c))
            while rng.random() < 0.3:
                ctx.set(dut.draw, 0)
                assert ctx.get(dut.fires) == 0
                await ctx.tick()
            ctx.set(dut.draw, 1)
            fired.append([ctx.get(dut.fires) >> i & 1 for i in range(count)])
            await ctx.tick()

    simulate(dut, bench)
    assert np.array_equal(np.array(fired, bool), golden)


def test_the_rate_is_the_chance():
    """Without it a small update could never fire, or a full one now and then not."""
    cycles, per = 1 << 20, 64
    for probability in CHANCES:
        lines, p = GoldenPulses(per, 99), probability / FULL
        words = np.array([lines.words(np.full(per, probability), 32) for _ in range(cycles // per // 32)])
        fired = np.unpackbits(words.view(np.uint8)).sum()
        assert abs(fired - cycles * p) <= 5 * sqrt(cycles * p * (1 - p)), probability
        assert fired == cycles * p or 0 < probability < FULL


def test_lines_and_cycles_do_not_know_of_each_other():
    """Without it rows and columns would meet more often than their rates say: of 96 lines, pair by pair."""
    count, blocks = 96, 512
    lines = GoldenPulses(count, 0)
    words = np.array([lines.words(np.full(count, FULL // 2), 32) for _ in range(blocks)])
    fired = (words[:, None] >> np.arange(32, dtype=np.uint32)[:, None] & 1).reshape(-1, count) - 0.5
    n = len(fired)
    for lag in (0, 1, 2, 31, 32):
        product = 4 * fired[lag:].T @ fired[:n - lag] / (n - lag)
        np.fill_diagonal(product, 0 if not lag else product.diagonal())
        assert abs(product).max() < 6 / sqrt(n), lag  # the largest of 9216


# ---------------------------------------------------------------------------------------------- search

@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6])
def test_the_search_finds_every_code(bits):
    """Without it a code at an end, or next to zero, could be one that the search never reaches: every quarter of an
    LSB through and beyond the range, all converters at once, one conversion after the other without a pause."""
    most = 1 << bits - 1
    quarters = np.arange(-4 * most - 6, 4 * most + 6) / 4
    dut, codes = SarLogic(len(quarters), bits), []

    async def convert(ctx, held):
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        assert all(ctx.get(c) == -most for c in dut.codes)
        for bit in reversed(range(bits)):
            ctx.set(dut.search, 1)
            ctx.set(dut.bit, bit)
            dac = [ctx.get(d) for d in dut.dac]
            ctx.set(dut.above, sum(int(h >= d - 0.5) << i for i, (h, d) in enumerate(zip(held, dac))))
            await ctx.tick()
        ctx.set(dut.search, 0)
        assert not any(ctx.get(d) for d in dut.dac)
        await ctx.tick()
        codes.append([ctx.get(c) for c in dut.codes])

    async def bench(ctx):
        await convert(ctx, quarters)
        await convert(ctx, quarters[::-1])

    simulate(dut, bench)
    expected = [min(max(floor(v + 0.5), -most), most - 1) for v in quarters]
    assert codes == [expected, expected[::-1]]


def test_wide_searches_find_random_codes():
    """Without it a carry into an upper bit could be lost where exhaustion does not reach."""
    for bits in (9, 16, 36, 53):
        most, rng = 1 << bits - 1, np.random.default_rng(bits)
        targets = [-most, most - 1, 0, -1, 1, *(int(t) for t in rng.integers(-most, most, 11))]
        dut, found = SarLogic(len(targets), bits), []

        async def bench(ctx):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.search, 1)
            for bit in reversed(range(bits)):
                ctx.set(dut.bit, bit)
                ctx.set(dut.above, sum(int(t >= ctx.get(d)) << i for i, (t, d) in enumerate(zip(targets, dut.dac))))
                await ctx.tick()
            found.extend(ctx.get(c) for c in dut.codes)

        simulate(dut, bench)
        assert found == targets
