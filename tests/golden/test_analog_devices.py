"""Cells of the analog macro: what writing, ageing and faults do to conductances, against what was published."""

from math import sqrt

import numpy as np
import pytest
from helpers import machine
from scipy import stats

from golden.analog.array import AnalogArray
from golden.analog.laws import programming_sigma
from hebbar.contract.analog import Programming, device_names

SIZE = {"tile": "analog", "lanes": 64, "row_tiles": 8, "weight_words": 96, "max_columns": 4}
"""192 word lines, 256 bit lines."""
CELLS = 192 * 256
SCALE = 2.0**13
JOSHI = (0.26348, 1.9650, -1.1731)  # Joshi et al. 2020, of g as a share of g_max
WAN = (1.053, 0.2374, -1.167e-2, 1.536e-4)  # Wan et al. 2022, in microsiemens


def array(size=SIZE, seed=9, **analog):
    return AnalogArray(machine(**SIZE | size, analog={"seed": seed, **analog}))


def everywhere(crossbar):
    return [i.ravel() for i in np.indices(crossbar.cells.pair.shape[1:])]


def write(crossbar, code):
    """Program every cell to ``code``; the pair in microsiemens."""
    rows, columns = everywhere(crossbar)
    crossbar.write(rows, columns, np.broadcast_to(code, rows.shape))
    return crossbar.cells.pair * crossbar.cells.unit


# -------------------------------------------------------------------------------------- programming

def joshi(g):
    return 0.26348 + 1.9650 * (g / 25) - 1.1731 * (g / 25) ** 2


def wan(g):
    return 1.536e-4 * g**3 - 1.167e-2 * g**2 + 0.2374 * g + 1.053


@pytest.mark.parametrize("law, noise, relative, g_max, targets", [
    (joshi, JOSHI, True, 25.0, [5.0, 12.5, 20.0, 25.0]), (wan, WAN, False, 39.26, [14.0, 22.0, 30.0, 39.26])])
@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
def test_written_conductances_spread_as_published(law, noise, relative, g_max, targets, coding):
    """Without it a polynomial could be read backwards, or taken of codes where it is of microsiemens."""
    device = {"g_max": g_max, "weight_range": 2.0, "coding": coding}
    crossbar = array(device=device, programming={"noise": noise, "relative": relative})
    for target in targets:
        share = target / g_max if coding == "one_sided" else 2 * target / g_max - 1
        code = round(share * 2 * SCALE)
        g = (code if coding == "one_sided" else code / 2 + SCALE) * g_max / (2 * SCALE)
        first, second = write(crossbar, code)[0].ravel().copy(), write(crossbar, code)[0].ravel()
        for drawn in (first, second):
            assert abs(drawn.mean() - g) < 5 * law(g) / sqrt(CELLS)
            assert abs(drawn.std() / law(g) - 1) < 5 / sqrt(2 * CELLS)
            assert stats.kstest((drawn - g) / law(g), "norm").pvalue > 1e-6
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / sqrt(CELLS)


def test_both_conductances_of_a_pair_are_written_with_an_error():
    """Without it half the noise of a weight would be missing, or counted twice in the same number."""
    crossbar = array(device={"g_min": 10.0, "g_max": 40.0, "weight_range": 4.0}, programming={"noise": [0.5, 0.05]})
    plus, minus = (half.ravel() for half in write(crossbar, 16384))
    for drawn, g in ((plus, 25.0), (minus, 10.0)):
        assert abs(drawn.mean() - g) < 5 * (0.5 + 0.05 * g) / sqrt(CELLS)
        assert abs(drawn.std() / (0.5 + 0.05 * g) - 1) < 5 / sqrt(2 * CELLS)
    assert abs(np.corrcoef(plus, minus)[0, 1]) < 5 / sqrt(CELLS)


