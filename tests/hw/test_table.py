"""Activation tables: every state code of every function, against mathematics and against the RTL.

A table that is off by one segment, or that interpolates with the wrong sign, still looks like the
function it should be: networks train on it, only worse.
"""

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from helpers import machine, simulate

from golden.table import Table as GoldenTable
from hebbar.contract.activations import ACTIVATIONS, ENTRY_BITS, LEAK, table
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format
from hebbar.contract.geometry import ports
from hebbar.contract.memories import TABLE, Mem, unpack
from hw.table import Table as HwTable

MACHINE = machine()
FORMATS = MACHINE.formats
STATES = np.arange(FORMATS.state.lo, FORMATS.state.hi + 1)
SEGMENT = 2**FORMATS.table_frac / FORMATS.state.scale
"""Width of a segment in x."""

EXACT = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, Fraction(0)),
    "leaky": lambda x: x if x >= 0 else x * Fraction(LEAK),
    "hard_tanh": lambda x: max(Fraction(-1), min(Fraction(1), x))}
STEPS = {
    "identity": lambda x: Fraction(1),
    "relu": lambda x: Fraction(x >= 0),
    "leaky": lambda x: Fraction(1) if x >= 0 else Fraction(LEAK),
    "hard_tanh": lambda x: Fraction(-1 <= x < 1)}
CURVES = {
    "tanh": (math.tanh, 4 / 3 / math.sqrt(3), lambda x: 1 / math.cosh(x) ** 2, 2.0),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), 1 / 6 / math.sqrt(3),
                lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2, 1 / 8)}
"""f, the largest |f''|, f', the largest |f'''|."""


def nearest(value, out):
    """The nearest code of a real or rational value, ties up, clipped."""
    return min(max(math.floor(value * 2**out.frac + Fraction(1, 2)), out.lo), out.hi)


def golden(name, derivative, formats=FORMATS, frac=5):
    out = formats.derivative if derivative else Format(formats.activity.bits, frac)
    entries = table(name, derivative, formats, frac)
    return GoldenTable(entries, formats, out), out, entries


@pytest.mark.parametrize("frac", [5, 7])
@pytest.mark.parametrize("name", EXACT)
def test_piecewise_linear_functions_are_exact(name, frac):
    """All 65,536 states. The one segment in which the output reaches its last code may be one
    code low, because the table cannot hold a right end beyond the range."""
    f, out, _ = golden(name, False, frac=frac)
    got = f(STATES)
    expected = np.array([nearest(EXACT[name](Fraction(s, 2**FORMATS.state.frac)), out)
                         for s in STATES.tolist()])
    top = out.hi / out.scale
    real = np.array([float(EXACT[name](Fraction(s, 2**FORMATS.state.frac))) for s in STATES.tolist()])
    at_top = (real > top - SEGMENT) & (real < top + SEGMENT)
    assert (got == expected)[~at_top].all()
    assert (np.abs(got - expected) <= 1).all()


