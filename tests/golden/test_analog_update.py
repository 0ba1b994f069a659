"""Updates of the analog macro: exact steps, imperfect devices, and pulses whose mean is the step."""

from math import floor, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import machine
from scipy import stats

from golden.analog.array import AnalogArray
from golden.analog_macro import AnalogMacro, Window
from golden.fixed import Saturation

SIZE = {"tile": "analog", "lanes": 16, "row_tiles": 4, "weight_words": 48, "max_columns": 4}
"""48 word lines, 64 bit lines."""
ROWS, COLUMNS = 48, 64
CELLS = ROWS * COLUMNS
GRID = 2.0**-13
"""The most that rounding a conductance changes it, in codes."""


def array(seed=4, size=SIZE, **analog):
    device = {"g_min": 2.0, "g_max": 26.0, "weight_range": 4.0} | analog.pop("device", {})
    return AnalogArray(machine(**SIZE | size, analog={"seed": seed, "device": device, **analog}))


def everywhere(crossbar, change, times=1):
    """Ask all weights to change by ``change`` codes."""
    for _ in range(times):
        crossbar.step(np.full(ROWS, change), np.ones(COLUMNS, np.int64), np.zeros(COLUMNS, np.int64),
                      np.ones(COLUMNS, np.int64))


def weights(crossbar):
    return crossbar.cells.pair[0] - crossbar.cells.pair[1]


def random_step(rng):
    return (rng.integers(-2**15, 2**15, ROWS), rng.integers(-128, 128, COLUMNS), rng.integers(0, 24, COLUMNS),
            rng.integers(0, 2, COLUMNS))


@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
@pytest.mark.parametrize("weight_range", [1.0, 4.0, 8.0])
def test_ideal_steps_are_those_of_the_digital_tile(coding, weight_range):
    """Without it analog would differ from digital with nothing to blame: every weight in rationals, and the pair.

    One-sided pairs keep the smaller conductance at g_min, balanced ones the sum.
    """
    crossbar, rng = array(device={"coding": coding, "weight_range": weight_range}), np.random.default_rng(0)
    w, full = np.zeros((ROWS, COLUMNS), np.int64), int(weight_range * 2**13)
    least, most = crossbar.cells.pair.min(), 0
    if coding == "balanced":
        least -= full / 2
    for _ in range(12):
        e, a, rate, enable = random_step(rng)
        crossbar.step(e, a, rate, enable)
        for n in np.flatnonzero(enable):
            change = [floor((2 * int(x) * int(a[n]) + 2 ** int(rate[n])) / 2 ** (int(rate[n]) + 1)) for x in e]
            w[:, n] = np.clip(w[:, n] + change, max(-full, -2**15), min(full, 2**15 - 1))
        most = max(most, abs(w).max())
        assert np.array_equal(weights(crossbar), w)
        if coding == "balanced":
            assert (crossbar.cells.pair.sum(axis=0) == 2 * least + full).all()
        else:
            assert (crossbar.cells.pair.min(axis=0) == least).all()
    assert most == min(full, 2**15) and (crossbar.codes() == w).all()


@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
@pytest.mark.parametrize("weight_range", [1.0, 4.0, 8.0])
@pytest.mark.parametrize("soft", [0.0, 1.0])
def test_imperfect_devices_stay_in_their_range(coding, weight_range, soft):
    """Without it a conductance could leave its device, and a code its format."""
    crossbar = array(device={"coding": coding, "weight_range": weight_range}, update={
        "device_spread": 0.5, "pulse_spread": 2.0, "asymmetry": 0.3, "soft_bounds": soft})
    rng, least = np.random.default_rng(1), 2 / 24 * weight_range * 2**13
    for _ in range(20):
        crossbar.step(*random_step(rng))
        crossbar.pulses(*(rng.integers(0, 2**32, n, dtype=np.uint32) for n in [ROWS, ROWS, COLUMNS, COLUMNS] * 2))
        pair, codes = crossbar.cells.pair, crossbar.codes()
        assert pair.min() >= least - GRID and pair.max() <= least + weight_range * 2**13 + GRID
        assert codes.min() >= -2**15 and codes.max() < 2**15
    assert codes.min() < -7000 and codes.max() > 7000


def test_devices_that_only_grow():
    """Without it a device without a way back would forget: G+ takes what is added, G- what is subtracted."""
    crossbar, rng = array(update={"unidirectional": True}), np.random.default_rng(2)
    grown = np.zeros((2, ROWS, COLUMNS))
    for _ in range(20):
        change = rng.integers(-900, 900, ROWS)
        crossbar.step(change, np.ones(COLUMNS, np.int64), np.zeros(COLUMNS, np.int64), np.ones(COLUMNS, np.int64))
        grown += np.maximum([change, -change], 0)[:, :, None]
    least = float(crossbar.cells.least)
    assert np.array_equal(crossbar.cells.pair, least + grown)
    everywhere(crossbar, 8000, 20)
    assert (weights(crossbar) <= 2**15 - 1).all() and crossbar.cells.pair.max() <= least + 2**15


