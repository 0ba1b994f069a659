"""Weights of held sources, which the compiled machine keeps source by source, and the vectors that it computes in."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import graph, random_samples
from numba import njit
from test_compiled import Pair, check, extreme_samples

from golden.compiled import vectors
from golden.compiled.panels import Held
from golden.machine import Machine
from hebbar.compiler.config import load
from hebbar.compiler.layout import Layout
from hebbar.compiler.network import Population
from hebbar.compiler.program import Transfer, assemble, compile_config
from hebbar.compiler.rules import Schedule
from hebbar.compiler.schedule import SweepOp, WaitOp
from hebbar.contract.isa import Op, Sweep, decode, encode
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, Mem, pack, unpack


def held_columns(program, population):
    """Which columns of the block of a population are kept source by source, by their source."""
    machine = Machine(program)
    block = program.layout.blocks[population]
    held, found = Held(machine), {}
    for plan in machine.plans:
        if plan.base == block.base and plan.columns == len(block.columns):
            for column, number in zip(block.columns, held.numbers(plan), strict=True):
                found.setdefault(column.edge.source, set()).add(number is not None)
    return found


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
def test_weights_from_the_input_are_kept_source_by_source(rule):
    """Without it nothing here would be tested, and zero pixels would cost what others do."""
    program = compile_config(load("digits").replace(rule={"name": rule}))
    assert held_columns(program, "x1") == {"x0": {True}}
    assert held_columns(program, "x2") == {"x1": {False}}


def _sweeps(flags, size, rows, **machine):
    """A program that reads ``size`` inputs and sweeps ``rows`` by them, and its machines."""
    config = graph([("in", size, "input", "identity", 7), ("out", rows, "target", "identity", 7)], [("in", "out")],
                   **({"lanes": 16, "weight_words": 1024, "neuron_words": 64, "max_columns": 64, "map_entries": 64,
                       "row_sum_bits": 40, "feedback_sum_bits": 48} | machine))
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    block = s.layout.blocks["out"]
    pair = Pair(assemble(config, {"train": (*s.inputs(), SweepOp(block, block.full, flags), WaitOp())}, s.layout))
    assert held_columns(pair.program, "out") == {"in": {True}}
    return pair


def test_feedback_sums_of_a_held_source_stay():
    """Two columns of one word, of which only that of the first block has feedback: TRN over the other block adds
    nothing and takes nothing away. Without it a sweep that does not feed a word could clear what another one did."""
    base = compile_config(load("tiny"))
    m, common = base.machine, {"function": 0, "precision": UNIT_PRECISION, "align": 0, "stride": 1, "columns": 1}
    blocks = [pack(BLOCK, f"block {k}", **common, map_base=k, weight_base=8 * k, group_base=0, groups=1, last_rows=1)
              for k in range(2)]
    maps = [pack(MAP, f"map {k}", **dict.fromkeys(MAP, 0) | {"source": 3, "lanes": m.lanes, "feedback": 1 - k})
            for k in range(2)]
    words = [encode(Op.IN, count=1, memory=Mem.ERROR, last=1)]
    for k in range(2):
        words += [encode(Op.SWEEP, block=k, flags=int(Sweep.TRN)), encode(Op.WAIT)]
    words = [encode(Op.LOOP, register=1, end=len(words) + 2), *words, encode(Op.NEXT), encode(Op.HALT)]
    pair = Pair(replace(base, words=tuple(words), blocks=tuple(blocks), maps=tuple(maps), entries={"train": 0},
                        inputs={"train": (Transfer(Population("e", 1), Mem.ERROR),)}, outputs={"train": ()}))
    assert Held(pair.numpy).numbers(pair.numpy.plans[1]) == [0]
    for machine in (pair.numpy, pair.compiled):
        machine.weights[...] = 9
    pair.run("train", {"e": np.array([[7]])})
    assert pair.compiled.back[3 * m.lanes:4 * m.lanes].tolist() == [63] * m.lanes


@pytest.mark.parametrize("size", [511, 512, 513])
def test_row_sums_of_held_sources_at_two_to_the_31(size):
    """The largest sums that int32 holds, one more, and beyond: w a = 2**22 each, by closed form."""
    pair = _sweeps(Sweep.FWD | Sweep.HOIST, size, 3)
    for m in (pair.numpy, pair.compiled):
        m.weights[...] = -(1 << 15)
    pair.run("train", {"in": np.full((1, size), -(1 << 7)), "out": np.zeros((1, 3), np.int64)})
    assert pair.compiled.base[pair.numpy.where("out")].tolist() == [size << 22] * 3


@pytest.mark.parametrize("bits", [16, 12])
@pytest.mark.parametrize("rate", [0, 7, 8, 15, 16, 24, 31])
def test_weights_of_held_sources_change_at_every_rate(rate, bits):
    """``w + floor(e a / 2**rate + 1/2)`` in Python integers, with zeros: 16 bits serve from 8 to 15."""
    pair = _sweeps(Sweep.UPD, 40, 67, weight_bits=bits, weight_frac=9)
    rng, machine = np.random.default_rng(rate), pair.compiled
    pair.fill(rng)
    pair.numpy.rates[...], machine.rates[...] = rate, rate
    before, samples = machine.weights.copy(), extreme_samples(pair.program, "train", 1, rng)
    samples["in"] *= rng.integers(0, 2, samples["in"].shape)
    pair.run("train", samples)
    block, activity = pair.program.layout.blocks["out"], samples["in"][0].tolist()
    tiles, end = pair.program.machine.row_tiles, 1 << bits - 1
    for r, e in enumerate(machine.error[pair.numpy.where("out")].tolist()):
        at = block.base + r // tiles * block.stride
        old, new = (w[at:at + len(block.columns), r % tiles].ravel()[:40].tolist() for w in (before, machine.weights))
        for w, a, got in zip(old, activity, new, strict=True):
            assert got == min(max(w + (2 * e * a + 2**rate) // 2 ** (rate + 1), -end), end - 1)


def test_columns_that_are_seen_in_two_ways_stay_in_rows():
    """Without it a hidden population, a diagonal or feedback into an input would read stale weights."""
    config = graph([("in", 9, "input", "identity", 7), ("h", 6, "hidden", "leaky", 5),
                    ("out", 3, "target", "identity", 2)],
                   [("in", "h"), ("h", "h", {"zero_diagonal": True}), ("h", "out"), ("in", "out"), ("out", "h")],
                   weight_words=256, max_columns=16, map_entries=256)
    program = compile_config(config)
    assert held_columns(program, "h")["h"] == {False} and held_columns(program, "out")["h"] == {False}
    assert held_columns(program, "h")["in"] == held_columns(program, "out")["in"] == {True}
    check(program, np.random.default_rng(0))


def test_words_that_two_blocks_stride_through_stay_in_rows():
    """Without it each block would have weights of its own, and one would not see what the other learns."""
    program = _sweeps(Sweep.UPD, 40, 67, weight_bits=16, weight_frac=9).program
    block, = (unpack(BLOCK, word) for word in program.blocks)
    code = [decode(word) for word in program.words]
    at = next(i for i, instruction in enumerate(code) if instruction.op is Op.SWEEP)
    more = [encode(Op.WAIT), encode(Op.SWEEP, **(code[at].fields | {"block": 1})), encode(Op.WAIT), program.words[at]]
    words = [encode(Op.LOOP, **(i.fields | {"end": i.fields["end"] + len(more)})) if i.op is Op.LOOP else word
             for i, word in zip(code, program.words, strict=True)]
    shorter = pack(BLOCK, "block", **(block | {"groups": block["groups"] - 1}))
    both = replace(program, words=(*words[:at + 1], *more, *words[at + 1:]), blocks=(*program.blocks, shorter))
    assert held_columns(both, "out") == {"in": {False}}
    pair, rng = Pair(both), np.random.default_rng(5)
    pair.fill(rng)
    pair.numpy.rates[...], pair.compiled.rates[...] = 8, 8
    before = pair.numpy.weights.copy()
    pair.run("train", extreme_samples(both, "train", 2, rng))
    assert (pair.numpy.weights != before).any()


def test_activities_are_listed_anew_for_every_sample():
    """Without it a sample could be learned with the pixels of the one before."""
    program = compile_config(load("digits"))
    pair, rng = Pair(program), np.random.default_rng(3)
    pair.fill(rng)
    samples = random_samples(program, "train", 6, seed=1)
    samples["x0"] *= rng.random(samples["x0"].shape) < [[0], [1], [.5], [0], [.1], [.9]]
    pair.run("train", samples)


@pytest.mark.parametrize("width", [32, 64, 96, 128, 160, 200])
@pytest.mark.parametrize("avx512", [False, True])
def test_vectors_compute_what_their_formulas_say(width, avx512, monkeypatch):
    """Any number of rows, odd ones too, in both kinds of machine code, against NumPy; one weight of padding each."""
    if avx512 and not vectors.AVX512:
        pytest.skip("this processor has no vectors of 512 bits; the other kind is what runs here.")
    monkeypatch.setattr(vectors, "AVX512", avx512)
    add_rows, learn_rows = (njit(_nrt=False)(part.py_func) for part in (vectors.add_rows, vectors.learn_rows))

    @njit(_nrt=False)
    def run(weights, places, factors, count, total, vector, lo, hi):
        add_rows(weights, 3, places, 1, factors, count, total, width)
        return learn_rows(weights, 3, places, 1, factors, count, vector, width, lo, hi)

    rng = np.random.default_rng(width)
    for count, (lo, hi) in [(0, (-32768, 32767)), (1, (-32768, 32767)), (7, (-32768, 32767)), (8, (-2048, 2047))]:
        weights = rng.choice([lo, hi, *rng.integers(lo, hi, 50)], 8000).astype(np.int16)
        places, factors, vector = rng.permutation(20) * 380, np.zeros(count + 1, np.int16), np.zeros(400, np.int16)
        factors[:count], vector[:width] = rng.integers(-2000, 2001, count), rng.integers(-32768, 32768, width)
        before, total = weights.astype(np.int64), np.full(400, -1, np.int32)
        rows = 3 + places[1:count + 1, None] + np.arange(width)
        exact = before[rows] + ((vector[:width] * factors[:count, None].astype(np.int64) + (1 << 14)) >> 15)
        clips = run(weights, places, factors, count, total, vector, lo, hi)
        assert (total[:width] == (before[rows] * factors[:count, None]).sum(axis=0)).all()
        assert clips == (exact != exact.clip(lo, hi)).sum()
        before[rows] = exact.clip(lo, hi)
        assert (weights == before).all()
