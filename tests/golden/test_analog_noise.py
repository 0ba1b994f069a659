"""Random numbers of the analog macro, and the noise of its reads: in law, in number and in independence.

Bounds are five standard deviations of what is measured, or a probability below one in a million.
"""

from itertools import product

import numpy as np
import pytest
from helpers import machine
from scipy import stats

from golden.analog.array import AnalogArray
from golden.analog.hashing import Draw, key, normal, quantile, uniform

SIZE = {"tile": "analog", "lanes": 8, "row_tiles": 4, "weight_words": 24, "max_columns": 3}
"""32 word lines, 24 bit lines."""
READS = 6000
G_MIN, G_MAX, RANGE, SCALE = 2.0, 30.0, 2.0, 2.0**13
UNIT = (G_MAX - G_MIN) / (RANGE * SCALE)
"""Microsiemens a code."""
READ_TIME = 250e-9


def array(seed=3, coding="one_sided", weight_range=RANGE, **read):
    device = {"g_min": G_MIN, "g_max": G_MAX, "weight_range": weight_range, "coding": coding}
    made = AnalogArray(machine(**SIZE, analog={"seed": seed, "device": device, "read": read}))
    codes = np.random.default_rng(1).integers(-16000, 16001, (32, 24))
    made.load(codes)
    return made, codes


def conductances(codes, coding):
    """G+ and G- in microsiemens, from the meaning of a weight."""
    if coding == "balanced":
        middle = (G_MIN + G_MAX) / 2
        return np.array([middle + codes * UNIT / 2, middle - codes * UNIT / 2])
    return G_MIN + UNIT * np.array([np.maximum(codes, 0), np.maximum(-codes, 0)])


# ------------------------------------------------------------------------------------ random numbers

GRIDS = {"operations": (400_000, 1), "indices": (1, 400_000), "both": (632, 633)}


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_numbers_have_their_law(grid, seed):
    """Without it every sigma of the model could be right and the tails, or one seed, wrong."""
    operations, indices = np.arange(GRIDS[grid][0])[:, None], np.arange(GRIDS[grid][1])
    z, u = (law(key(seed, Draw.ROW_READ), operations, indices).ravel() for law in (normal, uniform))
    root = np.sqrt(z.size)
    assert abs(z.mean()) < 5 / root
    assert abs(z.var() - 1) < 5 * np.sqrt(2) / root
    assert abs(stats.skew(z)) < 5 * np.sqrt(6) / root
    assert abs(stats.kurtosis(z)) < 5 * np.sqrt(24) / root
    assert stats.kstest(z, "norm").pvalue > 1e-6
    assert u.min() > 0 and u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-6
    expected = 2 * stats.norm.sf(4) * z.size
    assert abs(np.count_nonzero(abs(z) > 4) - expected) < 5 * np.sqrt(expected)


def test_quantiles_are_those_of_the_normal_law():
    """Without it one of the pieces could be off by less than a sample of numbers shows."""
    p = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 20_001), 2.0 ** -np.arange(2, 53)])
    assert np.allclose([quantile(x) for x in p], stats.norm.ppf(p), rtol=3e-7, atol=1e-9)


def test_a_number_depends_on_what_it_is_for_only():
    """Without it a batch, a stall or another order of sweeps would change the noise."""
    rng = np.random.default_rng(0)
    stream, operations, indices = key(7, Draw.PULSE), rng.integers(0, 2**40, 300), rng.integers(0, 2**24, 300)
    for law in (normal, uniform):
        together, order = law(stream, operations, indices), rng.permutation(300)
        assert np.array_equal(law(stream, operations[order], indices[order]), together[order])
        assert np.array_equal([float(law(stream, o, i)) for o, i in zip(operations, indices)], together)
        table = law(stream, operations[:, None], indices)
        assert table.shape == (300, 300) and np.array_equal(np.diagonal(table), together)


def test_streams_share_nothing():
    """Without it offsets could be the gains, or two experiments with neighbouring seeds the same one."""
    seeds = [0, 1, 2, 255, 256, 257, 2**31, 2**32 - 1]
    keys = [key(seed, draw) for seed, draw in product(seeds, Draw)]
    assert len(set(map(int, keys))) == len(keys) == 8 * 13
    drawn = np.array([normal(k, np.arange(64)[:, None], np.arange(64)).ravel() for k in keys])
    correlation = np.corrcoef(drawn)[np.triu_indices(len(keys), 1)]
    assert abs(correlation).max() < 6 / 64  # the largest of 5356
    assert np.unique(drawn).size == drawn.size


