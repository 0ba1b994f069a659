"""Converters of the analog macro: codes, errors, and what lines share."""

from itertools import product
from math import floor, sqrt

import numpy as np
import pytest
from helpers import machine
from scipy import stats

from golden.analog.converters import LineConverters

SIZE = {"tile": "analog", "lanes": 16, "row_tiles": 4, "weight_words": 20, "max_columns": 2}
"""40 word lines on 4 converters, 32 bit lines on 16."""
LINES = {"rows": 40, "columns": 32}
SHARED = {"rows": 4, "columns": 16}
GRID = 2.0**-13
"""The most that holding a value changes it beyond its errors, in LSB."""
SEEDS = 60


def bank(side="rows", bits=8, step=3, seed=5, bit_cycles=1, size=SIZE, **errors):
    name = side.removesuffix("s")
    control = {f"{name}_bits": bits, f"{name}_step": step, "bit_cycles": bit_cycles}
    return LineConverters(machine(**size, analog={"control": control, "converters": errors, "seed": seed}), side)


def thresholds(converters, side, bits):
    """Where the answer of every line changes for every code but the least, (lines, codes), by bisection."""
    codes = np.arange(-(1 << bits - 1) + 1, 1 << bits - 1)
    lines, dac = (x.ravel() for x in np.meshgrid(np.arange(LINES[side]), codes, indexing="ij"))
    low, high = dac - 40.0, dac + 40.0
    for _ in range(48):
        middle = (low + high) / 2
        above = converters.compare(middle, lines, dac)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high.reshape(LINES[side], -1), codes


def search(converters, held, line, bits):
    """One conversion as the digital half does it: the least code, then one bit after the other."""
    code = -(1 << bits - 1)
    for bit in reversed(range(bits)):
        trial = code + 2**bit
        if converters.compare(np.array([held]), np.array([line]), np.array([trial]))[0]:
            code = trial
    return code


@pytest.mark.parametrize("side", LINES)
@pytest.mark.parametrize("bits, step", [*product([1, 2, 3, 5, 6], [0, 1, 4]), (13, 0), (14, 2)])
def test_ideal_codes_are_rounded_and_clipped(side, bits, step):
    """Without it a tie, a negative half or the ends could be off by one: every eighth of an LSB and beyond."""
    converters = bank(side, bits, step)
    most, unit = 1 << bits - 1, 1 << step
    eighths = np.arange(-most * 8 - 20, most * 8 + 20) if bits < 10 else np.arange(-most * 8 - 20, most * 8 + 20, 37)
    values = eighths * unit / 8
    expected = [min(max(floor(v / unit + 0.5), -most), most - 1) for v in values]
    lines = np.arange(LINES[side])
    held = converters.held(np.repeat(values[:, None], lines.size, axis=1))
    codes = converters.convert(held, lines)
    assert (codes == np.array(expected)[:, None]).all()
    assert converters.convert(np.array([1e12, -1e12]), lines[:2]).tolist() == [most - 1, -most]
    if bits < 10:
        found, dac = thresholds(converters, side, bits)
        assert np.abs(found - (dac - 0.5)).max(initial=0) < 1e-9


