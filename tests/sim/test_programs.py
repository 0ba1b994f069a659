"""Whole learning rules: independent integer arithmetic, golden machine and RTL agree bit for bit.

``learn`` below is predictive coding on dictionaries of Python integers, written from the definitions
alone: no blocks, no columns, no hoisting, no overlap. The compiler may schedule as cleverly as it
likes, the weights that come out must be these. What it cannot see (a missing barrier, a pipeline
hazard) shows when the RTL runs the same program.
"""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from helpers import clip, graph, half_up, layered, random_samples, random_weights

from golden.image import from_image, to_image
from golden.machine import Machine
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.layout import Layout
from hebbar.compiler.network import Role
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.rules import Schedule, train
from hebbar.compiler.schedule import LoopOp, SweepOp, WaitOp, insert_waits, separated
from hebbar.contract.counters import HOST
from hebbar.contract.isa import Sweep
from sim.backends import golden, pysim

LEAK = Fraction(1, 8)
SLOPES = {"identity": lambda x: (Fraction(1), Fraction(1)), "relu": lambda x: (Fraction(x >= 0),) * 2,
          "leaky": lambda x: (Fraction(1) if x >= 0 else LEAK,) * 2}
"""f(x) / x and f'(x): functions that the tables hold exactly (away from the end of the range)."""

NETWORKS = {
    "layered": lambda **k: layered([6, 5, 3], **k),
    "deep": lambda **k: layered([5, 4, 6, 3], **k),
    "bias": lambda **k: layered([6, 5, 3], network={"bias": True, "activation": "relu"}, **k),
    "skip": lambda **k: graph(
        [("in", 5, "input", "identity", 7), ("low", 6, "hidden", "leaky", 5),
         ("high", 4, "hidden", "relu", 4), ("out", 3, "target", "identity", 5)],
        [("in", "low", {"alpha_shift": 3}), ("low", "high"), ("in", "high", {"alpha_shift": 5}),
         ("high", "out", {"alpha_shift": 2}), ("low", "out", {"plastic": False})], **k),
    "cycle": lambda **k: graph(
        [("a", 5, "hidden", "leaky", 5), ("in", 4, "input", "identity", 7),
         ("out", 3, "target", "leaky", 5), ("b", 6, "hidden", "leaky", 4)],
        [("in", "a"), ("a", "b"), ("b", "a"), ("b", "out", {"alpha_shift": 3}), ("out", "b")], **k),
    "self": lambda **k: graph(
        [("in", 5, "input", "identity", 7), ("h", 6, "hidden", "leaky", 5),
         ("out", 3, "target", "identity", 5)],
        [("in", "h"), ("h", "h", {"zero_diagonal": True, "alpha_shift": 2}), ("h", "out")], **k),
    "predicted input": lambda **k: graph(
        [("in", 5, "input", "leaky", 5), ("h", 6, "hidden", "leaky", 5),
         ("out", 3, "target", "identity", 5), ("one", 1, "constant", "identity", 5)],
        [("h", "in"), ("one", "h"), ("h", "out"), ("in", "out", {"alpha_shift": 3})], **k)}
CYCLIC = {"cycle", "self"}
RULES = {name: ["il", "ipc"] + ([] if name in CYCLIC else ["backprop"])
         + (["zil"] if name in ("layered", "deep", "bias") else []) for name in NETWORKS}
CASES = [(network, rule) for network in NETWORKS for rule in RULES[network]
         if (network, rule) != ("predicted input", "backprop")]


def job_of(config, count=2, seed=1, entry="train", **options):
    program = compile_config(config)
    image = to_image(program.layout, random_weights(program, seed, 0.7))
    return Job(program, entry, image, random_samples(program, entry, count, seed), seed=seed, **options)


def learnt(job):
    """Real weights by edge after the golden machine ran ``job``."""
    return from_image(job.program.layout, golden.run(job, engine="numpy").final)