# ------------------------------------------------------------------------------------------ imperfect

@pytest.mark.parametrize("asymmetry", [0.01, -0.2, 0.9])
def test_up_and_down_differ_by_the_asymmetry(asymmetry):
    """Without it the share could be taken of one direction twice: a conductance up less down, over their mean."""
    crossbar = array(update={"asymmetry": asymmetry})
    everywhere(crossbar, 1000)
    assert np.abs(weights(crossbar) - 1000 * (1 + asymmetry / 2)).max() <= GRID
    high = weights(crossbar)
    everywhere(crossbar, -200)
    assert np.abs(high - weights(crossbar) - 200 * (1 - asymmetry / 2)).max() <= GRID
    balanced = array(update={"asymmetry": asymmetry}, device={"coding": "balanced"})
    before = balanced.cells.pair.copy()
    for change in (1000, -500):
        everywhere(balanced, change)
        sign = np.sign(change)
        moved = (balanced.cells.pair - before) * np.array([sign, -sign])[:, None, None]
        for half, direction in zip(moved, (sign, -sign)):
            assert np.abs(half - abs(change) / 2 * (1 + direction * asymmetry / 2)).max() <= GRID
        before = balanced.cells.pair.copy()


@pytest.mark.parametrize("soft", [1.0, 0.4])
def test_soft_bounds_are_approached_geometrically(soft):
    """Without it a device could stop at another place than its bound, or go there along another curve.

    A step d of a device at the share x of its range is d (1 - soft x): x_k = (1 - (1 - soft d / F)^k) / soft.
    """
    crossbar, full, d = array(update={"soft_bounds": soft}), 2.0**15, 300
    for k in range(1, 150):
        everywhere(crossbar, d)
        x = min((1 - (1 - soft * d / full) ** k) / soft, 1.0)
        if full * (1 - x) < 2 * d:  # less is asked of a weight that would pass the end of its format
            break
        assert np.abs(weights(crossbar) - full * x).max() <= (k + 1) * GRID
    assert k > 100
    everywhere(crossbar, d, 3000)
    assert (weights(crossbar) <= 2**15 - 1).all() and (weights(crossbar) > full - d).all()
    x = 1 - (full - weights(crossbar)) / full
    everywhere(crossbar, -100)  # down, the room is what has been gained
    assert np.abs(full * x - 100 * (1 - soft * (1 - x)) - weights(crossbar)).max() <= 2 * GRID


def test_a_balanced_pair_of_soft_devices_has_a_linear_law():
    """Without it the two halves could see each other's bound: w' = w + d (1 - w/F) up, d (1 + w/F) down."""
    crossbar, full = array(update={"soft_bounds": 1.0}, device={"coding": "balanced"}), 2.0**15
    w = 0.0
    for k, change in enumerate([2000] * 10 + [-3000] * 10 + [500, -700] * 10, 1):
        everywhere(crossbar, change)
        w += change * (1 - np.sign(change) * w / full)
        assert np.abs(weights(crossbar) - w).max() <= 2 * k * GRID