def test_neighbours_are_not_correlated():
    """Without it the noise of a line could be that of the line next to it, or of the read before, in part."""
    z = normal(key(11, Draw.CELL), np.arange(700)[:, None], np.arange(700))
    for power, (i, j) in product((1, 2), [(0, 1), (1, 0), (1, 1), (0, 2), (0, 64), (64, 0), (8, 0)]):
        x, y = z[:700 - i, :700 - j].ravel() ** power, z[i:, j:].ravel() ** power
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(x.size), (power, i, j)
    crossed = z[np.triu_indices(700, 1)], z.T[np.triu_indices(700, 1)]
    assert abs(np.corrcoef(*crossed)[0, 1]) < 5 / np.sqrt(crossed[0].size)  # operation and index exchanged


# --------------------------------------------------------------------------------------------- reads

NOISES = {
    "additive": {"additive": 0.4},
    "proportional": {"proportional": 0.03},
    "flicker": {"flicker": 0.0088, "age": 25.0},
    "flicker at its limit": {"flicker": 0.3, "flicker_limit": 0.02, "age": 1e6},
    "all": {"additive": 0.2, "proportional": 0.02, "flicker": 0.006, "flicker_exponent": 0.5, "age": 4000.0,
            "drift": 0.05}}


def cell_law(codes, coding, read):
    """Mean and standard deviation of every conductance as a read finds it, in codes."""
    g = conductances(codes, coding)
    g *= (max(read.get("age", 0) / 20, 1)) ** -read.get("drift", 0.0)
    exponent, limit = read.get("flicker_exponent", 0.65), read.get("flicker_limit", 0.2)
    q = np.minimum(read.get("flicker", 0) / (g / G_MAX) ** exponent, limit)
    octaves = np.log((read["age"] + READ_TIME) / (2 * READ_TIME)) if "flicker" in read else 0
    variance = read.get("additive", 0) ** 2 + (read.get("proportional", 0) * g) ** 2 + (g * q) ** 2 * octaves
    return g / UNIT, np.sqrt(variance) / UNIT


def batches(count, top):
    """Inputs of both sides, (count, lines)."""
    rng = np.random.default_rng(6)
    return rng.integers(-128, 128, (count, 24)), rng.integers(-top, top, (count, 32))


def inputs(count, seed=5):
    x = np.random.default_rng(seed).integers(-128, 128, count)
    x[::5] = 0
    return x


@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
@pytest.mark.parametrize("verb", ["forward", "transposed"])
@pytest.mark.parametrize("name", NOISES)
def test_noise_in_law_is_noise_of_every_conductance(name, verb, coding):
    """Without it the one number that is drawn for a line could have another law than thousands of noisy cells.

    Here the cells are drawn one by one, two conductances for every crossing and for every read.
    """
    crossbar, codes = array(coding=coding, **NOISES[name])
    mean, sigma = cell_law(codes, coding, NOISES[name])
    if verb == "forward":
        mean, sigma = mean.transpose(0, 2, 1), sigma.transpose(0, 2, 1)
    x, rng = inputs(mean.shape[1]), np.random.default_rng(2)
    brute = np.array([x @ np.subtract(*rng.normal(mean, sigma)) for _ in range(1500)])
    exact, spread = x @ (mean[0] - mean[1]), np.sqrt((x.astype(float) ** 2) @ (sigma ** 2).sum(axis=0))
    found = getattr(crossbar, verb)(np.broadcast_to(x, (READS, x.size)))
    for sums in (found, brute):
        root = np.sqrt(len(sums))
        assert (abs(sums.mean(axis=0) - exact) < 5 * spread / root + np.abs(x).sum() * 2.0**-12).all()
        assert (abs(sums.std(axis=0) / spread - 1) < 5 / np.sqrt(2) / root).all()
        pooled = (sums - exact) / spread
        assert abs(pooled.std() - 1) < 5 / np.sqrt(2 * pooled.size)
    scaled = [((sums - exact) / spread).ravel() for sums in (found, brute)]
    assert stats.ks_2samp(*scaled).pvalue > 1e-6
    assert stats.kstest(scaled[0], "norm").pvalue > 1e-6
    lines = np.corrcoef(found.T)[np.triu_indices(found.shape[1], 1)]
    assert abs(lines).max() < 5.5 / np.sqrt(READS)  # the largest of some hundred
    reads = (found[1:] - exact) * (found[:-1] - exact) / spread**2
    assert abs(reads.mean()) < 5 / np.sqrt(reads.size)


@pytest.mark.parametrize("name", NOISES)
def test_a_batch_is_its_reads_one_by_one(name):
    """Without it a batch of the golden model would be another experiment than the RTL, read by read."""
    (one, _), (many, _) = array(**NOISES[name]), array(**NOISES[name])
    x, e = batches(12, 999)
    singles = [(one.forward(a), one.transposed(b)) for a, b in zip(x, e)]
    assert np.array_equal(many.forward(x.reshape(3, 4, 24)).reshape(12, 32), [f for f, _ in singles])
    assert np.array_equal(np.concatenate([many.transposed(e[:5]), many.transposed(e[5:])]), [t for _, t in singles])
    assert not np.array_equal(many.forward(x), [f for f, _ in singles])  # the next reads have noise of their own


