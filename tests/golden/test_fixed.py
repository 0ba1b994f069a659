"""Rounding and saturation, the two operations that change a number format.

Without these tests a wrong tie, a negative number rounded towards zero, or a lost clip would shift
every state and weight by less than an LSB: no comparison of the two machines would notice when both
make the same mistake, and training would only get a little worse.
"""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.sim import Simulator
from helpers import settle
from hypothesis import given, strategies as st

from golden import fixed as golden
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format
from hw import fixed as hw

WIDTH = 6
CODES = range(-(1 << WIDTH - 1), 1 << WIDTH - 1)


def definition(value, shift):
    """floor(v / 2**s + 1/2) in rationals."""
    return floor(Fraction(value, 2**shift) + Fraction(1, 2))


@pytest.mark.parametrize("shift", range(9))
def test_golden_rounds_every_small_number_as_defined(shift):
    """Ties and negative numbers: numpy's shift floors, its ``round`` goes to even; neither is ours."""
    values = np.arange(-600, 601)
    assert golden.round_half_up(values, shift).tolist() == [definition(v, shift) for v in
                                                            values.tolist()]


@pytest.mark.parametrize("value, shift, rounded", [
    (1, 1, 1), (-1, 1, 0), (3, 1, 2), (-3, 1, -1), (5, 0, 5), (-5, 0, -5), (2, 2, 1), (-2, 2, 0)])
def test_ties_go_up(value, shift, rounded):
    """The documented direction of a tie, in numbers that can be read."""
    assert golden.round_half_up(np.array([value]), shift).tolist() == [rounded]


@given(st.lists(st.tuples(st.integers(-2**52, 2**52), st.integers(0, 31)), min_size=1))
def test_golden_rounds_wide_numbers_by_an_array_of_shifts(pairs):
    """UPD rounds every column by its own rate; one shift for all would still pass small tests."""
    values, shifts = np.array(pairs, np.int64).T
    assert golden.round_half_up(values, shifts).tolist() == [definition(v, s) for v, s in pairs]


def test_golden_clips_and_counts():
    """A clip that is not counted hides overflow from the user; a value on the rail is no clip."""
    saturate = golden.Saturation()
    assert saturate(np.arange(-20, 21), Format(4, 0)).tolist() == [
        min(max(v, -8), 7) for v in range(-20, 21)]
    assert saturate.count == 12 + 13
    assert saturate(np.array([-8, 7]), Format(4, 2)).tolist() == [-8, 7]
    assert saturate.count == 25
    assert saturate(np.array([8]), Format(4, 2)).tolist() == [7]
    assert saturate.count == 26