@pytest.mark.parametrize("step", [0, 2])
def test_converters_as_wide_as_the_sums_lose_nothing(step):
    """Without it the macro without configuration would not be the digital one."""
    for side, bits in (("rows", 36), ("columns", 42)):
        top = 1 << bits - step - 1
        converters = bank(side, 0 if not step else bits - step, step)
        sums = np.array([-top, top - 1, 0, -1, 1, 12345, -top // 3]) << step
        held = converters.held(np.repeat(sums[:, None], LINES[side], axis=1).astype(float))
        codes = converters.convert(held, np.arange(LINES[side]))
        assert (codes << step == sums[:, None]).all()


ERRORS = {
    "inl": {"inl": 0.8}, "large inl": {"inl": 6.0}, "offset": {"offset": 3.0}, "gain": {"gain": 0.1},
    "noise": {"noise": 1.5}, "all": {"inl": 1.2, "offset": 2.0, "gain": 0.05, "noise": 0.7, "settling": 2.0}}


@pytest.mark.parametrize("side", LINES)
@pytest.mark.parametrize("bits", [4, 8, 13])
@pytest.mark.parametrize("name", ERRORS)
def test_a_conversion_is_a_search_over_comparisons(name, side, bits):
    """Without it the golden machine could find another code than the hardware, which only has the comparisons."""
    converters = bank(side, bits, 3, **ERRORS[name])
    rng, lines = np.random.default_rng(1), np.arange(LINES[side])
    span = 2.0 ** (bits + 2)
    held = converters.held(rng.uniform(-1.3 * span, 1.3 * span, (6, LINES[side])))
    codes = converters.convert(held, lines)
    assert codes.tolist() == [[search(converters, h, n, bits) for h, n in zip(one, lines)] for one in held]
    some = rng.permutation(lines)[:7]
    assert np.array_equal(converters.convert(held[0, some], some), codes[0, some])


# --------------------------------------------------------------------------------------- nonlinearity

@pytest.mark.parametrize("side", LINES)
@pytest.mark.parametrize("bits", [4, 7])
def test_nonlinearity_is_that_of_the_weights_of_bits(side, bits):
    """Without it INL could be noise that no converter has: it is a sum over bits, fixed and shared by lines."""
    converters = bank(side, bits, inl=0.7)
    found, codes = thresholds(converters, side, bits)
    inl = found - (codes - 0.5)
    shared = SHARED[side]
    assert np.array_equal(inl, inl[np.arange(LINES[side]) % shared])
    assert np.unique(inl[:shared, 0]).size == shared
    positions = codes + (1 << bits - 1)
    single = {b: inl[:, positions == 1 << b][:, 0] for b in range(bits)}
    nothing = (sum(single.values()) - inl[:, -1]) / (bits - 1)  # all ones are the single ones less what they share
    for position, value in zip(positions, inl.T):
        on = [b for b in range(bits) if position >> b & 1]
        assert np.abs(value - nothing - sum(single[b] - nothing for b in on)).max() < 1e-9
    assert np.abs(nothing + inl[:, -1]).max() < 1e-9  # all off is the opposite of all on


def test_nonlinearity_has_the_configured_deviation():
    """Without it the figure of a data sheet would be taken for another one: over all codes and converters; a bit's own
    error has a variance that goes with its weight, as capacitors of as many units have."""
    bits, sigma, squares, steps = 6, 0.5, [], []
    for side, seed in product(LINES, range(3 * SEEDS)):
        found, codes = thresholds(bank(side, bits, inl=sigma, seed=seed), side, bits)
        inl = (found - (codes - 0.5))[:SHARED[side]]
        inl = np.hstack([-inl[:, -1:], inl])  # the least code has no threshold, it is the opposite of the largest
        squares.append((inl**2).mean(axis=1))  # of each converter
        steps.append(inl[:, 2 ** np.arange(bits)] - inl[:, :1])
    squares, steps = np.concatenate(squares), np.concatenate(steps)
    count, share = len(squares), 2.0 ** np.arange(bits) / (2**bits - 1)
    spread = sigma**2 * sqrt(2 * (share**2).sum() / count)
    assert abs(squares.mean() - sigma**2) < 5 * spread
    assert (abs(steps.var(axis=0) / (4 * sigma**2 * share) - 1) < 5 * sqrt(2 / count)).all()
    assert abs(np.corrcoef(steps.T)[np.triu_indices(bits, 1)]).max() < 5 / sqrt(count)


# ------------------------------------------------------------------------------- lines and their errors

@pytest.mark.parametrize("side", LINES)
@pytest.mark.parametrize("step", [0, 5])
def test_offset_and_gain_belong_to_a_converter(side, step):
    """Without it every line would have errors of its own, or one error would stand for all: found from two values."""
    offsets, gains = [], []
    for seed in range(SEEDS):
        converters = bank(side, 10, step, seed, offset=1.5, gain=0.02)
        zero, high, low = converters.held(np.array([0.0, 400.0, -400.0])[:, None] * np.ones(LINES[side]) * 2.0**step)
        assert np.array_equal(converters.held(np.zeros(LINES[side])), zero)
        for held in (zero, high, low):
            assert np.array_equal(held, held[np.arange(LINES[side]) % SHARED[side]])
        assert np.abs(high - zero + low - zero).max() <= 4 * GRID
        offsets.append(zero[:SHARED[side]])
        gains.append((high - zero)[:SHARED[side]] / 400)
    for drawn, mean, sigma in ((np.array(offsets), 0, 1.5), (np.array(gains), 1, 0.02)):
        assert abs(drawn.mean() - mean) < 5 * sigma / sqrt(drawn.size)
        assert abs(drawn.std() / sigma - 1) < 5 / sqrt(2 * drawn.size)
        assert stats.kstest((drawn.ravel() - mean) / sigma, "norm").pvalue > 1e-6
    assert abs(np.corrcoef(np.ravel(offsets), np.ravel(gains))[0, 1]) < 5 / sqrt(drawn.size)


def test_rows_and_columns_have_converters_of_their_own():
    """Without it the first row converter would be the first column converter."""
    both = [[bank(side, seed=seed, offset=1.0).held(np.zeros(LINES[side]))[:4] for seed in range(200)]
            for side in LINES]
    assert abs(np.corrcoef(*np.reshape(both, (2, -1)))[0, 1]) < 5 / sqrt(800)


@pytest.mark.parametrize("cycles, settling", [(1, 1.0), (3, 1.0), (1, 0.25), (10, 40.0)])
def test_lines_settle_exponentially(cycles, settling):
    """Without it longer drives would gain nothing, or time constants would count backwards."""
    values = np.random.default_rng(2).uniform(-2e4, 2e4, (5, 40))
    held = bank("rows", 10, 4, bit_cycles=cycles, settling=settling).held(values)
    assert np.abs(held - values / 16 * (1 - np.exp(-cycles / settling))).max() <= GRID + 1e-9


@pytest.mark.parametrize("side", LINES)
def test_noise_of_a_conversion_is_of_every_line_and_every_time(side):
    """Without it lines that share a converter would share its noise as well, or a batch would have one for all."""
    reads, sigma, lines = 4000, 0.6, LINES[side]
    values = np.random.default_rng(3).uniform(-900, 900, lines)
    converters, again = (bank(side, 10, 2, noise=sigma) for _ in range(2))
    noise = converters.held(np.broadcast_to(values, (reads, lines))) - values / 4
    assert abs(noise.mean()) < 5 * sigma / sqrt(noise.size)
    assert (abs(noise.std(axis=0) / sigma - 1) < 5 / sqrt(2 * reads)).all()
    assert stats.kstest(noise[:500].ravel() / sigma, "norm").pvalue > 1e-6
    assert abs(np.corrcoef(noise.T)[np.triu_indices(lines, 1)]).max() < 5.5 / sqrt(reads)
    assert abs((noise[1:] * noise[:-1]).mean()) < 5 * sigma**2 / sqrt(noise.size)
    singly = np.array([again.held(values) for _ in range(20)])
    assert np.array_equal(singly - values / 4, noise[:20])