def test_a_conductance_is_never_negative():
    """Without it noise around an empty cell would make a source of current of it: it is half a normal law instead."""
    crossbar = array(programming={"noise": JOSHI, "relative": True})
    g = write(crossbar, 0)[1].ravel()
    assert g.min() == 0
    assert abs(np.count_nonzero(g) / CELLS - 0.5) < 5 * 0.5 / sqrt(CELLS) + 1e-3  # 2^-12 code is 0.0007 of sigma
    assert abs(g.mean() - 0.26348 / sqrt(2 * np.pi)) < 5 * 0.26348 * sqrt(0.5 - 1 / (2 * np.pi)) / sqrt(CELLS)
    falling = Programming(noise=(0.5, -1.0))
    assert programming_sigma(falling, np.array([0.25, 0.5, 2.0]), 25.0).tolist() == [0.25, 0, 0]


# -------------------------------------------------------------------------------------------- levels

@pytest.mark.parametrize("coding", ["one_sided", "balanced"])
@pytest.mark.parametrize("levels", [2, 3, 4, 5, 6, 7, 9, 16, 17])
@pytest.mark.parametrize("weight_range", [1.0, 2.0, 4.0, 8.0])
def test_every_weight_goes_to_the_nearest_levels(coding, levels, weight_range):
    """Without it a device could be given states it does not have, or be written to the wrong neighbour."""
    full = 2 * weight_range
    crossbar = array({"weight_bits": 4, "weight_frac": 1, "state_frac": 1}, device={
        "g_min": 1.0, "g_max": 9.0, "weight_range": weight_range, "coding": coding, "levels": levels})
    states = np.linspace(1.0, 9.0, levels)
    for code in range(-8, 8):
        weight = np.clip(code, -full, full)
        wanted = [5 + 4 * weight / full, 5 - 4 * weight / full] if coding == "balanced" else \
            [1 + 8 * max(weight, 0) / full, 1 + 8 * max(-weight, 0) / full]
        for g, want in zip(write(crossbar, code), wanted):
            assert (g == g[0, 0]).all()
            grid = 2.0**-12 * crossbar.cells.unit
            assert abs(states - g[0, 0]).min() < grid
            assert abs(g[0, 0] - want) < abs(states - want).min() + grid


# --------------------------------------------------------------------------------------------- drift

@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.2, 0.35, 0.6, 1.0])
def test_exponents_of_drift_follow_the_published_law(share):
    """Without it the logarithm could be of microsiemens, or the limits exchanged: found by fitting two ages."""
    device, code = {"g_max": 25.0, "weight_range": 1.0}, round(share * SCALE)
    aged = []
    for age in (1e3, 1e6):
        crossbar = array(device=device, read={"drift_log": True, "age": age})
        write(crossbar, code)
        aged.append(crossbar.cells.aged()[0].ravel())
        assert not crossbar.cells.aged()[1].any()  # nothing is left of nothing
    nu = -np.log(aged[1] / aged[0]) / np.log(1e6 / 1e3)
    log = np.log(code / SCALE)
    mean, sigma = min(max(-0.0155 * log + 0.0244, 0.049), 0.1), min(max(-0.0125 * log - 0.0059, 0.008), 0.045)
    at_zero = stats.norm(mean, sigma)  # cut off at 0, where devices stop drifting
    expected = mean * at_zero.sf(0) + sigma**2 * at_zero.pdf(0)
    square = (mean**2 + sigma**2) * at_zero.sf(0) + mean * sigma**2 * at_zero.pdf(0)
    deviation = sqrt(square - expected**2)
    grid = 2.0**-12 / aged[1].min() / np.log(1e3)
    assert abs(nu.mean() - expected) < 5 * deviation / sqrt(CELLS) + grid
    assert abs(nu.std() / deviation - 1) < 5 / sqrt(CELLS)
    assert stats.kstest(nu[nu > 2 * grid], stats.truncnorm(-mean / sigma, np.inf, mean, sigma).cdf).pvalue > 1e-6


def test_drift_without_spread_is_one_factor():
    """Without it weights could age at the wrong rate, or before the reference time."""
    codes = np.random.default_rng(0).integers(-8192, 8193, (192, 256))
    for age, factor in ((5.0, 1), (20.0, 1), (40.0, 2**-0.1), (20e4, 0.1**0.4), (20e10, 0.1)):
        crossbar = array(read={"drift": 0.1, "age": age})
        crossbar.load(codes)
        written = np.array([np.maximum(codes, 0), np.maximum(-codes, 0)])
        assert np.abs(crossbar.cells.aged() - written * factor).max() <= 2.0**-13 * (factor != 1) + 1e-9
        assert np.array_equal(crossbar.state()["plus"], written[0])  # what was written is still known
        x = np.random.default_rng(1).integers(-128, 128, 256)
        assert np.abs(crossbar.forward(x) - factor * (codes @ x)).max() <= 2.0**-12 * np.abs(x).sum()


