"""The neuron unit against its formula in exact rationals, then the RTL against the golden twin.

Without it a clip on the wrong side of a sum, a clamp that only holds in STEP, or a pipeline stage
that takes the flags of the next row would show as a slightly different learning curve.
"""

from fractions import Fraction
from math import floor
from random import Random

import numpy as np
import pytest
from helpers import LEGAL, machine, simulate

from golden.neuron import Neuron as GoldenNeuron
from golden.neuron import Rows, Saturations
from golden.table import Table
from hebbar.activations import table
from hebbar.isa import Sweep
from hw.neuron import Neuron as HwNeuron

CONFIGS = {
    "wide": {},
    "narrow": {"state_bits": 10, "state_frac": 6, "error_bits": 8, "weight_bits": 8, "weight_frac": 6,
               "row_tiles": 2},
    "full word": {"state_bits": 9, "state_frac": 5, "error_bits": 9, "activity_bits": 6,
                  "activity_frac": 5, "row_tiles": 4},
    "quarter word": {"lanes": 8, "row_tiles": 2, "error_bits": 12},
}
FUNCTIONS = ("tanh", "leaky", "identity")


def tables(config, derivative):
    f = config.formats
    out = f.derivative if derivative else f.activity
    return [Table(table(name, derivative, f, f.activity.frac), f, out) for name in FUNCTIONS]


def rnd(value):
    return floor(value + Fraction(1, 2))


def clip(value, format, counts, name):
    nearest = min(max(value, format.lo), format.hi)
    counts[name] += nearest != value
    return nearest


def formula(f, row, flags, gain, function, derivative, counts):
    """The docstring of both twins, one row, in rationals; returns the new row."""
    total = row["sum"] + (row["base"] if Sweep.BASE in flags else 0)
    mu = rnd(Fraction(total * 2**f.state.frac, 2**f.row_sum.frac))
    x, e, free = row["state"], row["error"], not row["clamp"]
    if Sweep.INIT in flags and free:
        x = clip(mu, f.state, counts, "state")
    if Sweep.ERR in flags:
        e = clip(x - mu, f.error, counts, "error")
    slope = Fraction(int(derivative(np.array([x]))[0]), 2**f.derivative.frac)
    back = row["back"] if Sweep.BACK in flags else 0
    fb = rnd(Fraction(back * 2**f.feedback.frac, 2**f.back_sum.frac))
    if flags & (Sweep.STEP | Sweep.DELTA):
        fb = clip(fb, f.feedback, counts, "feedback")
    if Sweep.DELTA in flags:
        e = clip(rnd(slope * fb), f.error, counts, "error")
    if Sweep.STEP in flags and free:
        x = clip(x + rnd(Fraction(gain, 2**f.gain.frac) * (slope * fb - e)), f.state, counts, "state")
    a = int(function(np.array([x]))[0]) if Sweep.ACT in flags else row["activity"]
    return {"state": x, "error": e, "activity": a,
            "base": total if Sweep.HOIST in flags else row["base"]}


def random_rows(config, count, rng):
    """Rows with every value at its ends or anywhere between, small ones included."""
    f = config.formats

    def codes(lo, hi):
        size = rng.choice([1, 0.1, 0.003])
        low, high = int(lo * size), int(hi * size)
        values = rng.integers(low, high + 1, count)
        return np.where(rng.random(count) < 0.2, rng.choice([lo, hi, 0, -1, 1], count), values)

    half = 1 << f.row_sum.bits - 2
    return {"sum": codes(-half, half - 1), "base": codes(-half, half - 1),
            "state": codes(f.state.lo, f.state.hi), "error": codes(f.error.lo, f.error.hi),
            "back": codes(f.back_sum.lo, f.back_sum.hi), "clamp": rng.integers(0, 2, count),
            "activity": codes(f.activity.lo, f.activity.hi)}


def counts_of(saturations):
    return {n: getattr(saturations, n).count for n in ("error", "state", "feedback")}


@pytest.mark.parametrize("name", CONFIGS)
def test_golden_follows_the_formula(name):
    """All legal flag sets; one rounding each for mu, feedback and step, in rationals."""
    config, rng = machine(**CONFIGS[name]), np.random.default_rng(1)
    f, saturations = config.formats, Saturations.zero()
    unit, fs, ds = GoldenNeuron(f, saturations), tables(config, False), tables(config, True)
    expected_counts = dict.fromkeys(counts_of(saturations), 0)
    for number, flags in enumerate(LEGAL):
        values, gain, which = random_rows(config, 4, rng), int(rng.choice([0, 1, 64, 128, 255])), number % 3
        rows = Rows(**{k: v.copy() for k, v in values.items()})
        unit(rows, flags, gain, fs[which], ds[which])
        for i in range(4):
            row = {k: int(v[i]) for k, v in values.items()}
            new = formula(f, row, flags, gain, fs[which], ds[which], expected_counts)
            assert {k: int(getattr(rows, k)[i]) for k in new} == new, (flags, row)
    assert counts_of(saturations) == expected_counts
    assert all(expected_counts.values())