class Learner:
    """A predictive-coding network on Python integers, one population at a time."""

    def __init__(self, job):
        config, self.job = job.program.config, job
        self.m, self.rule, self.net = config.machine, config.rule, job.program.layout.network
        self.f = self.m.formats
        real = from_image(job.program.layout, job.weights)
        self.w = {k: [[int(v * 2**self.m.weight_frac) for v in row] for row in matrix]
                  for k, matrix in real.items()}
        self.gain = int(Fraction(self.rule.gamma) * 128 + Fraction(1, 2))
        sizes = {p.name: p.size for p in self.net.populations}
        self.x, self.e, self.a = ({n: [0] * s for n, s in sizes.items()} for _ in range(3))
        self.predicted = [p.name for p in self.net.populations if self.net.incoming(p.name)
                          or p.role in (Role.HIDDEN, Role.TARGET)]

    def held(self, name):
        return self.net.by_name[name].role is not Role.HIDDEN

    def activate(self, name):
        p = self.net.by_name[name]
        for i, x in enumerate(self.x[name]):
            real = Fraction(x, 2**self.m.state_frac)
            value = SLOPES[p.activation](real)[0] * real
            self.a[name][i] = clip(math.floor(value * 2**p.activity_frac + Fraction(1, 2)),
                                   self.m.activity_bits)[0]

    def load(self, sample):
        for p in self.net.populations:
            if p.role is Role.CONSTANT:
                self.a[p.name] = [2**p.activity_frac]
            elif p.name in sample and not self.net.incoming(p.name):
                self.a[p.name] = list(sample[p.name])
            elif p.name in sample:
                self.x[p.name] = list(sample[p.name])

    def mu(self, name):
        """Predictions, from activities aligned to the machine's fraction bits."""
        sums = [0] * self.net.by_name[name].size
        for edge in self.net.incoming(name):
            lift = self.m.activity_frac - self.net.by_name[edge.source].activity_frac
            for r, row in enumerate(self.w[edge.source, name]):
                sums[r] += sum(w * a for w, a in zip(row, self.a[edge.source], strict=True)) * 2**lift
        return [half_up(s, self.m.weight_frac + self.m.activity_frac - self.m.state_frac) for s in sums]

    def errors(self, names):
        for name in names:
            self.e[name] = [clip(x - mu, self.m.error_bits)[0]
                            for x, mu in zip(self.x[name], self.mu(name), strict=True)]

    def back(self, name):
        total = [0] * self.net.by_name[name].size
        for edge in self.net.outgoing(name):
            for row, e in zip(self.w[name, edge.target], self.e[edge.target], strict=True):
                total = [t + w * e for t, w in zip(total, row, strict=True)]
        return [clip(half_up(t, self.m.weight_frac), self.m.state_bits + 4)[0] for t in total]

    def slope(self, name, x):
        p = self.net.by_name[name]
        return int(SLOPES[p.activation](Fraction(x, 2**self.m.state_frac))[1] * 128)

    def step(self, names, gain):
        """x += gain (f' back - e), all from the same errors."""
        new = {}
        for name in names:
            moved = [x + half_up(gain * (self.slope(name, x) * b - e * 128), 14) for x, b, e in
                     zip(self.x[name], self.back(name), self.e[name], strict=True)]
            new[name] = [clip(v, self.m.state_bits)[0] for v in moved]
        self.x.update(new)
        for name in names:
            self.activate(name)

    def learn(self, names):
        for name in names:
            for edge in self.net.incoming(name):
                frac = self.net.by_name[edge.source].activity_frac
                rate = edge.alpha_shift + self.m.state_frac + frac - self.m.weight_frac
                for r, row in enumerate(self.w[edge.source, name] if edge.plastic else []):
                    for k in range(len(row)):
                        if not (edge.zero_diagonal and edge.source == name and r == k):
                            change = half_up(self.e[name][r] * self.a[edge.source][k], rate)
                            row[k] = clip(row[k] + change, self.m.weight_bits)[0]

    def forward(self):
        """Feed-forward start; on a cycle, the states start at zero."""
        if self.net.order is None:
            for name in self.predicted:
                if not self.held(name):
                    self.x[name] = [0] * len(self.x[name])
                self.activate(name)
            return
        for name in self.net.order:
            if name in self.predicted:
                if not self.held(name):
                    self.x[name] = [clip(v, self.m.state_bits)[0] for v in self.mu(name)]
                self.activate(name)

    def run(self):
        """Learn from every sample of the job; returns real weights by edge."""
        moving = [n for n in self.predicted if not self.held(n)]
        samples = self.job.samples
        for i in range(len(next(iter(samples.values())))):
            self.load({n: [int(v) for v in codes[i]] for n, codes in samples.items()})
            self.forward()
            getattr(self, self.rule.name)(moving)
        return {k: np.array(w) / 2**self.m.weight_frac for k, w in self.w.items()}

    def il(self, moving):
        for _ in range(self.rule.steps):
            self.errors(self.predicted)
            self.step(moving, self.gain)
        self.errors(self.predicted)
        self.learn(self.predicted)

    def ipc(self, moving):
        for _ in range(self.rule.steps):
            self.errors(self.predicted)
            old = {k: [list(row) for row in w] for k, w in self.w.items()}
            self.learn(self.predicted)
            new, self.w = self.w, old
            self.step(moving, self.gain)
            self.w = new

    def zil(self, moving):
        """The definition: gamma 1, all states move at every step, W_l learns once, at step L - l."""
        for name in [n for n in reversed(self.net.order) if n in self.predicted]:
            self.errors(self.predicted)
            old = {k: [list(row) for row in w] for k, w in self.w.items()}
            self.learn([name])
            new, self.w = self.w, old
            self.step(moving, 128)
            self.w = new

    def backprop(self, moving):
        """Deltas from the output down, all with the weights of the forward pass."""
        targets = [n for n in self.predicted if self.held(n)]
        self.errors(targets)
        for name in [n for n in reversed(self.net.order) if n in moving]:
            feedback = zip(self.x[name], self.back(name), strict=True)
            self.e[name] = [clip(half_up(self.slope(name, x) * b, 7), self.m.error_bits)[0]
                            for x, b in feedback]
        self.learn(self.predicted)


