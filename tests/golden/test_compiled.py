"""The compiled golden machine equals the NumPy one: every memory, barrier, output and counter.

The NumPy machine is the definition and is held to independent arithmetic elsewhere; here only the two
are compared, on compiled rules, on random legal programs and at the ends of every format.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from helpers import LEGAL, clip, graph, half_up, layered, random_samples

from golden.compiled import CompiledMachine, unsupported
from golden.learning.datasets import Dataset, Samples
from golden.learning.training import train_fixed
from golden.machine import Machine
from golden.session import initial_image, machine_of
from golden.trace import Job
from hebbar.compiler.barriers import learning_barriers
from hebbar.compiler.config import load
from hebbar.compiler.layout import Layout
from hebbar.compiler.network import Population
from hebbar.compiler.program import Transfer, assemble, compile_config
from hebbar.compiler.rules import Schedule
from hebbar.compiler.schedule import LoopOp, SweepOp, WaitOp
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op, Sweep, decode, encode
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, Mem, pack
from hebbar.verify.random_networks import random_configs
from sim.backends import golden, pysim
from sim.compare import compare

MEMORIES = ("weights", "state", "error", "activity", "clamp", "base", "back")
SHAPES = [{}, {"lanes": 8, "row_tiles": 4}, {"lanes": 16, "row_tiles": 2},
          {"weight_bits": 24, "weight_frac": 18, "row_sum_bits": 48, "feedback_sum_bits": 53},
          {"weight_bits": 8, "weight_frac": 5, "state_bits": 10, "state_frac": 6, "error_bits": 9, "activity_bits": 6},
          {"weight_bits": 3, "weight_frac": 1, "state_bits": 3, "state_frac": 1, "error_bits": 3, "activity_bits": 2},
          {"tile": "array", "weight_words": 48, "max_columns": 6}]


class Pair:
    """The two machines with one program, fed the same."""

    def __init__(self, program):
        self.program, self.numpy, self.compiled = program, Machine(program), CompiledMachine(program)

    def fill(self, rng):
        """Every memory with random codes, a third of them at the ends of its format."""
        f = self.program.machine.formats
        for name, format in (("weights", f.weight), ("state", f.state), ("error", f.error),
                             ("activity", f.activity), ("base", f.state), ("back", f.row_sum)):
            values = _codes(rng, format, getattr(self.numpy, name).shape)
            getattr(self.numpy, name)[...] = values
            getattr(self.compiled, name)[...] = values

    def run(self, entry, samples):
        """One recorded run on both; raises AssertionError where they differ. Returns the barriers."""
        pc, rows, weights = [], [], []

        def observe(at, m):
            pc.append(at)
            rows.append([m.state.copy(), m.error.copy(), m.activity.copy()])
            weights.append(m.weights.copy())

        want, got = self.numpy.run(entry, samples, observe), self.compiled.run(entry, samples, record=True)
        assert want.keys() == got.keys()
        for name, values in want.items():
            assert values.dtype == got[name].dtype and np.array_equal(values, got[name]), name
        for name in MEMORIES:
            assert np.array_equal(getattr(self.numpy, name), getattr(self.compiled, name)), name
        assert self.compiled.counters == self.numpy.counters.read()
        f = self.compiled.barriers
        assert f.pc.tolist() == pc
        for k, name in enumerate(("state", "error", "activity")):
            assert np.array_equal(getattr(f, name), [r[k] for r in rows]), name
        assert all(np.array_equal(w, weights[i]) for w, i in zip(f.weights, f.weight_barrier, strict=True))
        learning = learning_barriers(self.program)
        assert f.weight_barrier.tolist() == [i for i, at in enumerate(pc) if at in learning]
        return f


def _codes(rng, format, shape):
    values = rng.integers(format.lo, format.hi + 1, shape)
    return np.where(rng.random(shape) < 0.33, rng.choice([format.lo, format.hi], shape), values)


def extreme_samples(program, entry, count, rng):
    """Codes over the whole of their formats."""
    f = program.machine.formats
    return {t.population.name: _codes(rng, f.state if t.memory else f.activity, (count, t.population.size))
            for t in program.inputs[entry]}


def check(program, rng, halvings=(0,), count=3):
    """Both entries (where there are two) from random memories; the last halvings win."""
    pair = Pair(program)
    for halved in halvings:
        pair.fill(rng)
        pair.numpy.set_rates(halved)
        pair.compiled.set_rates(halved)
        for entry in program.entries:
            pair.run(entry, extreme_samples(program, entry, count, rng))
    return pair


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
@pytest.mark.parametrize("preset", ["tiny", "digits", "array"])
def test_presets_train_and_predict_alike(preset, rule):
    """Without it the machine that trains could be another one than the machine that is proven."""
    program = compile_config(load(preset).replace(rule={"name": rule}))
    pair = Pair(program)
    for weights in (pair.numpy.weights, pair.compiled.weights):
        weights[...] = initial_image(program)
    for entry in ("train", "predict"):
        barriers = pair.run(entry, random_samples(program, entry, 3, seed=1))
        assert len(barriers.weight_barrier) == 0 or entry == "train"
    assert (pair.compiled.weights != initial_image(program)).any()


@pytest.mark.parametrize("preset", ["digits_ipc", "digits_zil"])
def test_the_other_presets_at_full_swing(preset):
    """Without it their constants (rates, activations) would be covered by no comparison."""
    check(compile_config(load(preset)), np.random.default_rng(2), count=2)


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_random_networks_at_the_ends_of_every_format(shape):
    """Without it a graph, a width or a clip that no preset has could come out differently."""
    sizes = {"weight_words": 2048, "neuron_words": 64, "max_columns": 32, "map_entries": 256, "program_words": 256}
    if SHAPES[shape].get("tile") == "array":
        sizes |= {"weight_words": 512, "max_columns": 8, "lanes": 16, "row_tiles": 2}
    base = layered([3, 2], **(sizes | {k: v for k, v in SHAPES[shape].items() if k not in sizes or k == "tile"}))
    rng = np.random.default_rng(shape)
    clips = dict.fromkeys(("sat_error", "sat_state", "sat_feedback", "sat_weight"), 0)
    for config in random_configs(base, 6, seed=shape):
        pair = check(compile_config(config), rng, halvings=(0, 3, 31))
        clips = {name: n + pair.compiled.counters[name] for name, n in clips.items()}
    assert all(clips.values()) or SHAPES[shape].get("weight_bits") == 3, clips


def random_program(config, rng, length=14):
    """Legal sweeps in any order: any flags, views, gains and overwrite sources, loops and WAITs."""
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")

    def sweep():
        block, flags = s.blocks[rng.integers(len(s.blocks))], LEGAL[rng.integers(len(LEGAL))]
        first = int(rng.integers(len(block.columns)))
        view = (first, int(rng.integers(1, len(block.columns) - first + 1)))
        overwrite = frozenset(c.word for c in block.columns if rng.random() < 0.5)
        if block.name in {c.edge.source for c in block.columns}:
            flags &= ~(Sweep.ACT | Sweep.BACK)
        if config.machine.state_frac < block.place.population.activity_frac:
            flags &= ~Sweep.POST
        return SweepOp(block, view if flags.weights else (0, 0), flags, [None, 1.0][rng.integers(2)], overwrite)

    def body(depth):
        for _ in range(length):
            kind = rng.random()
            if kind < 0.12 and depth < 3:
                yield LoopOp(tuple(body(depth + 1))[:4], count=int(rng.integers(0, 4)))
            else:
                yield WaitOp() if kind < 0.4 else sweep()

    ops = (LoopOp((*s.inputs(), *body(1), *s.outputs()), register=1),)
    return assemble(config, {"train": ops}, s.layout)


GRAPH = ([("in", 9, "input", "identity", 7), ("h", 6, "hidden", "leaky", 5), ("g", 5, "hidden", "tanh", 0),
          ("out", 3, "target", "identity", 2), ("one", 1, "constant", "identity", 5)],
         [("in", "h"), ("h", "h", {"zero_diagonal": True, "alpha_shift": 2}), ("one", "h", {"alpha_shift": 6}),
          ("h", "g", {"plastic": False}), ("in", "g", {"alpha_shift": 1}), ("g", "out", {"alpha_shift": 9}),
          ("h", "out"), ("out", "h", {"alpha_shift": 7})])


def fitted(bits):
    """GRAPH with activities that reach 1 in ``bits``, and alphas that change a weight there."""
    populations = [(*p[:4], min(p[4], bits - 1 - (p[2] != "input"))) for p in GRAPH[0]]
    edges = [(a, b, dict(*options)) for a, b, *options in GRAPH[1]]
    return populations, [(a, b, o | {"alpha_shift": min(o.get("alpha_shift", 4), 9 if bits > 2 else 3)} | (
        {"scale": 0.0} if bits == 2 else {})) for a, b, o in edges]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_random_legal_programs_at_the_ends_of_every_format(shape):
    """Without it a flag set or a column range that no rule asks for could come out differently."""
    room = {"weight_words": 256, "max_columns": 16, "map_entries": 1024, "blocks": 256, "program_words": 512}
    if SHAPES[shape].get("tile") == "array":
        room |= {"weight_words": 128, "max_columns": 8, "lanes": 8, "row_tiles": 2}
    config = graph(*fitted(SHAPES[shape].get("activity_bits", 8)), **(SHAPES[shape] | room))
    rng = np.random.default_rng(10 + shape)
    for _ in range(8):
        check(random_program(config, rng), rng, halvings=(int(rng.integers(0, 32)),), count=2)


def _one_sweep(flags, size, rows):
    """A program of one sweep over a ``rows`` by ``size`` block with feedback, and its machines."""
    config = graph([("in", 2, "input", "identity", 7), ("h", size, "hidden", "identity", 7),
                    ("out", rows, "target", "identity", 7)], [("in", "h"), ("h", "out")],
                   lanes=16, weight_words=1024, neuron_words=64, max_columns=64, map_entries=64, row_sum_bits=40,
                   feedback_sum_bits=48)
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    block = s.layout.blocks["out"]
    op = SweepOp(block, block.full, flags, overwrite=frozenset({"h"}))
    return Pair(assemble(config, {"train": (*s.inputs(), op, WaitOp())}, s.layout))


@pytest.mark.parametrize("size", [511, 512, 513])
def test_row_sums_of_two_to_the_31(size):
    """The largest sums that int32 holds, one more, and beyond: w a = 2**22 each, by closed form."""
    pair = _one_sweep(Sweep.FWD | Sweep.HOIST, size, 1)
    for m in (pair.numpy, pair.compiled):
        m.weights[...], m.activity[...] = -(1 << 15), -(1 << 7)
    samples = {"in": np.zeros((1, 2), np.int64), "out": np.zeros((1, 1), np.int64)}
    pair.run("train", samples)
    out = pair.numpy.where("out")
    assert pair.compiled.base[out].tolist() == [size << 22]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_feedback_sums_of_two_to_the_31(rows):
    """The same for the feedback: w e = 2**30 each, one, two and three rows."""
    pair = _one_sweep(Sweep.TRN, 20, rows)
    for m in (pair.numpy, pair.compiled):
        m.weights[...], m.error[...] = -(1 << 15), -(1 << 15)
    pair.run("train", {"in": np.zeros((1, 2), np.int64), "out": np.zeros((1, rows), np.int64)})
    assert pair.compiled.back[pair.numpy.where("h")].tolist() == [rows << 30] * 20


@pytest.mark.parametrize("rate", [0, 1, 7, 8, 15, 16, 17, 24, 30, 31])
def test_weight_changes_at_every_rate(rate):
    """``w + floor(e a / 2**rate + 1/2)`` in Python integers: 16 bits serve from 8 to 16, and 31 must not wrap."""
    pair = _one_sweep(Sweep.UPD, 40, 5)
    rng, machine = np.random.default_rng(rate), pair.compiled
    pair.fill(rng)
    pair.numpy.rates[...], machine.rates[...] = rate, rate
    before, h, out = machine.weights.copy(), pair.numpy.where("h"), pair.numpy.where("out")
    pair.run("train", extreme_samples(pair.program, "train", 1, rng))
    block = pair.program.layout.blocks["out"]
    activity, words = machine.activity[h].tolist(), len(block.columns)
    for r, e in enumerate(machine.error[out].tolist()):
        at = block.base + r * block.stride
        old, new = (w[at:at + words, 0].ravel()[:40].tolist() for w in (before, machine.weights))
        for w, a, got in zip(old, activity, new, strict=True):
            assert got == min(max(w + (2 * e * a + 2**rate) // 2 ** (rate + 1), -2**15), 2**15 - 1)


def test_a_run_goes_on_where_the_last_one_stopped():
    """Without it an epoch could start from memories or counters of another one; no sample is a run too."""
    program = compile_config(layered([6, 5, 3]))
    pair, rng = Pair(program), np.random.default_rng(0)
    for count in (2, 0, 1, 5):
        for entry in ("train", "predict"):
            pair.run(entry, random_samples(program, entry, count, int(rng.integers(99))))


def tiny_data(program):
    """Random pixels and labels in the shape of the program's network."""
    rng, (source, *_, target) = np.random.default_rng(0), program.layout.network.populations
    parts = [Samples(rng.integers(0, 128, (n, source.size)), rng.integers(0, target.size, n), 7, target.size)
             for n in (40, 20)]
    return Dataset(*parts, "stratified", 0)