@pytest.mark.parametrize("device, pulse", [(0.3, 0.0), (0.0, 0.3), (0.1, 0.2)])
@pytest.mark.parametrize("count", [1, 16])
def test_steps_spread_from_device_to_device_and_from_pulse_to_pulse(device, pulse, count):
    """Without it either spread could be drawn anew where it is fixed, or fixed where it is drawn; of ``count``
    pulses together, the relative spread is that of one over the root of their number."""
    crossbar = array(update={"device_spread": device, "pulse_spread": pulse}, control={"pulses": 16},
                     device={"weight_range": 8.0}, size={"weight_frac": 14, "weight_bits": 18})
    moved, both = [], (np.full(n, 0xFFFF, np.uint32) for n in (ROWS, COLUMNS))
    rows, columns = both
    none = [np.zeros(n, np.uint32) for n in (ROWS, COLUMNS)]
    for _ in range(12):
        before = weights(crossbar)
        if count == 1:
            everywhere(crossbar, 256)
        else:
            crossbar.pulses(rows, none[0], columns, none[1], none[0], none[0], none[1], none[1])
        moved.append((weights(crossbar) - before) / 256)
    moved, n = np.array(moved), 12 * CELLS
    variance = (1 + device**2) * (1 + pulse**2 / count) - 1
    expected_device, root = device**2, sqrt(CELLS)
    assert abs(moved.mean() - 1) < 5 * (device / root + pulse / sqrt(n))
    assert abs(moved.var() / variance - 1) < 5 * sqrt(2 / (n if not device else CELLS))
    first, second = moved[0].ravel() - 1, moved[1].ravel() - 1
    assert abs((first * second).mean() - expected_device) < 5 * variance / root * sqrt(1 + (device > 0))
    if pulse and not device:
        assert stats.kstest((moved.ravel() - 1) / sqrt(variance), "norm").pvalue > 1e-6
    if device and not pulse:
        assert np.abs(moved - moved[0]).max() < 1e-5
        assert np.abs(crossbar.cells.size[0] - moved[0]).max() < 1e-5
    neighbours = np.corrcoef(moved[0][:, 1:].ravel(), moved[0][:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 5 / root


# --------------------------------------------------------------------------------------------- pulses

def pulsed(pulses, exponent, errors, activities, rates, plastic, updates):
    """How many pulses every weight met in every update, (updates, rows, columns); signs alternate."""
    m = machine(tile="analog", lanes=4, row_tiles=2, weight_words=6, max_columns=2, analog={
        "control": {"update": "stochastic", "pulses": pulses, "pulse_exponent": exponent}})
    macro, each, found = AnalogMacro(m), 2.0**exponent / pulses, []
    plan = SimpleNamespace(rate=np.repeat([1, 0], 4), plastic=plastic, used=np.ones(8, np.int64))
    for k in range(updates):
        before, sign = weights(macro.array), 1 - 2 * (k % 2)
        macro.update(Window(np.arange(6), np.arange(8)), plan, sign * errors, activities, rates, Saturation())
        found.append((weights(macro.array) - before) * sign / each)
    counts = np.rint(found)
    assert np.abs(counts - found).max() < 1e-3
    return counts


ACTIVITIES = np.array([64, -128, 127, 0, 33, -5, 100, -90])
PLASTIC = np.array([1, 1, 1, 1, 1, 1, 0, 1])


@pytest.mark.parametrize("pulses, exponent, rates", [(32, 8, [5, 5]), (16, 4, [8, 6]), (1, 7, [6, 5]), (31, 9, [7, 4])])
def test_pulses_are_the_step_in_the_mean_and_binomial_around_it(pulses, exponent, rates):
    """Without it learning would go at another rate, or with noise that no random coincidence of pulses has.

    BL pulses on both lines meet a binomial number of times, BL p q = e a / 2^rate / dg in the mean (Gokmen and
    Vlasov 2016).
    """
    top = 2 ** (min(rates) + exponent + 1 - 8)  # the error whose row always fires
    errors, updates = np.array([top, -top, top // 2, -top // 4, 3 * top // 4, 0]), 4000
    counts = pulsed(pulses, exponent, errors, ACTIVITIES, np.array(rates), PLASTIC, updates)
    step = errors[:, None] * ACTIVITIES / 2.0 ** np.repeat(rates[::-1], 4) * PLASTIC
    p = abs(step) / 2.0**exponent
    assert p.max() == 1
    variance, root = pulses * p * (1 - p), sqrt(updates)
    slack = pulses * 2.0**-15  # probabilities are multiples of 2^-16
    assert (abs(counts.mean(axis=0) - step * pulses / 2.0**exponent) <= 5 * np.sqrt(variance) / root + slack).all()
    fourth = variance * (1 + 3 * (pulses - 2) * p * (1 - p))
    error = 5 * np.sqrt(np.maximum(fourth - variance**2, 0)) / root + 25 * variance / updates
    assert (abs(counts.var(axis=0) - variance) <= error + slack).all()
    centred = abs(counts) - pulses * p
    assert (abs((centred[1:] * centred[:-1]).mean(axis=0)) <= 5 * variance / root + slack).all()
    for r, n in ((2, 0), (3, 2), (4, 7), (2, 4)):
        expected = stats.binom(pulses, p[r, n]).pmf(np.arange(pulses + 1)) * updates
        seen, usual = np.bincount(abs(counts[:, r, n]).astype(int), minlength=pulses + 1), expected > 8
        pairs = [np.append(x[usual], x[~usual].sum()) for x in (seen, expected)]
        chi = ((pairs[0] - pairs[1]) ** 2 / np.maximum(pairs[1], 8)).sum()
        assert stats.chi2(usual.sum()).sf(chi) > 1e-6


def test_chances_end_at_one():
    """Without it a large error would wrap round to few pulses: its row fires always, as often as the column."""
    counts = pulsed(32, 4, np.array([9, 32767, -32768, 16, -8, 8]), ACTIVITIES, np.array([6, 6]), PLASTIC, 1500)
    q = abs(ACTIVITIES) / 128 * PLASTIC
    errors = np.array([1, 1, -1, 1, -1, 1])[:, None] * np.sign(ACTIVITIES)
    assert (abs(counts.mean(axis=0) - 32 * q * errors) <= 5 * np.sqrt(32 * q * (1 - q) / 1500) + 2.0**-10).all()
    for row, same in ((0, 1), (0, 3), (2, 4)):
        assert np.array_equal(counts[:, row], counts[:, same])
