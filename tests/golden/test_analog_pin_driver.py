"""The analog macro at its pins: cycles packed by hand do what vectors do."""

from itertools import cycle
from typing import Any

import numpy as np
import pytest
from helpers import machine

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog.pin_driver import PinDriver
from hebbar.contract.pins import MacroOp, activity_drive_bits, cell_lanes, column_bits, error_drive_bits, pins, row_bits

SIZES = {
    "narrow": {"lanes": 4, "row_tiles": 1, "weight_words": 12, "max_columns": 3},
    "square words": {"lanes": 4, "row_tiles": 4, "weight_words": 6, "max_columns": 2},
    "wide": {"lanes": 8, "row_tiles": 2, "weight_words": 10, "max_columns": 2, "weight_bits": 18, "weight_frac": 14}}
NOISE: dict[str, dict[str, Any]] = {
    "device": {"g_min": 1.0, "g_max": 25.0, "weight_range": 2.0}, "programming": {"noise": [0.05, 0.01]},
    "read": {"additive": 0.02, "proportional": 0.01}, "faults": {"stuck_on": 0.02, "stuck_off": 0.05},
    "update": {"device_spread": 0.2, "pulse_spread": 0.3, "asymmetry": 0.05, "soft_bounds": 0.5},
    "converters": {"offset": 0.7, "gain": 0.02, "inl": 0.5, "noise": 0.4}}
PHYSICS = {"ideal": {}, "noisy": NOISE, "noisy pairs": NOISE | {"device": NOISE["device"] | {"coding": "balanced"}}}


def signed(values, width):
    """Numbers of ``width`` bits side by side, the first lowest, in two's complement."""
    return sum((int(v) % (1 << width)) << i * width for i, v in enumerate(values))


def wires(plus, minus):
    """Wire 2 i is the positive side of line i, wire 2 i + 1 the negative one."""
    return sum(int(p) << 2 * i | int(m) << 2 * i + 1 for i, (p, m) in enumerate(zip(plus, minus, strict=True)))