def test_training_is_the_same_on_both_engines():
    """Without it the accuracies of long runs would be those of a machine nobody compared."""
    program = compile_config(load("tiny").replace(training={"epochs": 3, "halve_alpha_at": (1,)}))
    data = tiny_data(program)
    curves = [train_fixed(program, data, engine=engine) for engine in ("numpy", "compiled", "auto")]
    for curve in curves[1:]:
        assert curve.accuracy == curves[0].accuracy and (curve.weights == curves[0].weights).all()
    assert (curves[0].weights != initial_image(program)).any()


@pytest.mark.parametrize("steps", [True, False])
def test_the_backend_traces_are_the_same(steps):
    """Without it the trace that the RTL is compared with could depend on the engine."""
    program = compile_config(layered([6, 5, 3], rule={"name": "ipc"}))
    image = np.random.default_rng(0).integers(-9999, 9999, (64, 1, 4))
    job = Job(program, "train", image, random_samples(program, "train", 3, 1), halvings=1, steps=steps)
    one, other = golden.run(job, "numpy"), golden.run(job, "compiled")
    for name, values in vars(one).items():
        if isinstance(values, np.ndarray):
            found = getattr(other, name)
            assert values.dtype == found.dtype and values.shape == found.shape and (values == found).all(), name
    assert one.counters == other.counters
    assert len(one.pc) > 20 if steps else len(one.pc) == 0


