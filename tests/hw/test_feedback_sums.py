"""The feedback sums against a dictionary of integers.

TRN adds one word a cycle, often to the word it has just added to: a missing bypass loses
contributions only then, and only from some rows.
"""

from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import machine, simulate

from golden.feedback_sums import FeedbackSums as GoldenFeedbackSums
from golden.plan import Feed
from hw.feedback_sums import FeedbackSums as HwFeedbackSums


@pytest.mark.parametrize("lanes", [4, 8])
def test_hw_adds_every_cycle(lanes):
    """And reads what was there: back-to-back additions to one word, overwrite starts, extreme sums; reads one cycle
    later show the word without the additions of that cycle and the one before."""
    config, rng = machine(lanes=lanes, neuron_words=5, feedback_sum_bits=20), Random(lanes)
    unit, model = HwFeedbackSums(config), [[0] * lanes for _ in range(config.neuron_words)]
    half = 1 << 19

    async def bench(ctx):
        following, expected, behind = 0, None, model
        ctx.set(unit.early_word, following)
        await ctx.tick()
        for _ in range(1500):
            valid, read, word = rng.random() < 0.8, rng.randrange(config.neuron_words), following
            following = word if rng.random() < 0.4 else rng.randrange(config.neuron_words)
            overwrite = rng.random() < 0.2
            before = [0] * lanes if overwrite else model[word]
            sums = [rng.choice([-half - b, half - 1 - b, rng.randint(-99, 99)]) for b in before]
            sums = [min(max(s, -half), half - 1) for s in sums]
            sums = [s if -half <= b + s < half else -b for b, s in zip(before, sums, strict=True)]
            for port, value in (("valid", valid), ("early_word", following), ("overwrite", overwrite), ("sums", sums),
                                ("read_word", read)):
                ctx.set(getattr(unit, port), value)
            *_, seen = await ctx.tick().sample(unit.read_data)
            assert expected is None or list(seen) == expected
            expected, behind = list(behind[read]), [list(word) for word in model]
            if valid:
                model[word] = [b + s for b, s in zip(before, sums, strict=True)]
        ctx.set(unit.valid, 0)
        await ctx.tick()
        for word in range(config.neuron_words):
            ctx.set(unit.read_word, word)
            await ctx.tick()
            assert list(ctx.get(unit.read_data)) == model[word]

    simulate(unit, bench)


def shuffled_block(rng, lanes, words, groups, tiles):
    """Columns of a block whose rows begin in the middle of the words, and what their rows send."""
    base = int(rng.integers(words * lanes // tiles - groups + 1))
    rows = base * tiles + np.arange(groups * tiles)
    own = np.unique(rows // lanes)
    columns = []
    for _ in range(rng.integers(1, 6)):
        identity = rng.random() < 0.4
        lowest = 0 if not identity else int(rng.integers(words - own[-1] + own[0]) - own[0])
        columns.append({"identity": identity, "source": lowest if identity else int(rng.integers(words)),
                        "overwrite": bool(rng.integers(2)), "feedback": rng.random() < 0.8,
                        "weights": rng.integers(-9, 10, (rows.size, lanes))})
    return base, rows, columns, rng.integers(-1000, 1000, rows.size)


def feed_of(column, number, rows, lanes):
    """The part of a plan that says where a column's feedback goes."""
    if column["identity"]:
        return Feed(None, (rows // lanes + column["source"]) * lanes + rows % lanes, column["overwrite"])
    return Feed(number, column["source"] * lanes + np.arange(lanes), column["overwrite"])


def walk(model, base, rows, columns, errors, lanes, tiles):
    """``hebbar.contract.memories`` word by word, as the machine adds: a row group, a column, a lane after the other."""
    for g in range(rows.size // tiles):
        mine = range(g * tiles, (g + 1) * tiles)
        for column in (c for c in columns if c["feedback"]):
            word = column["source"] + (rows[mine[0]] // lanes if column["identity"] else 0)
            first = (base + g) * tiles % lanes == 0 if column["identity"] else g == 0
            for lane in range(lanes):
                old = 0 if column["overwrite"] and first else model[word * lanes + lane]
                weights = [rows[r] % lanes == lane if column["identity"] else column["weights"][r, lane] for r in mine]
                sent = sum(int(w) * int(errors[r]) for w, r in zip(weights, mine, strict=True))
                model[word * lanes + lane] = old + sent


@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_golden_adds_word_by_word(tiles):
    """Columns that feed one word after another or twice, identity columns between them, some overwrite: what is
    lost depends on the order alone. Taken row group by row group, and at once where no word is fed twice."""
    rng, lanes, words, at_once = np.random.default_rng(tiles), 4, 7, 0
    unit, model = GoldenFeedbackSums(words * lanes, lanes), [0] * (words * lanes)
    for _ in range(150):
        base, rows, columns, errors = shuffled_block(rng, lanes, words, int(rng.integers(1, 8)), tiles)
        walk(model, base, rows, columns, errors, lanes, tiles)
        stored = [c for c in columns if not c["identity"]]
        feeds = tuple(feed_of(c, next((i for i, s in enumerate(stored) if s is c), 0), rows, lanes)
                      for c in columns if c["feedback"])
        fed = [w for f in feeds for w in set(f.neurons // lanes)]
        at_once += len(fed) == len(set(fed))
        step = rows.size if len(fed) == len(set(fed)) else tiles
        weights = np.hstack([c["weights"] for c in stored]) if stored else np.zeros((rows.size, 0), np.int64)
        for start in range(0, rows.size, step):
            part = slice(start, start + step)
            unit.add(SimpleNamespace(feeds=feeds), part, errors[part] @ weights[part], errors[part])
        assert unit.values.tolist() == model
    assert 20 < at_once < 130