def same(one, other):
    assert one.keys() == other.keys()
    for key in one:
        assert (one[key] == other[key]).all(), key


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("network, rule", CASES)
def test_golden_learns_what_the_definition_says(network, rule, steps):
    """Every rule on every kind of graph, with and without hoisting, on one and on two row tiles."""
    for changes in ({"row_tiles": 1}, {"row_tiles": 4, "lanes": 8, "weight_frac": 11}):
        for hoist in (True, False):
            config = NETWORKS[network](rule={"name": rule, "steps": steps, "hoist": hoist}, **changes)
            job = job_of(config, count=3, steps=False)
            same(learnt(job), Learner(job).run())


def test_il_without_steps_learns_from_the_first_errors():
    """T = 0 has no loop and no hoisting; a schedule of its own."""
    job = job_of(NETWORKS["layered"](rule={"name": "il", "steps": 0}))
    same(learnt(job), Learner(job).run())


@pytest.mark.parametrize("network", [n for n in NETWORKS if n not in CYCLIC])
def test_prediction_is_the_feed_forward_pass(network):
    """``predict`` shares no sweep with ``train``; outputs of acyclic graphs are closed form."""
    config = NETWORKS[network](rule={"name": "il", "steps": 2})
    job = job_of(config, count=3, entry="predict")
    learner = Learner(job)
    learner.held = lambda name: learner.net.by_name[name].role in (Role.INPUT, Role.CONSTANT)
    outputs = golden.run(job).outputs
    for i in range(3):
        learner.load({n: [int(v) for v in codes[i]] for n, codes in job.samples.items()})
        learner.forward()
        for name, rows in outputs.items():
            assert rows[i].tolist() == learner.x[name]


@pytest.mark.parametrize("network", NETWORKS)
def test_theorem_12_hoisting_changes_no_bit(network):
    """The base is exact, so computing it once a sample must not move any rounding."""
    on, off = (learnt(job_of(NETWORKS[network](rule={"name": "il", "hoist": h}), count=4))
               for h in (True, False))
    same(on, off)


def _permuted(config: Config, order, edges) -> Config:
    """The same graph with populations and edges stored in another order."""
    net = config.build_network()
    return config.replace(
        network={"layers": (), "edges": [vars(net.edges[i]) for i in edges],
                 "populations": [vars(net.populations[i]) for i in order]},
        rule={"alpha_shifts": (), "init_scales": ()})