ORDERS = list(permutations(("before", "absent", "overwrite", "after")))
"""Columns that feed one word: only what comes with and after the overwrite one lasts; lanes 0 does not exist on an
array."""


def back_programs():
    """For every order a TRN over a block of five rows, and what it leaves as the errors of the word that it feeds."""
    config = layered([4, 2], network={"activation": "identity"}, tile="array", row_tiles=2, max_columns=4,
                     weight_words=12)
    base, blocks, maps, words = compile_config(config), [], [], []
    common = {"function": 0, "precision": UNIT_PRECISION, "align": 0, "weight_base": 0, "stride": 4, "columns": 4}
    for order in ORDERS:
        blocks.append(pack(BLOCK, "rows", **common, map_base=len(maps), group_base=0, groups=3, last_rows=1))
        maps += [pack(MAP, kind, **dict.fromkeys(MAP, 0) | {
            "source": 3, "lanes": 0 if kind == "absent" else 4, "feedback": 1,
            "overwrite": kind in ("overwrite", "absent")})
            for kind in order]
        words += [encode(Op.SWEEP, block=len(blocks) - 1, flags=int(Sweep.TRN)), encode(Op.WAIT),
                  encode(Op.SWEEP, block=len(ORDERS), flags=int(Sweep.DELTA | Sweep.BACK)), encode(Op.WAIT)]
    blocks.append(pack(BLOCK, "sources", **common, map_base=0, group_base=6, groups=2, last_rows=2))
    words = (encode(Op.LOOP, register=1, end=len(words) + 3), encode(Op.IN, count=5, memory=Mem.ERROR, last=1), *words,
             encode(Op.NEXT), encode(Op.HALT))
    moved = {"train": (Transfer(Population("e", 5), Mem.ERROR),)}
    return replace(base, config=config.replace(machine={"map_entries": 128, "blocks": 32, "program_words": 128}),
                   words=words, blocks=tuple(blocks), maps=tuple(maps), entries={"train": 0}, inputs=moved,
                   outputs={"train": ()})