class Bench:
    """A macro at its pins, and another one, with the same seed, called with vectors."""

    def __init__(self, size, physics, **control):
        settings = {"align": 3, "row_bits": 9, "row_step": 8, "column_bits": 7, "column_step": 14} | control
        self.machine = m = machine(tile="analog", **SIZES[size], analog={
            **PHYSICS[physics], "control": settings, "seed": 12})
        (self.array, self.rows, self.columns), (pinned, *sides) = ((
            AnalogArray(m), LineConverters(m, "rows"), LineConverters(m, "columns")) for _ in range(2))
        self.pinned, self.driver = pinned, PinDriver(m, pinned, *sides)
        self.rng = np.random.default_rng(4)
        self.widths = {n: w for n, w in pins(m).items() if n not in ("phase", "strobe", "compare")}
        self.anything = cycle([{n: int.from_bytes(self.rng.bytes(w)) % (1 << w) for n, w in self.widths.items()}
                               for _ in range(7)])
        everywhere = np.indices(self.array.codes().shape).reshape(2, -1)
        targets = self.rng.integers(-9000, 9000, everywhere[0].size)
        for one in (self.array, self.pinned):
            one.write(*everywhere, targets)

    def cycle(self, phase, **given):
        """One cycle; the pins that a phase does not name carry anything."""
        for name, value in given.items():
            assert 0 <= value < 1 << self.widths[name], name
        return self.driver.cycle(phase, **next(self.anything) | given)

    def drive(self, phase, pin, values, bits):
        """Sign and magnitude, the least bit first."""
        for bit in range(bits):
            on = abs(values) >> bit & 1
            self.cycle(phase, **{pin: wires(on & (values > 0), on & (values < 0))})

    def search(self, phase, count, bits, **given):
        """Codes of ``count`` converters that search together, from what ``compare`` answers."""
        codes = [-(1 << bits - 1)] * count
        for bit in reversed(range(bits)):
            trial = [code + (1 << bit) for code in codes]
            answer = self.cycle(phase, dac=signed(trial, bits), **given)
            assert answer >> count == 0
            codes = [t if answer >> i & 1 else c for i, (c, t) in enumerate(zip(codes, trial))]
        return codes

    def same(self):
        for name, values in self.array.state().items():
            assert np.array_equal(self.pinned.state()[name], values), name

    def forward(self, activity):
        m = self.machine
        self.drive(MacroOp.COLUMNS, "column_drive", activity, activity_drive_bits(m))
        self.cycle(MacroOp.HOLD_ROWS)
        groups = self.rng.permutation(m.array_rows // m.row_tiles)
        found = {g: self.search(MacroOp.COMPARE_ROWS, m.row_tiles, row_bits(m), line=int(g)) for g in groups}
        held = self.rows.held(self.array.forward(activity))
        assert np.concatenate([found[g] for g in sorted(found)]).tolist() == self.rows.convert(
            held, np.arange(m.array_rows)).tolist()

    def transposed(self, error):
        m = self.machine
        self.drive(MacroOp.ROWS, "row_drive", error, error_drive_bits(m))
        self.cycle(MacroOp.HOLD_COLUMNS)
        words = self.rng.permutation(m.array_stride)
        found = {k: self.search(MacroOp.COMPARE_COLUMNS, m.lanes, column_bits(m), line=int(k)) for k in words}
        held = self.columns.held(self.array.transposed(error))
        assert np.concatenate([found[k] for k in sorted(found)]).tolist() == self.columns.convert(
            held, np.arange(m.array_columns)).tolist()

    def step(self, error, activity, rate, enable):
        m = self.machine
        self.drive(MacroOp.STEP, "row_drive", error, error_drive_bits(m))
        self.cycle(MacroOp.APPLY, amplitude=signed(activity, m.activity_bits), rate=signed(rate, 5),
                   enable=signed(enable, 1))
        self.array.step(error, activity, *(np.repeat(x, m.lanes) for x in (rate, enable)))
        self.same()

    def pulses(self, count):
        """Random pulses on all wires, ``count`` of UP and of DOWN; returns how often wires met, UP less DOWN."""
        m, words, met = self.machine, [], 0
        for phase, sign in ((MacroOp.UP, 1), (MacroOp.DOWN, -1)):
            fired = [self.rng.random((count, n)) < 0.4 for n in (m.array_rows,) * 2 + (m.array_columns,) * 2]
            for rp, rn, cp, cn in zip(*fired):
                self.cycle(phase, row_drive=wires(rp, rn), column_drive=wires(cp, cn))
                pairs = ((rp, cp), (rn, cn)) if sign > 0 else ((rp, cn), (rn, cp))
                met = met + sign * (sum(np.outer(a, b).astype(int) for a, b in pairs) > 0)
            words += [(f << np.arange(count)[:, None]).sum(axis=0).astype(np.uint32) for f in fired]
        self.cycle(MacroOp.FINISH)
        self.array.pulses(*words)
        self.same()
        return met


@pytest.mark.parametrize("physics", PHYSICS)
@pytest.mark.parametrize("size", SIZES)
def test_verbs_bit_by_bit_are_verbs_of_vectors(size, physics):
    """Without it a bit, a wire or a line at the pins of the RTL could mean another one to the physics behind it."""
    bench = Bench(size, physics)
    m, rng = bench.machine, bench.rng
    for _ in range(3):
        bench.forward(rng.integers(-128, 128, m.array_columns) << rng.integers(0, 4, m.array_columns))
        bench.transposed(rng.integers(-2**15, 2**15, m.array_rows))
        error = rng.integers(-2**15, 2**15, m.array_rows)
        bench.step(error, rng.integers(-128, 128, m.array_columns), rng.integers(5, 32, m.array_stride),
                   rng.integers(0, 2, m.array_stride))
        bench.pulses(32)
    bench.forward(np.full(m.array_columns, -128 << 3))
    bench.transposed(np.full(m.array_rows, -2**15))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 7, 32])
def test_pulses_that_meet_are_counted(size, count):
    """Without it both sides could agree on a wrong table of signs: coincidences are outer products, cycle by cycle."""
    bench = Bench(size, "ideal", pulses=count, pulse_exponent=6)
    before = bench.pinned.state()["plus"] - bench.pinned.state()["minus"]
    met = bench.pulses(count)
    after = bench.pinned.state()["plus"] - bench.pinned.state()["minus"]
    assert np.abs(after - before - met * 64 / count).max() <= 2.0**-11 and (met > 0).any()
    assert (met < 0).any() or count == 1


