"""The neuron unit against its formula in exact rationals, then the RTL against the golden twin.

Without it a clip on the wrong side of a sum, a clamp that only holds in STEP, or a pipeline stage
that takes the flags of the next row would show as a slightly different learning curve.
"""

from fractions import Fraction
from functools import partial
from math import floor
from random import Random

import numpy as np
import pytest
from helpers import LEGAL, machine, simulate, widest

from golden.neuron import Destination, Neuron as GoldenNeuron, Rows, Saturations
from golden.table import Table
from hebbar.contract.activations import ENTRY_BITS, table
from hebbar.contract.isa import Sweep
from hebbar.contract.memories import TABLE, UNIT_PRECISION
from hebbar.contract.timing import TABLE_LATENCY
from hw.neuron import Neuron as HwNeuron

CONFIGS = {
    "wide": {},
    "narrow": {"state_bits": 10, "state_frac": 6, "error_bits": 8, "weight_bits": 8, "weight_frac": 6,
               "row_tiles": 2, "integral": True},
    "full word": {"state_bits": 9, "state_frac": 5, "error_bits": 9, "activity_bits": 6,
                  "activity_frac": 5, "row_tiles": 4},
    "quarter word": {"lanes": 8, "row_tiles": 2, "error_bits": 12, "integral": True},
    "wide activities": {"activity_bits": 13, "activity_frac": 9, "integral": True},
}
FUNCTIONS = ("tanh", "leaky", "identity")


def tables(config, derivative):
    f = config.formats
    out = f.derivative if derivative else f.activity
    return [Table(table(name, derivative, f, f.activity.frac), f, out) for name in FUNCTIONS]


def rnd(value):
    return floor(value + Fraction(1, 2))


def clip(value, format, counts=None, name=""):
    nearest = min(max(value, format.lo), format.hi)
    if counts is not None:
        counts[name] += nearest != value
    return nearest


def formula(f, row, flags, gain, to, counts):
    """The docstring of both twins, one row, in rationals; returns the new row."""
    total = row["sum"] + (row["base"] if Sweep.BASE in flags else 0)
    gated = Sweep.GATE in flags
    mu = 0 if gated else rnd(Fraction(total * 2**f.state.frac, 2**f.row_sum.frac))
    x, e, free, integral = row["state"], row["error"], not row["clamp"], row["integral"]
    if Sweep.INIT in flags and free:
        x = clip(mu, f.state, counts, "state")
    if Sweep.ERR in flags:
        weighed = (x - mu) * Fraction(2) ** (to.precision - 8)
        if Sweep.INTEGRATE in flags:
            weighed = 0 if x in (f.state.lo, f.state.hi) else weighed
            before = 0 if Sweep.INIT in flags else integral
            integral = clip(before + rnd(weighed), f.error)
            e = clip(before + floor(2 * weighed), f.error, counts, "error")
        else:
            e = clip(rnd(weighed), f.error, counts, "error")
    operand = clip(row["activity"] * 2**to.align if Sweep.POST in flags else e, f.error)
    operand = clip(-operand, f.error) if Sweep.NEG in flags else operand
    slope = Fraction(int(to.derivative(np.array([x]))[0]), 2**f.derivative.frac)
    back = Fraction(row["back"] if Sweep.BACK in flags else 0, 2**f.feedback_sum.frac)
    fb = rnd((back + Fraction(total if gated else 0, 2**f.row_sum.frac)) * 2**f.feedback.frac)
    if flags & (Sweep.STEP | Sweep.DELTA):
        fb = clip(fb, f.feedback, counts, "feedback")
    if Sweep.DELTA in flags:
        e = clip(rnd(slope * fb), f.error, counts, "error")
    if Sweep.STEP in flags and free:
        x = clip(x + rnd(Fraction(gain, 2**f.gain.frac) * (slope * fb - e)), f.state, counts, "state")
    a = int(to.function(np.array([x]))[0]) if Sweep.ACT in flags else row["activity"]
    if Sweep.FIRE in flags and free and x >= 2**f.state.frac:
        x = 0
    return {"state": x, "error": e, "activity": a, "operand": None if Sweep.DELTA in flags else operand,
            "base": total if Sweep.HOIST in flags else row["base"], "integral": integral}


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
            "back": codes(f.feedback_sum.lo, f.feedback_sum.hi), "clamp": rng.integers(0, 2, count),
            "activity": codes(f.activity.lo, f.activity.hi), "integral": codes(f.error.lo, f.error.hi)}