@pytest.mark.parametrize("network, rule", CASES)
def test_theorem_13_storage_order_changes_no_bit(network, rule):
    """A schedule whose result depends on where things are stored breaks the synchronous step."""
    config = NETWORKS[network](rule={"name": rule})
    net = config.build_network()
    first = job_of(config, count=3)
    weights = from_image(first.program.layout, first.weights)
    orders = list(permutations(range(len(net.populations))))
    for i, order in enumerate(orders[5::max(1, len(orders) // 4)]):
        edges = np.random.default_rng(i).permutation(len(net.edges)).tolist()
        program = compile_config(_permuted(config, order, edges))
        job = Job(program, "train", to_image(program.layout, weights), first.samples)
        same(learnt(job), learnt(first))


def _run_ops(config, ops, seed=1, count=3):
    """Weights and counters of a hand-written training schedule."""
    layout = Layout(config.build_network(), config.machine)
    program = assemble(config, {"train": insert_waits(ops)}, layout)
    image = to_image(layout, random_weights(program, seed, 0.7))
    machine = Machine(program)
    machine.tile.weights[...] = image
    machine.run("train", random_samples(program, "train", count, seed))
    return from_image(layout, machine.tile.weights), machine.counters.read()


@pytest.mark.parametrize("sizes", [[6, 5, 3], [5, 4, 6, 3], [5, 4, 4, 4, 3]])
def test_the_z_il_wavefront_is_z_il(sizes):
    """The naive schedule computes everything at every step; the wavefront only what can matter."""
    config = layered(sizes, rule={"name": "zil"})
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    naive = [s.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.INIT | Sweep.ACT) for b in s.blocks]
    for learning in reversed(s.blocks):
        fed = set()
        for b in reversed(s.blocks):
            upd = Sweep.UPD if b is learning else Sweep(0)
            naive.append(s.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.TRN | upd, fed=fed))
        naive += [s.sweep(b, Sweep.STEP | Sweep.BACK | Sweep.ACT, 1.0) for b in s.moving_blocks]
    naive = [LoopOp((*s.inputs(), *naive), register=1)]
    wave, counts = _run_ops(config, train(s))
    slow, many = _run_ops(config, naive)
    same(wave, slow)
    assert counts["weight_reads"] < many["weight_reads"]


@pytest.mark.parametrize("rule", ["il", "ipc"])
def test_separate_verbs_give_the_same_weights_and_count_their_reads(rule):
    """The claim of one read instead of two (IL) or three (iPC): reads by hand-checked arithmetic."""
    sizes, steps, count = [6, 5, 3], 4, 3
    config = layered(sizes, rule={"name": rule, "steps": steps, "hoist": False})
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    fused, once = _run_ops(config, train(s), count=count)
    apart, often = _run_ops(config, separated(train(s)), count=count)
    same(fused, apart)
    w1, w2 = sizes[0] * sizes[1] * count, sizes[1] * sizes[2] * count
    passes = steps + 1 if rule == "il" else steps
    assert once["weight_reads"] == passes * (w1 + w2)
    if rule == "il":
        assert often["weight_reads"] == (passes + 1) * w1 + 2 * passes * w2
    else:
        assert often["weight_reads"] == passes * (2 * w1 + 3 * w2)
    for name in once:
        assert name == "weight_reads" or once[name] == often[name], name


def test_hoisting_reads_a_fixed_weight_twice_a_sample():
    """Once for the base, once for the update, however many steps: the count behind the speed-up."""
    sizes, steps, count = [6, 5, 3], 4, 3
    config = layered(sizes, rule={"steps": steps})
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    _, counts = _run_ops(config, train(s), count=count)
    assert counts["weight_reads"] == count * (2 * sizes[0] * sizes[1] + (steps + 1) * sizes[1] * sizes[2])


def touches(op):
    """(reads, writes, sums) of a sweep as (memory, population), from the table of flags alone."""
    f, own = op.flags, op.block.place.population.name
    first, count = op.view
    sources = {c.edge.source for c in op.block.columns[first:first + count]}
    reads = {("a", n) for n in sources if f & (Sweep.FWD | Sweep.UPD)}
    for name, flags in (("w", Sweep.FWD | Sweep.TRN | Sweep.UPD), ("base", Sweep.BASE),
                        ("x", Sweep.ERR | Sweep.STEP | Sweep.DELTA | Sweep.ACT),
                        ("e", Sweep(0) if f & Sweep.ERR else Sweep.STEP | Sweep.TRN | Sweep.UPD),
                        ("back", Sweep.STEP | Sweep.DELTA if f & Sweep.BACK else Sweep(0))):
        reads |= {(name, own)} if f & flags else set()
    writes = set()
    for name, flags in (("w", Sweep.UPD), ("base", Sweep.HOIST), ("x", Sweep.INIT | Sweep.STEP),
                        ("e", Sweep.ERR | Sweep.DELTA), ("a", Sweep.ACT)):
        writes |= {(name, own)} if f & flags else set()
    return reads, writes, {("back", n) for n in sources if f & Sweep.TRN}


def conflicts(ops):
    """Sweeps that touch the same thing without a WAIT between them, and loops not drained."""
    found, pending = [], []
    for op in ops:
        if isinstance(op, SweepOp):
            reads, writes, sums = touches(op)
            if any(memory in ("a", "back") for memory, _ in (writes | sums) & reads):
                found.append(("reads what it writes", op))
            for earlier in pending:
                r, w, s = touches(earlier)
                if reads & (w | s) or (writes | sums) & r or writes & (w | s) or sums & w:
                    found.append((earlier, op))
            pending.append(op)
            continue
        if isinstance(op, LoopOp):
            found += [("loop enters", p) for p in pending if touches(p)[1] | touches(p)[2]]
            found += conflicts(op.body)
            found += [("loop repeats", op)] if isinstance(op.body[-1], SweepOp) else []
        pending = []
    return found


@pytest.mark.parametrize("network, rule", CASES)
def test_no_sweep_overtakes_what_it_depends_on(network, rule):
    """The RTL only honours WAIT; a forgotten barrier is a race that may win on one geometry."""
    config = NETWORKS[network](rule={"name": rule})
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    ops = insert_waits(train(s))
    assert not conflicts(ops)
    assert any(isinstance(o, WaitOp) for o in ops[0].body)


RTL = [
    ("layered", "il", {"row_tiles": 1}, "train"),
    ("layered", "zil", {"row_tiles": 2}, "train"),
    ("bias", "ipc", {"row_tiles": 4}, "train"),
    ("bias", "backprop", {"row_tiles": 2}, "train"),
    ("skip", "il", {"row_tiles": 2, "lanes": 8}, "train"),
    ("skip", "backprop", {"row_tiles": 1}, "predict"),
    ("cycle", "il", {"row_tiles": 2}, "train"),
    ("cycle", "il", {"row_tiles": 1}, "predict"),
    ("self", "ipc", {"row_tiles": 2}, "train"),
    ("predicted input", "ipc", {"row_tiles": 1}, "train"),
    ("deep", "il", {"row_tiles": 2, "weight_bits": 8, "weight_frac": 5, "state_bits": 10,
                    "state_frac": 6, "error_bits": 9, "activity_bits": 6, "activity_frac": 7}, "train")]


@pytest.mark.parametrize("network, rule, changes, entry", RTL)
def test_rtl_equals_golden_at_every_barrier(network, rule, changes, entry):
    """Compiled programs under random stalls of both streams; all counters but the stalls."""
    config = NETWORKS[network](rule={"name": rule, "steps": 2}, **changes)
    job = job_of(config, entry=entry, stall=0.7, seed=3)
    want, got = golden.run(job), pysim.run(job)
    for name in ("pc", "state", "error", "activity", "weight_barrier", "weights", "final"):
        assert (getattr(want, name) == getattr(got, name)).all(), name
    assert want.outputs.keys() == got.outputs.keys()
    for name, rows in want.outputs.items():
        assert (rows == got.outputs[name]).all(), name
    assert {n: v for n, v in got.counters.items() if n not in HOST} == {
        n: v for n, v in want.counters.items() if n not in HOST}
    assert any(got.counters[n] for n in HOST)
    assert entry == "predict" or (got.final != job.weights).any()