def test_feedback_sums_of_an_array_depend_on_the_order_of_its_columns_alone():
    """Column by column, however many rows: without it a column that starts a word afresh could drop what a later one
    adds, or an identity column, which an array has not, could clear it. Both golden machines and the RTL."""
    program, rng = back_programs(), np.random.default_rng(11)
    weights, samples = rng.integers(-3000, 3000, (12, 2, 4)), rng.integers(-3000, 3000, (2, 5))
    job = Job(program, "train", weights, {"e": samples})
    want, frac = golden.run(job, "numpy"), program.machine.formats.back_shift
    assert compare(program, want, golden.run(job, "compiled")).first is None
    assert compare(program, want, pysim.run(job)).first is None
    for i, error in enumerate(samples):
        for k, order in enumerate(ORDERS):
            lasting = [c for c in range(order.index("overwrite"), 4) if order[c] != "absent"]
            for lane in range(4):
                back = sum(int(weights[r // 2 * 4 + c, r % 2, lane]) * int(error[r]) for r in range(5) for c in lasting)
                barrier = (i * len(ORDERS) + k) * 2 + 1
                assert want.error[barrier, 12 + lane] == clip(half_up(back, frac), 16)[0], (order, lane)


def _descriptor(program, at, **fields):
    """The program with fields of a block descriptor changed."""
    word = program.blocks[at]
    for name, value in fields.items():
        field = BLOCK[name]
        word = word & ~(((1 << field.width) - 1) << field.lsb) | field.put(value)
    return replace(program, blocks=(*program.blocks[:at], word, *program.blocks[at + 1:]))


def _word(program, op, **fields):
    """The program with the first instruction of kind ``op`` changed."""
    at = next(i for i, w in enumerate(program.words) if decode(w).op is op)
    word = encode(op, **(decode(program.words[at]).fields | fields))
    return replace(program, words=(*program.words[:at], word, *program.words[at + 1:]))


REFUSED = {
    "weight memory": lambda p: _descriptor(p, 0, weight_base=p.machine.weight_words),
    "neuron memory": lambda p: _descriptor(p, 0, groups=1000),
    "overlap": lambda p: _descriptor(p, 0, stride=0),
    "last_rows is 9": lambda p: _descriptor(p, 0, last_rows=9),
    "no function 15": lambda p: _descriptor(p, 0, function=15),
    "leave the map": lambda p: _descriptor(p, 0, map_base=4000),
    "does not exist": lambda p: _word(p, Op.SWEEP, block=900),
    "INIT needs ERR": lambda p: _word(p, Op.SWEEP, flags=int(Sweep.INIT)),
    "not in a streamed memory": lambda p: _word(p, Op.IN, memory=5),
    "register above": lambda p: _word(p, Op.LOOP, register=7),
    "opcode 15": lambda p: replace(p, words=(15 << 28, *p.words))}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_leaves_its_memory_is_refused_with_a_sentence(reason):
    """Without it compiled code, which checks no bounds, would read and write foreign memory."""
    program = REFUSED[reason](compile_config(layered([6, 5, 3], rule={"hoist": False})))
    assert reason in unsupported(program) and unsupported(program).endswith(".")
    with pytest.raises(BadInput, match=reason):
        CompiledMachine(program)
    if reason != "opcode 15":
        assert isinstance(machine_of(program), Machine)


def test_everything_that_compiles_is_supported():
    """Without it long runs would silently fall back to the slow machine."""
    assert all(not unsupported(compile_config(c)) for c in random_configs(layered([3, 2]), 20, seed=5))


@pytest.mark.parametrize("words, message", [
    (lambda w: w[:-1], "runs on to address"), (lambda w: (encode(Op.NEXT), *w), "NEXT without a LOOP"),
    (lambda w: (encode(Op.LOOP, end=9, count=1),) * 5 + w, "nested deeper")])
def test_a_program_that_cannot_run_says_the_same_on_both(words, message):
    """Without it the compiled sequencer could run wild where the definition stops."""
    program = compile_config(layered([6, 5, 3]))
    program = replace(program, words=words(program.words), entries={"train": 0} | (
        {"train": program.entries["predict"]} if message.startswith("runs") else {}),
        inputs={"train": program.inputs["predict" if message.startswith("runs") else "train"]},
        outputs={"train": program.outputs["predict" if message.startswith("runs") else "train"]})
    said = []
    for machine in (Machine(program), CompiledMachine(program)):
        with pytest.raises(BadInput, match=message) as error:
            machine.run("train", random_samples(program, "train", 1, 1))
        said.append(str(error.value))
    assert said[0] == said[1]


def test_codes_outside_their_format_and_misfitting_streams_are_refused():
    """Without it a weight of another format would wrap to a wrong one without a word."""
    program = compile_config(layered([6, 5, 3]))
    machine = CompiledMachine(program)
    machine.weights[0, 0, 0] = 1 << 15
    samples = random_samples(program, "train", 1, 1)
    with pytest.raises(BadInput, match=r"weights reach 0..32768"):
        machine.run("train", samples)
    machine.weights[...], machine.rates[0] = 0, 32
    with pytest.raises(BadInput, match="rates reach"):
        machine.run("train", samples)
    with pytest.raises(BadInput, match="does not fit what is streamed"):
        CompiledMachine(_word(program, Op.IN, count=5)).run("train", samples)
    with pytest.raises(BadInput, match="no samples for"):
        CompiledMachine(program).run("train", {})
    with pytest.raises(BadInput, match="engine is 'fast'"):
        machine_of(program, "fast")