@pytest.mark.parametrize("name", NOISES)
def test_nothing_driven_is_nothing_sensed(name):
    """Without it lines would carry noise of cells that conduct nothing."""
    crossbar, _ = array(**NOISES[name])
    assert not crossbar.forward(np.zeros(24, np.int64)).any()
    assert not crossbar.transposed(np.zeros((2, 32), np.int64)).any()


def test_without_noise_a_read_is_the_integer_product():
    """Without it the ideal macro would not be the digital one."""
    crossbar, codes = array()
    x, e = batches(9, 2**15)
    assert np.array_equal(crossbar.codes(), codes)
    assert np.array_equal(crossbar.forward(x), x @ codes.T)
    assert np.array_equal(crossbar.transposed(e), e @ codes)


@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
@pytest.mark.parametrize("weight_range", [0.6, 1 / 3])
def test_products_are_exact_in_any_order(weight_range, coding):
    """Without it another library of matrix products or another batch would change a code: with weights at the end of
    a range that is no whole number of codes."""
    crossbar, _ = array(coding=coding, weight_range=weight_range)
    crossbar.step(np.arange(-16, 16) * 500, np.arange(-12, 12), np.zeros(24, np.int64), np.ones(24, np.int64))
    x, order = batches(200, 9)[0], np.random.default_rng(8).permutation(24)
    sums = crossbar.forward(x)
    assert np.array_equal(sums, [crossbar.forward(v) for v in x])
    assert np.array_equal(sums, x[:, order] @ (crossbar.cells.pair[0] - crossbar.cells.pair[1])[:, order].T)
    assert np.array_equal(sums, np.rint(sums * 2**12) / 2**12)


@pytest.mark.parametrize("name", ["proportional", "flicker", "flicker at its limit", "all"])
def test_variances_of_lines_are_exact_in_any_order(name):
    """Squares of the largest inputs times variances, in integers of the grid: below 2^53. Without it another library of
    matrix products could change the last bit of a sigma, and with it, now and then, a sum."""
    crossbar, _ = array(weight_range=4.0, **NOISES[name])
    crossbar.step(np.full(32, 1 << 15), np.full(24, 1 << 7), np.zeros(24, np.int64), np.ones(24, np.int64))
    _, variance = crossbar.seen("rows")
    steps = variance / crossbar.cells.law.grid
    assert np.array_equal(steps, np.rint(steps)) and steps.max() > 2**11
    exact = [[int(v) for v in row] for row in steps]
    assert max(max(sum(line) for line in zip(*exact, strict=True)) << 30,
               max(sum(row) for row in exact) << 2 * (7 + crossbar.machine.analog.control.align)) <= 2**53


def test_seeds_and_sides_have_their_own_noise():
    """Without it two seeds would average to nothing new, and feedback would repeat the noise of prediction."""
    read, n = {"additive": 0.4}, 4000
    drawn = []
    for seed in (3, 4):
        crossbar, codes = array(seed=seed, **read)
        x, e = inputs(24), inputs(32)
        drawn += [crossbar.forward(np.broadcast_to(x, (n, 24)))[:, :24] - (codes @ x)[:24],
                  crossbar.transposed(np.broadcast_to(e, (n, 32))) - e @ codes]
    flat = np.corrcoef([d.ravel() for d in drawn])[np.triu_indices(4, 1)]
    assert abs(flat).max() < 5 / np.sqrt(n * 24)


@pytest.mark.parametrize("name", ["additive", "proportional", "both"])
def test_single_cells_are_read_with_white_noise(name):
    """Without it verification would see better cells than the lines do."""
    read = {"additive": {"additive": 0.4}, "proportional": {"proportional": 0.03},
            "both": {"additive": 0.3, "proportional": 0.02}}[name]
    crossbar, codes = array(**read)
    mean, sigma = cell_law(codes, "one_sided", read)
    rows, columns = (i.ravel() for i in np.indices(codes.shape))
    found = np.array([crossbar.cells.read(rows, columns).reshape(codes.shape) for _ in range(2000)])
    scaled = (found - (mean[0] - mean[1])) / np.sqrt((sigma**2).sum(axis=0))
    assert abs(scaled.mean()) < 5 / np.sqrt(scaled.size) and abs(scaled.std() - 1) < 5 / np.sqrt(2 * scaled.size)
    assert (abs(scaled.mean(axis=0)) < 5.5 / np.sqrt(2000)).all()
    assert (abs(scaled.std(axis=0) - 1) < 5.5 / np.sqrt(4000)).all()
    assert abs((scaled[1:] * scaled[:-1]).mean()) < 5 / np.sqrt(scaled.size)
    assert stats.kstest(scaled[:50].ravel(), "norm").pvalue > 1e-6