def test_drift_of_a_device_is_its_own_for_good():
    """Without it a weight would age differently at every look: nu is a property of the device."""
    read = {"drift": 0.05, "drift_spread": 0.01}
    nu = []
    for age in (1e4, 1e7):
        crossbar = array(read=read | {"age": age}, device={"g_min": 2.0, "weight_range": 4.0})
        write(crossbar, 10_000)
        ratio = crossbar.cells.aged() / crossbar.cells.pair
        nu.append(-np.log(ratio) / np.log(age / 20))
        assert np.array_equal(crossbar.cells.aged(), crossbar.cells.aged())
    assert np.abs(nu[1] - nu[0]).max() < 1e-6
    assert abs(nu[0].mean() - 0.05) < 5 * 0.01 / sqrt(2 * CELLS)
    assert abs(nu[0].std() / 0.01 - 1) < 5 / sqrt(4 * CELLS)
    assert abs(np.corrcoef(nu[0].reshape(2, -1))[0, 1]) < 5 / sqrt(CELLS)


# -------------------------------------------------------------------------------------------- faults

@pytest.mark.parametrize("weight_range", [1.0, 0.6])
@pytest.mark.parametrize("on, off", [(0.01, 0.0), (0.0, 0.02), (0.03, 0.05), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0)])
def test_stuck_cells_are_as_many_as_configured_and_never_move(on, off, weight_range):
    """Without it yield would be another number than the one given, or a broken device would learn."""
    crossbar = array(device={"g_min": 1.0, "g_max": 25.0, "weight_range": weight_range},
                     faults={"stuck_on": on, "stuck_off": off}, programming={"noise": [0.01]})
    pairs = [write(crossbar, code).copy() for code in (4096, -4096, 0)]
    stuck = (pairs[0] == pairs[1]) & (pairs[0] == pairs[2])
    for g, share in ((25.0, on), (1.0, off)):
        at = stuck & (abs(pairs[0] - g) < 1e-3)
        assert abs(at.sum() - 2 * CELLS * share) <= 5 * sqrt(2 * CELLS * share * (1 - share))
        half = at[0].mean() * at[1].mean()
        assert abs((at[0] & at[1]).mean() - half) <= 5 * sqrt(half * (1 - half) / CELLS)
    assert not (stuck & (abs(pairs[0] - 25) > 1e-3) & (abs(pairs[0] - 1) > 1e-3)).any()
    assert np.array_equal(stuck, crossbar.cells.size == 0)
    fire = np.full(192, 0xFFFFFFFF, np.uint32), np.zeros(192, np.uint32)
    meet = np.full(256, 0xFFFFFFFF, np.uint32), np.zeros(256, np.uint32)
    for sign in (1, -1):
        before = crossbar.cells.pair.copy()
        crossbar.step(np.full(192, 100 * sign), np.full(256, 100), np.full(256, 3), np.ones(256, np.int64))
        wires = (*fire, *meet, fire[1], fire[1], *meet) if sign > 0 else (fire[1], fire[1], *meet, *fire, *meet[::-1])
        crossbar.pulses(*wires)
        moved = crossbar.cells.pair != before
        assert not (moved & stuck).any()
        assert (moved.any(axis=0) | stuck.any(axis=0)).all()


@pytest.mark.parametrize("name", device_names())
def test_published_devices_carry_their_polynomials(name):
    """Without it a preset could hold another device than its name says."""
    p = machine(**SIZE, analog={"preset": name}).analog
    law, top = {"pcm": (joshi, 25.0), "rram_filament": (wan, 39.26)}.get(name, (lambda g: 0 * g, p.device.g_max))
    g = np.linspace(p.device.g_min, p.device.g_max, 50)
    assert p.device.g_max == top
    assert np.allclose(programming_sigma(p.programming, g, top), law(g), rtol=1e-12)