@pytest.mark.parametrize("size", SIZES)
def test_an_ideal_macro_is_integer_arithmetic(size):
    """Without it both sides could agree on wrong sums: here they are products of integers, rounded and clipped."""
    bench = Bench(size, "ideal", row_bits=0, row_step=0, column_bits=30, column_step=3)
    m, rng, codes = bench.machine, bench.rng, bench.array.codes()
    activity, error = rng.integers(-128, 128, m.array_columns), rng.integers(-2**15, 2**15, m.array_rows)
    bench.drive(MacroOp.COLUMNS, "column_drive", activity, activity_drive_bits(m))
    bench.cycle(MacroOp.HOLD_ROWS)
    bench.drive(MacroOp.ROWS, "row_drive", error, error_drive_bits(m))
    bench.cycle(MacroOp.HOLD_COLUMNS)
    for group in range(m.array_rows // m.row_tiles):
        found = bench.search(MacroOp.COMPARE_ROWS, m.row_tiles, m.row_sum_bits, line=group)
        assert found == (codes @ activity)[group * m.row_tiles:][:m.row_tiles].tolist()
    for word in range(m.array_stride):
        found = bench.search(MacroOp.COMPARE_COLUMNS, m.lanes, 30, line=word)
        assert found == ((error @ codes)[word * m.lanes:][:m.lanes] + 4 >> 3).tolist()


# -------------------------------------------------------------------------------------- single cells

def beats(m):
    """Word and bit lines of the cells of every beat: a weight word is P x C, row after row, a row group's words
    stand one after the other."""
    words, tiles, lanes = np.indices((m.weight_words, m.row_tiles, m.lanes)).reshape(3, -1)
    rows = words // m.max_columns * m.row_tiles + tiles
    columns = words % m.max_columns * m.lanes + lanes
    return list(zip(*(x.reshape(-1, cell_lanes(m)) for x in (rows, columns))))


def nearest(m, weights):
    return np.clip(np.floor(weights + 0.5), -(1 << m.weight_bits - 1), (1 << m.weight_bits - 1) - 1).tolist()


@pytest.mark.parametrize("physics", PHYSICS)
@pytest.mark.parametrize("size", SIZES)
def test_every_beat_is_written_and_read(size, physics):
    """Without it the host could program one cell and verify another, or a mask could select its neighbour."""
    bench = Bench(size, physics)
    m, per_beat, top = bench.machine, cell_lanes(bench.machine), 1 << bench.machine.weight_bits - 1
    seen = np.zeros((m.array_rows, m.array_columns), int)
    for number in bench.rng.permutation(len(beats(m))):
        rows, columns = beats(m)[number]
        targets, mask = bench.rng.integers(-top, top, per_beat), bench.rng.integers(0, 2, per_beat)
        bench.cycle(MacroOp.WRITE, cell=int(number), cell_mask=signed(mask, 1),
                    cell_code=signed(targets, m.weight_bits))
        bench.cycle(MacroOp.HOLD_CELLS, cell=int(number))
        found = bench.search(MacroOp.COMPARE_CELLS, per_beat, m.weight_bits)
        on = mask == 1
        bench.array.write(rows[on], columns[on], targets[on])
        assert found == nearest(m, bench.array.cells.read(rows, columns))
        bench.same()
        seen[rows, columns] += 1
    assert (seen == 1).all()
    everywhere = np.indices(seen.shape).reshape(2, -1)
    assert np.array_equal(bench.array.read_cells(*everywhere), bench.pinned.read_cells(*everywhere))


@pytest.mark.parametrize("verify, tolerance", [(0, 0), (1, 0), (3, 25), (6, 40), (2, 1 << 15)])
@pytest.mark.parametrize("physics", ["ideal", "noisy", "noisy pairs"])
@pytest.mark.parametrize("size", SIZES)
def test_loading_is_write_and_verify_beat_by_beat(size, physics, verify, tolerance):
    """Without it the golden machine could verify more cells, or more often, than the control of the RTL: a beat is
    written, then looked at until it is within tolerance or there is no rewrite left; what is off is written again."""
    bench = Bench(size, physics, verify=verify, tolerance=tolerance)
    m, top = bench.machine, 1 << bench.machine.weight_bits - 1
    image = bench.rng.integers(-top // 2, top // 2, (m.array_rows, m.array_columns))
    bench.array.load(image)
    rewritten = looks = 0
    for number, (rows, columns) in enumerate(beats(m)):
        targets, mask = image[rows, columns], np.ones(rows.size, int)
        code = signed(targets, m.weight_bits)
        bench.cycle(MacroOp.WRITE, cell=number, cell_mask=signed(mask, 1), cell_code=code)
        for left in reversed(range(verify + 1) if verify else ()):
            bench.cycle(MacroOp.HOLD_CELLS, cell=number)
            found = bench.search(MacroOp.COMPARE_CELLS, rows.size, m.weight_bits)
            mask, looks = np.array([abs(f - t) > tolerance for f, t in zip(found, targets)]), looks + 1
            if not left or not mask.any():
                break
            bench.cycle(MacroOp.WRITE, cell=number, cell_mask=signed(mask, 1), cell_code=code)
            rewritten += mask.sum()
    bench.same()
    if tolerance < 100:
        assert (rewritten > 0) == (physics != "ideal" and verify > 0)
    assert looks >= len(beats(m)) * (verify > 0)
    everywhere = np.indices(image.shape).reshape(2, -1)  # noise tells how often a cell was read and written before
    assert np.array_equal(bench.array.read_cells(*everywhere), bench.pinned.read_cells(*everywhere))
    for one in (bench.array, bench.pinned):
        one.write(*everywhere, np.zeros(image.size, int))
    bench.same()