def test_quantise_finds_the_nearest_code():
    """Weights enter here; a floor instead of nearest would bias every initial weight by half an LSB."""
    format = Format(6, 3)
    values = np.arange(-100, 100) / 16
    codes = golden.quantise(values, format)
    expected = [min(max(definition(int(v * 16), 1), -32), 31) for v in values]
    assert codes.tolist() == expected
    assert (golden.quantise(golden.to_float(np.arange(-32, 32), format), format)
            == np.arange(-32, 32)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_quantise_refuses_what_is_no_number(bad):
    """A NaN cast to an integer is an arbitrary weight."""
    with pytest.raises(BadInput, match=r"weights holds .* at \(1,\); give finite numbers"):
        golden.quantise(np.array([0.0, bad]), Format(8, 3), "weights")


def _comb(expressions, inputs, cases, m=None):
    """The outputs of combinational ``expressions``, which may take signals of ``m``, for every tuple of ``inputs``."""
    m, outs, rows = m or Module(), [], []
    for i, expression in enumerate(expressions):
        out = Signal(expression.shape(), name=f"out{i}")
        m.d.comb += out.eq(expression)
        outs.append(out)

    async def bench(ctx):
        for case in cases:
            for signal, value in zip(inputs, case, strict=True):
                ctx.set(signal, value)
            rows.append([ctx.get(out) for out in outs])

    settle(m, bench)
    return rows


def test_hw_rounds_every_code_by_every_constant():
    """The half must be added at full width: one bit too few turns the largest code negative."""
    value, shifts = Signal(signed(WIDTH)), range(WIDTH + 3)
    rows = _comb([hw.round_half_up(value, s) for s in shifts], [value], [(v,) for v in CODES])
    assert rows == [[definition(v, s) for s in shifts] for v in CODES]


@pytest.mark.parametrize("bits", [3, 5])
def test_hw_rounds_every_code_by_every_signal(bits):
    """Rates up to 31 shift a product out altogether; -1 must round to 0 there, not stay -1."""
    value, shift = Signal(signed(WIDTH)), Signal(unsigned(bits))
    cases = [(v, s) for v in CODES for s in range(1 << bits)]
    rows = _comb([hw.round_variable(value, shift)], [value, shift], cases)
    assert rows == [[definition(v, s)] for v, s in cases]


def test_hw_clips_every_code_to_every_format():
    """Formats below, at and above the width of the value; the flag is what gets counted."""
    m, value, widths = Module(), Signal(signed(WIDTH)), range(2, WIDTH + 3)
    outputs = [part for w in widths for part in hw.saturate(m, value, Format(w, 0), f"to_{w}")]
    rows = _comb(outputs, [value], [(v,) for v in CODES], m)
    for v, row in zip(CODES, rows, strict=True):
        for w, clipped, flag in zip(widths, row[::2], row[1::2], strict=True):
            nearest = min(max(v, -(1 << w - 1)), (1 << w - 1) - 1)
            assert (clipped, flag) == (nearest, int(nearest != v))


@pytest.mark.parametrize("registered", [0, 1, 2])
@pytest.mark.parametrize("count, levels", [(1, 0), (2, 1), (3, 2), (5, 3), (8, 3), (17, 5)])
def test_tree_adds_exactly_with_registers_before_its_last_level(count, levels, registered):
    """A level that does not grow by a bit wraps only when all terms are extreme. What is left for the last level comes
    after as many cycles as the levels before it take, one or two of them a cycle."""
    m = Module()
    terms = [Signal(signed(WIDTH), name=f"term{i}") for i in range(count)]
    total = hw.tree(m, list(terms), "tree", registered=registered)
    late = ceil(max(levels - 1, 0) / registered) if registered else 0
    rng = np.random.default_rng(count)
    rows = [[CODES[0]] * count, [CODES[-1]] * count,
            *rng.integers(CODES[0], CODES[-1] + 1, (40, count)).tolist()]
    got = []

    async def bench(ctx):
        for row in rows + [[0] * count] * late:
            for term, value in zip(terms, row, strict=True):
                ctx.set(term, value)
            if registered:
                got.append((await ctx.tick().sample(total))[-1])
            else:
                got.append(ctx.get(total))

    m.d.sync += Signal(name="clocked").eq(1)
    simulator = Simulator(m)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    assert got[late:] == [sum(row) for row in rows]


def test_pipe_delays_a_signed_value_by_whole_cycles():
    """A delayed copy that forgets its sign shows only with negative errors."""
    m, value = Module(), Signal(signed(WIDTH))
    copies, seen = hw.pipe(m, value, 3, "copy"), []

    async def bench(ctx):
        for v in CODES:
            ctx.set(value, v)
            seen.append((await ctx.tick().sample(*copies))[-4:])

    simulator = Simulator(m)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    for delay in range(4):
        assert [s[delay] for s in seen][delay:] == list(CODES)[:len(CODES) - delay]


@pytest.mark.parametrize("width", range(1, 11))
def test_popcount_of_every_word(width):
    """A level of the tree that is a bit short counts a full word as none."""
    m, bits = Module(), Signal(width)
    count = hw.popcount(m, bits, "ones")
    assert len(count) == width.bit_length() or width & width - 1  # odd ones out may cost a bit more
    rows = _comb([count], [bits], [(word,) for word in range(1 << width)], m)
    assert rows == [[word.bit_count()] for word in range(1 << width)]


@pytest.mark.parametrize("width", [96, 512, 1000, 1024])
def test_popcount_of_wide_words(width):
    """As many bits as an engine has lanes: an adder for each after the other once ended in a RecursionError."""
    m, bits = Module(), [Signal(name=f"bit_{i}") for i in range(width)]
    word, random = Signal(width), np.random.default_rng(width)
    m.d.comb += [bit.eq(word[i]) for i, bit in enumerate(bits)]
    words = [0, 1, 1 << width - 1, (1 << width) - 1, *(int.from_bytes(random.bytes(width)) >> 7 * width
                                                       for _ in range(8))]
    rows = _comb([hw.popcount(m, bits, "ones")], [word], [(w,) for w in words], m)
    assert rows == [[w.bit_count()] for w in words]


def test_named_values_are_written_once():
    """Without a name every bit that is taken of a sum would be a sum of its own in the Verilog."""
    m, a, b, out = Module(), Signal(8), Signal(8), Signal(9)
    total = hw.named(m, a + b, "total")
    m.d.comb += out.eq(Cat(total[i] for i in reversed(range(9))))
    assert hw.named(m, total, "again") is total
    assert rtlil.convert(m, ports=[a, b, out]).count("cell $add") == 1