class _Bench:
    """The memories and tables around hw.neuron: every answer one cycle after its address."""

    def __init__(self, config, groups, rng):
        self.config, self.unit, self.rng = config, HwNeuron(config), rng
        tiles = config.row_tiles
        self.memory = {k: v.reshape(groups, tiles) for k, v in
                       random_rows(config, groups * tiles, np.random.default_rng(3)).items()}
        self.fs, self.ds = tables(config, False), tables(config, True)
        self.gains = [int(g) for g in rng.sample(range(256), 3)] + [255]
        self.rows, self.errors = [], {}
        self.counts = dict.fromkeys(
            ("sat_error", "sat_state", "sat_feedback", "steps", "activations"), 0)
        self.busy_at, self.quiet_at = {}, {}

    def stream(self, rows, gap):
        """Add rows (group, flags, live mask, gain, function), each after a random gap."""
        for row in rows:
            self.rows += [None] * (self.rng.randrange(4) if self.rng.random() < gap else 0) + [row]

    async def run(self, ctx):
        unit = self.unit
        ctx.set(unit.gains, self.gains)
        waiting = []
        for cycle, row in enumerate(self.rows + [None] * (unit.latency + 1)):
            self._offer(ctx, row)
            _, _, *seen = await ctx.tick().sample(
                unit.back_word, unit.derivative_table, unit.derivative_state, unit.function_table,
                unit.function_state, unit.error, unit.busy)
            self._answer(ctx, *seen[:5])
            waiting.append(row)
            if len(waiting) > unit.error_latency and waiting[-1 - unit.error_latency]:
                self.errors[waiting[-1 - unit.error_latency][0]] = list(seen[5])
            recent = waiting[-unit.latency:-1]
            assert bool(seen[6]) == any(recent), f"busy in cycle {cycle}"

    def _offer(self, ctx, row):
        unit = self.unit
        group, flags, live, gain, function = row or (
            self.rng.randrange(len(self.memory["state"])), Sweep(2047), 255, 3, 1)
        ctx.set(unit.row_valid, int(row is not None))
        ctx.set(unit.row, {"flags": int(flags), "gain": gain, "function": function, "group": group,
                           "live": live & (1 << self.config.row_tiles) - 1, "first": 0})
        for port, name in (("sums", "sum"), ("state", "state"), ("old_error", "error"),
                           ("base", "base"), ("clamp", "clamp")):
            ctx.set(getattr(unit, port), self.memory[name][group].tolist())

    def _answer(self, ctx, back_word, table_d, state_d, table_f, state_f):
        unit, lanes = self.unit, self.config.lanes
        flat = self.memory["back"].ravel()
        word = flat[back_word * lanes:(back_word + 1) * lanes].tolist()
        ctx.set(unit.back, word + [0] * (lanes - len(word)))
        for port, bank, number, state in ((unit.derivative, self.ds, table_d, state_d),
                                          (unit.function, self.fs, table_f, state_f)):
            ctx.set(port, bank[number % 3](np.array(list(state))).tolist())

    async def writes(self, ctx):
        """Carry out what the unit writes; groups are only used once, so order does not matter."""
        unit, ports = self.unit, {}
        for name in ("base", "state", "error", "activity"):
            ports[name] = getattr(unit, f"write_{name}")
        signals = [s for p in ports.values() for s in (p.group, p.mask, p.data)]
        async for _, _, *seen in ctx.tick().sample(*signals, *(getattr(unit, c) for c in self.counts)):
            for i, name in enumerate(ports):
                group, mask, values = seen[3 * i:3 * i + 3]
                for p in range(self.config.row_tiles if mask else 0):
                    if mask >> p & 1:
                        self.memory[name][group, p] = values[p]
            for name, amount in zip(self.counts, seen[3 * len(ports):], strict=True):
                self.counts[name] += amount


@pytest.mark.parametrize("gap", [0, 0.5])
@pytest.mark.parametrize("name", CONFIGS)
def test_hw_equals_golden(name, gap):
    """Every legal flag set, neighbours with different flags, tails, gains and clips; all counts."""
    config, rng = machine(**CONFIGS[name]), Random(f"{name} {gap}")
    tiles, bench = config.row_tiles, None
    orders = LEGAL + rng.sample(LEGAL, 32)
    bench = _Bench(config, len(orders), rng)
    rng.shuffle(orders)
    full = (1 << tiles) - 1
    rows = [(group, flags, rng.choice([full, full, full >> rng.randrange(tiles)]),
             rng.randrange(4), rng.randrange(3)) for group, flags in enumerate(orders)]
    bench.stream(rows, gap)
    before = {k: v.copy() for k, v in bench.memory.items()}
    simulate(bench.unit, bench.run, bench.writes)

    saturations = Saturations.zero()
    twin, work = GoldenNeuron(config.formats, saturations), {"steps": 0, "activations": 0}
    for group, flags, live, gain, function in rows:
        count = live.bit_count()
        values = Rows(**{k: v[group, :count].copy() for k, v in before.items()})
        twin(values, flags, bench.gains[gain], bench.fs[function], bench.ds[function])
        for key in ("base", "state", "error", "activity"):
            after = before[key][group].copy()
            after[:count] = getattr(values, key)
            assert bench.memory[key][group].tolist() == after.tolist(), (key, flags, live)
        if not flags & Sweep.DELTA:
            assert bench.errors[group] == values.error.tolist() + [0] * (tiles - count), flags
        work["steps"] += count * bool(flags & (Sweep.STEP | Sweep.DELTA))
        work["activations"] += count * bool(flags & Sweep.ACT)
    expected = {f"sat_{k}": v for k, v in counts_of(saturations).items()} | work
    assert bench.counts == expected
    assert all(expected.values())
