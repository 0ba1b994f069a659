"""The back sums against a dictionary of integers.

TRN adds one word a cycle, often to the word it has just added to: a missing bypass loses
contributions only then, and only from some rows.
"""

from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import machine, simulate

from golden.back_sums import BackSums as GoldenBackSums
from hw.back_sums import BackSums as HwBackSums


@pytest.mark.parametrize("lanes", [4, 8])
def test_hw_adds_every_cycle_and_reads_what_was_there(lanes):
    """Back-to-back additions to one word, fresh starts, extreme sums; reads one cycle later show
    the word without an addition of the same cycle."""
    config, rng = machine(lanes=lanes, neuron_words=5, back_sum_bits=20), Random(lanes)
    unit, model = HwBackSums(config), [[0] * lanes for _ in range(config.neuron_words)]
    half = 1 << 19

    async def bench(ctx):
        word, expected = 0, None
        for _ in range(1500):
            valid, read = rng.random() < 0.8, rng.randrange(config.neuron_words)
            word = word if rng.random() < 0.5 else rng.randrange(config.neuron_words)
            fresh = rng.random() < 0.2
            before = [0] * lanes if fresh else model[word]
            sums = [rng.choice([-half - b, half - 1 - b, rng.randint(-99, 99)]) for b in before]
            sums = [min(max(s, -half), half - 1) for s in sums]
            sums = [s if -half <= b + s < half else -b for b, s in zip(before, sums, strict=True)]
            for port, value in (("valid", valid), ("word", word), ("fresh", fresh), ("sums", sums),
                                ("read_word", read)):
                ctx.set(getattr(unit, port), value)
            *_, seen = await ctx.tick().sample(unit.read_data)
            assert expected is None or list(seen) == expected
            expected = list(model[read])
            if valid:
                model[word] = [b + s for b, s in zip(before, sums, strict=True)]
        ctx.set(unit.valid, 0)
        for word in range(config.neuron_words):
            ctx.set(unit.read_word, word)
            await ctx.tick()
            assert list(ctx.get(unit.read_data)) == model[word]

    simulate(unit, bench)


def test_golden_adds_column_by_column():
    """Feedback and fresh are per column; a column of a clamped source must leave its sums alone."""
    rng, lanes, words = np.random.default_rng(1), 4, 6
    unit = GoldenBackSums(words * lanes, lanes)
    model = [0] * (words * lanes)
    for _ in range(60):
        columns = rng.permutation(words)[:rng.integers(1, words + 1)]
        feedback, fresh = rng.integers(0, 2, (2, columns.size))
        sums = rng.integers(-1000, 1000, columns.size * lanes)
        plan = SimpleNamespace(fresh=fresh, feedback=np.repeat(feedback, lanes),
                               source=np.concatenate([c * lanes + np.arange(lanes) for c in columns]))
        unit.add(plan, sums)
        for k, column in enumerate(columns):
            for lane in range(lanes if feedback[k] else 0):
                at = column * lanes + lane
                model[at] = int(sums[k * lanes + lane]) + (0 if fresh[k] else model[at])
        assert unit.values.tolist() == model