def legal(config):
    """Flag sets for a machine: where it has the memory, a third of those with ERR also with INTEGRATE."""
    beside = [f | Sweep.INTEGRATE for f in LEGAL if f & Sweep.ERR][::3] if config.integral else []
    return LEGAL + beside


def counts_of(saturations):
    return {n: getattr(saturations, n).count for n in ("error", "state", "feedback")}


@pytest.mark.parametrize("name", CONFIGS)
def test_golden_follows_the_formula(name):
    """Legal flag sets; one rounding each for mu, error, feedback and step, in rationals. Without it the
    gated sum could be aligned to the wrong fraction, FIRE hide the state from ACT, or NEG wrap."""
    config, rng = machine(**CONFIGS[name]), np.random.default_rng(1)
    f, saturations = config.formats, Saturations.zero()
    unit, fs, ds = GoldenNeuron(f, saturations), tables(config, False), tables(config, True)
    expected_counts = dict.fromkeys(counts_of(saturations), 0)
    for number, flags in enumerate(legal(config)):
        values, gain, which = random_rows(config, 4, rng), int(rng.choice([0, 1, 64, 128, 255])), number % 3
        rows = Rows(**{k: v.copy() for k, v in values.items()})
        to = Destination(fs[which], ds[which], number % 16, number // 3 % 16)
        unit(rows, flags, gain, to)
        for i in range(4):
            row = {k: int(v[i]) for k, v in values.items()}
            new = formula(f, row, flags, gain, to, expected_counts)
            assert {k: int(getattr(rows, k)[i]) for k in new if new[k] is not None} \
                == {k: v for k, v in new.items() if v is not None}, (flags, row)
    assert counts_of(saturations) == expected_counts
    assert all(expected_counts.values())


class _Bench:
    """The memories and tables around hw.neuron: a memory answers a cycle after its address, a table TABLE_LATENCY."""

    ADDRESSES = ("state_group", "error_group", "neuron_word", "derivative_table", "derivative_state",
                 "function_table", "function_state")

    def __init__(self, config, values, rng, fs=None, ds=None):
        # Every row group is used once: more of them than the smallest machine has.
        self.config, self.unit, self.rng = config, HwNeuron(config.model_copy(update={"neuron_words": 1 << 12})), rng
        self.memory = {k: v.reshape(-1, config.row_tiles) for k, v in values.items()}
        self.fs, self.ds = fs or tables(config, False), ds or tables(config, True)
        self.gains = [int(g) for g in rng.sample(range(256), 3)] + [255]
        self.rows, self.errors, self.lookups = [], {}, {"derivative": [], "function": []}
        self.counts = dict.fromkeys(
            ("sat_error", "sat_state", "sat_feedback", "steps", "activations"), 0)
        self.busy_at, self.quiet_at = {}, {}

    def stream(self, rows, gap):
        """Add rows (group, flags, valid_rows mask, gain, function, precision, align), each after a random gap."""
        for row in rows:
            self.rows += [None] * (self.rng.randrange(4) if self.rng.random() < gap else 0) + [row]

    async def run(self, ctx):
        unit = self.unit
        ctx.set(unit.gains, self.gains)
        waiting = []
        for cycle, row in enumerate(self.rows + [None] * (unit.latency + 1)):
            self._offer(ctx, row)
            _, _, *seen = await ctx.tick().sample(
                *(getattr(unit, name) for name in self.ADDRESSES), unit.error_valid, unit.error_row, unit.error,
                unit.busy)
            self._answer(ctx, *seen[:-4])
            waiting.append(row)
            valid, tag, errors, busy = seen[-4:]
            answered = waiting[-1 - unit.error_latency] if cycle >= unit.error_latency else None
            assert bool(valid) == (answered is not None), f"error_valid in cycle {cycle}"
            if answered:
                assert (tag.group, tag.flags) == answered[:2]
                self.errors[answered[0]] = list(errors)
            recent = waiting[-unit.latency:-1]
            assert bool(busy) == any(recent), f"busy in cycle {cycle}"

    def _offer(self, ctx, row):
        unit = self.unit
        group, flags, valid_rows, gain, function, precision, align = row or (
            self.rng.randrange(len(self.memory["state"])), Sweep((1 << len(Sweep)) - 1), 255, 3, 1, 15, 15)
        valid_rows &= (1 << self.config.row_tiles) - 1
        ctx.set(unit.row_valid, int(row is not None))
        ctx.set(unit.row, {"flags": int(flags), "gain": gain, "function": function, "group": group,
                           "precision": precision, "align": align, "valid_rows": valid_rows, "first": 0})
        for port, name in (("sums", "sum"), ("base", "base")):
            ctx.set(getattr(unit, port), self.memory[name][group].tolist())

    def _answer(self, ctx, state_group, error_group, neuron_word, *lookups):
        unit, groups = self.unit, len(self.memory["state"])
        ports = [("state", "state", state_group), ("clamp", "clamp", state_group), ("old_error", "error", error_group)]
        for port, name, group in ports + [("old_integral", "integral", error_group)] * self.config.integral:
            ctx.set(getattr(unit, port), self.memory[name][group % groups].tolist())
        for port, name in (("back", "back"), ("old_activity", "activity")):
            ctx.set(getattr(unit, port), self._word(name, neuron_word))
        for port, bank, lookup in (("derivative", self.ds, lookups[:2]), ("function", self.fs, lookups[2:])):
            self.lookups[port].append(lookup)
            if len(self.lookups[port]) >= TABLE_LATENCY:
                number, state = self.lookups[port][-TABLE_LATENCY]
                ctx.set(getattr(unit, port), bank[number % 3](np.array(list(state))).tolist())

    def _word(self, name, at):
        """A word of C neurons, those that there are not zero."""
        lanes = self.config.lanes
        word = self.memory[name].ravel()[at * lanes:(at + 1) * lanes].tolist()
        return word + [0] * (lanes - len(word))

    async def writes(self, ctx):
        """Carry out what the unit writes; groups are only used once, so order does not matter."""
        unit, ports = self.unit, {}
        for name in ("base", "state", "error", "activity", *["integral"] * self.config.integral):
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


@pytest.mark.parametrize("name, gap", [*((name, 0) for name in CONFIGS), ("narrow", 0.5), ("wide activities", 0.5)])
def test_hw_equals_golden(name, gap):
    """Legal flag sets, neighbours with different flags, tails, gains, codes and clips; all counts."""
    config, rng = machine(**CONFIGS[name]), Random(f"{name} {gap}")
    tiles, orders = config.row_tiles, legal(config) + rng.sample(LEGAL, 32)
    bench = _Bench(config, random_rows(config, len(orders) * tiles, np.random.default_rng(3)), rng)
    rng.shuffle(orders)
    full = (1 << tiles) - 1
    rows = [(group, flags, rng.choice([full, full, full >> rng.randrange(tiles)]),
             rng.randrange(4), rng.randrange(3), rng.choice([UNIT_PRECISION, rng.randrange(16)]),
             rng.randrange(16)) for group, flags in enumerate(orders)]
    bench.stream(rows, gap)
    before = {k: v.copy() for k, v in bench.memory.items()}
    simulate(bench.unit, bench.run, bench.writes)

    saturations = Saturations.zero()
    twin, work = GoldenNeuron(config.formats, saturations), {"steps": 0, "activations": 0}
    for group, flags, valid_rows, gain, function, *codes in rows:
        count = valid_rows.bit_count()
        values = Rows(**{k: v[group, :count].copy() for k, v in before.items()})
        twin(values, flags, bench.gains[gain], Destination(bench.fs[function], bench.ds[function], *codes))
        for key in ("base", "state", "error", "activity", "integral"):
            after = before[key][group].copy()
            after[:count] = getattr(values, key)
            assert bench.memory[key][group].tolist() == after.tolist(), (key, flags, valid_rows)
        if not flags & Sweep.DELTA:
            assert bench.errors[group] == values.operand.tolist() + [0] * (tiles - count), flags
        work["steps"] += count * bool(flags & (Sweep.STEP | Sweep.DELTA))
        work["activations"] += count * bool(flags & Sweep.ACT)
    expected = {f"sat_{k}": v for k, v in counts_of(saturations).items()} | work
    assert bench.counts == expected
    assert all(expected.values())


SMALL = {"state_bits": 4, "state_frac": 2, "error_bits": 3, "activity_bits": 3, "activity_frac": 2, "weight_bits": 4,
         "weight_frac": 1, "row_sum_bits": 8, "feedback_sum_bits": 8, "row_tiles": 4}
ONE = 2
"""The number of the identity among the functions of these tests: f(x) = x and f'(x) = 1, exactly."""


def exact_tables(config):
    """Two banks in which table ONE is the identity and its derivative and the others are zero everywhere.

    Closed forms with an entry for every state code: the compiler makes no table for an activity whose format ends below
    one, and a unit still has to clip at that end.
    """
    f, half = config.formats, 1 << config.state_bits - 1
    assert f.table_frac == 0
    states = np.roll(np.arange(-half, half), half)
    values = states * 2.0 ** (ENTRY_BITS - f.activity.bits + f.activity.frac - f.state.frac)
    unit = 1 << ENTRY_BITS - f.activity.bits
    exact = np.clip(values, f.activity.lo * unit, f.activity.hi * unit)
    slope = np.full(2 * half, 2.0 ** (ENTRY_BITS - f.derivative.bits + f.derivative.frac))

    def bank(entries, out):
        packed = [int(v) % (1 << ENTRY_BITS) << TABLE["value"].lsb for v in entries]
        return [Table(words, f, out) for words in ([0] * len(packed), [0] * len(packed), packed)]

    return bank(exact, f.activity), bank(slope, f.derivative)


def grid(**axes):
    """Rows with every combination of the codes of some values, the others zero."""
    names = ("sum", "base", "state", "error", "back", "clamp", "activity", "integral")
    rows = dict(zip(axes, (a.ravel() for a in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    return rows | {n: np.zeros(len(next(iter(rows.values()))), np.int64) for n in names if n not in rows}


def codes(bits):
    return np.arange(-(1 << bits - 1), 1 << bits - 1)


def near(value, bits):
    """The nearest code, ties up."""
    return np.clip(np.floor(value + 0.5), *codes(bits)[[0, -1]]).astype(np.int64)


def every_error():
    """pi (x - mu) of every state, sum and precision; with GATE without the sum."""
    config = SMALL | {"state_bits": 3}
    rows, alone = grid(state=codes(3), sum=codes(6)), grid(state=codes(3), sum=np.array([-128, 127]))
    for code in range(16):
        mu = np.floor(rows["sum"] / 2 + 0.5)
        yield config, rows, Sweep.FWD | Sweep.ERR, {"precision": code}, {
            "error": near((rows["state"] - mu) * 2.0 ** (code - 8), 3), "operand": None}
        yield config, alone, Sweep.FWD | Sweep.ERR | Sweep.GATE, {"precision": code}, {
            "error": near(alone["state"] * 2.0 ** (code - 8), 3), "operand": None}


def every_drive():
    """What TRN and UPD take of every error and activity, at every alignment."""
    rows = grid(activity=codes(3), error=codes(3))
    for align in range(16):
        post = near(rows["activity"] * 2.0**align, 3)
        for flags, value in ((Sweep(0), rows["error"]), (Sweep.NEG, near(-rows["error"], 3)), (Sweep.POST, post),
                             (Sweep.POST | Sweep.NEG, near(-post, 3))):
            yield SMALL, rows, Sweep.UPD | flags, {"align": align}, {"operand": value}
        later = {"activity": near(rows["state"] + 0.0, 3), "operand": post}
        yield SMALL, rows, Sweep.UPD | Sweep.POST | Sweep.ACT, {"align": align}, later


def every_feedback(activity_frac):
    """back + s of every feedback sum with sums at the ends and around zero, the two at different fractions."""
    config = SMALL | {"error_bits": 12, "activity_frac": activity_frac}
    sums = np.array([-128, -127, -65, -64, -4, -3, -2, -1, 0, 1, 2, 3, 63, 64, 126, 127])
    rows = grid(back=codes(8), sum=sums)
    gated = rows["sum"] / 2.0 ** (1 + activity_frac)
    for flags, value in ((Sweep.BACK, rows["back"] / 2.0**3), (Sweep.BACK | Sweep.GATE, rows["back"] / 2.0**3 + gated),
                         (Sweep.GATE, gated)):
        yield config, rows, Sweep.FWD | Sweep.DELTA | flags, {}, {"error": near(value * 4, 8)}


def every_fire():
    """Every state, clamped and not; ACT sees what FIRE takes away, also what a step has just reached."""
    rows = grid(state=codes(4), clamp=np.array([0, 1]), error=codes(3))
    for flags in (Sweep.FIRE, Sweep.FIRE | Sweep.ACT, Sweep.FIRE | Sweep.ACT | Sweep.STEP):
        free = rows["clamp"] == 0
        x = np.where(free, near(rows["state"] - rows["error"] + 0.0, 4), rows["state"]) \
            if flags & Sweep.STEP else rows["state"]
        yield SMALL, rows, flags, {}, {
            "state": np.where(free & (x / 4 >= 1), 0, x), "operand": rows["error"],
            "activity": near(x + 0.0, 3) if flags & Sweep.ACT else rows["activity"]}


EXHAUSTIVE = {"error": every_error, "operand": every_drive, "fire": every_fire,
              **{f"feedback, {n} bits": partial(every_feedback, n) for n in (1, 2, 4)}}


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_golden_at_every_small_code(name):
    """Closed forms on reals, nothing sampled: a clip at the wrong end or a tie that goes down is one code of many."""
    for changes, values, flags, fields, expected in EXHAUSTIVE[name]():
        config, rows = widest(**changes), Rows(**{k: v.copy() for k, v in values.items()})
        fs, ds = exact_tables(config)
        to = Destination(fs[ONE], ds[ONE], **fields)
        GoldenNeuron(config.formats, Saturations.zero())(rows, flags, 128, to)
        for key, value in expected.items():
            assert (getattr(rows, key) == (expected["error"] if value is None else value)).all(), (key, flags, fields)


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_hw_at_every_small_code(name):
    """The same without golden in between: a twin that shares a mistake would agree with itself."""
    runs = list(EXHAUSTIVE[name]())
    config = widest(**runs[0][0])
    together = {k: np.concatenate([run[1][k] for run in runs]) for k in runs[0][1]}
    bench, group, spans = _Bench(config, together, Random(1), *exact_tables(config)), 0, []
    bench.gains = [128] * 4
    for _, values, flags, fields, expected in runs:
        span = range(group, group + len(values["state"]) // 4)
        bench.stream([(g, flags, 15, 0, ONE, fields.get("precision", UNIT_PRECISION), fields.get("align", 0))
                      for g in span], 0)
        spans.append((span, flags, fields, expected))
        group = span.stop
    simulate(bench.unit, bench.run, bench.writes)
    bench.memory["operand"] = np.array([bench.errors[g] for g in range(group)])
    for span, flags, fields, expected in spans:
        for key, value in expected.items():
            found = bench.memory[key][span.start:span.stop].ravel()
            assert (found == (expected["error"] if value is None else value)).all(), (key, flags, fields)