@pytest.mark.parametrize("name", STEPS)
def test_their_derivatives_are_steps(name):
    """A slope at the kink would smear f' over a segment; gradients there would be wrong."""
    f, out, _ = golden(name, True)
    assert f(STATES).tolist() == [nearest(STEPS[name](Fraction(s, 2**FORMATS.state.frac)), out)
                                  for s in STATES.tolist()]


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("name", CURVES)
def test_smooth_functions_stay_within_the_interpolation_bound(name, derivative):
    """|error| <= h**2 / 8 max|f''| + half a code of the entries + half a code of the output."""
    f, out, _ = golden(name, derivative, frac=6)
    function, curvature = CURVES[name][2 * derivative:2 * derivative + 2]
    real = np.array([function(s / FORMATS.state.scale) for s in STATES.tolist()])
    entry_code = 1 / out.scale / 2 ** (ENTRY_BITS - out.bits)
    bound = SEGMENT**2 / 8 * curvature + entry_code / 2 + 0.5 / out.scale
    error = np.abs(f(STATES) / out.scale - real)
    assert error.max() <= bound * (1 + 1e-9)
    assert error.max() > 0.4 / out.scale, "a bound that is never near is no test"


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("bits", [6, 8, 10, 16])
def test_golden_interpolates_its_entries(name, derivative, bits):
    """floor of the exact rational between the segment ends: the reading of an entry, bit by bit."""
    formats = machine(state_bits=bits, state_frac=bits - 4).formats
    f, out, entries = golden(name, derivative, formats, frac=5)
    states = np.arange(formats.state.lo, formats.state.hi + 1)
    width = 2**formats.table_frac
    got = f(states).tolist()
    for s in Random(bits).sample(range(states.size), min(states.size, 3000)):
        code = int(states[s])
        entry = unpack(TABLE, entries[(code // width) % len(entries)])
        value, slope = ((v ^ 1 << 15) - (1 << 15) for v in (entry["value"], entry["slope"]))
        exact = Fraction(value) + Fraction(slope * (code % width), width)
        scaled = math.floor(exact / 2 ** (ENTRY_BITS - out.bits) + Fraction(1, 2))
        assert got[s] == min(max(scaled, out.lo), out.hi)


def test_table_refuses_a_jump_it_cannot_hold():
    """A slope that does not fit 16 bits would wrap to the other sign."""
    formats = machine(state_bits=8, state_frac=4).formats
    assert table("tanh", False, formats, 7)
    coarse = machine(state_bits=16, state_frac=3, weight_frac=3, activity_frac=0).formats
    with pytest.raises(BadInput, match=r"jumps by .* inside one segment"):
        table("hard_tanh", False, coarse, 7)


def _run(config, out, entries, groups):
    """Outputs of hw.table for ``groups``: (function, states of the readers), a group a cycle."""
    mem = Mem.DERIVATIVE if out == config.formats.derivative else Mem.FUNCTION
    unit = HwTable(config.formats, out, ports(config)[mem], config.row_tiles)
    got = []

    async def bench(ctx):
        ctx.set(unit.host.select, 1)
        ctx.set(unit.host.write, 1)
        for address, entry in enumerate(entries):
            ctx.set(unit.host.address, address)
            ctx.set(unit.host.beat, entry)
            await ctx.tick()
        ctx.set(unit.host.select, 0)
        ctx.set(unit.host.write, 0)
        for function, states in groups + [groups[0]] * unit.latency:
            ctx.set(unit.function, function)
            ctx.set(unit.state, states)
            *_, out_now = await ctx.tick().sample(unit.out)
            got.append(list(out_now))

    simulate(unit, bench)
    return got[unit.latency:]


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("bits, tiles", [(6, 1), (8, 2), (10, 2)])
def test_hw_equals_golden_for_every_state_of_a_narrow_machine(bits, tiles, derivative):
    """No interpolation bits, fewer index bits than eight, and both: the corners of the widths."""
    config = machine(state_bits=bits, state_frac=bits - 4, row_tiles=tiles)
    names = ["tanh", "leaky", "hard_tanh"]
    tables = [golden(n, derivative, config.formats, frac=config.formats.activity.frac) for n in names]
    out = config.formats.derivative if derivative else config.formats.activity
    states = np.random.default_rng(bits).permutation(
        np.arange(config.formats.state.lo, config.formats.state.hi + 1)).tolist()
    groups = [(f, states[i:i + tiles]) for f in range(len(names)) for i in range(0, len(states), tiles)]
    got = _run(config, out, [e for t in tables for e in t[2]], groups)
    assert got == [tables[f][0](np.array(g)).tolist() for f, g in groups]


@pytest.mark.parametrize("derivative", [False, True])
def test_hw_equals_golden_at_full_width(derivative):
    """Segment ends and range ends: where index, fraction and sign of the state meet."""
    config = machine(row_tiles=4)
    names, rng = ["sigmoid", "relu", "tanh"], np.random.default_rng(1)
    tables = [golden(n, derivative, frac=7) for n in names]
    width = 1 << FORMATS.table_frac
    ends = np.arange(FORMATS.state.lo, FORMATS.state.hi, width)
    codes = np.concatenate([ends, ends + width - 1, rng.integers(FORMATS.state.lo, FORMATS.state.hi + 1, 512)])
    groups = [(int(f), g.tolist()) for g in rng.permutation(codes).reshape(-1, 4)
              for f in rng.permutation(3)[:2]]
    out = FORMATS.derivative if derivative else FORMATS.activity
    got = _run(config, out, [e for t in tables for e in t[2]], groups)
    assert got == [tables[f][0](np.array(g)).tolist() for f, g in groups]
