"""The array macro against the golden machine: every barrier, every weight, every counter.

``agree`` runs a job on both. Programs come from the compiler (the four rules) and from ``Sweeps``,
which draws random sweeps, any legal flags over any columns, on one small recurrent network that
has every kind of edge and of map flag.
"""

from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest
from amaranth.sim import Simulator

from golden.image import from_image, to_image
from golden.trace import Job
from hebbar.compiler.config import load, parse
from hebbar.compiler.cycles import ArrayTiming
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.schedule import LoopOp, SweepOp, TransferOp, insert_waits
from hebbar.contract.counters import HOST, ISSUE_SETS
from hebbar.contract.errors import BadInput
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Op, Sweep, illegal_sweep
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, Mem, unpack
from hw.crossbar import Crossbar
from sim.backends import golden, pysim
from sim.packets import beats, words

BARRIERS = ("pc", "state", "error", "activity", "weight_barrier", "weights", "final")


def agree(job):
    """Run on the golden machine and in simulation, compare everything; returns the second trace."""
    want, got = golden.run(job), pysim.run(job)
    for name in BARRIERS:
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name), name)
    for name, values in want.outputs.items():
        np.testing.assert_array_equal(got.outputs[name], values, name)
    assert counters(got) == counters(want)
    assert len(got.pc) and got.final.any()
    return got


def counters(trace):
    """All counters but those that depend on how fast the host is."""
    return {name: value for name, value in trace.counters.items() if name not in HOST}


# ------------------------------------------------------------------------------- compiled programs

def job_of(config, entry, samples=2, stall=0.0):
    """A job with random weights and data for one of the compiler's programs."""
    program, rng = compile_config(config), np.random.default_rng(5)
    network, data, weights = program.layout.network, {}, {}
    for e in network.edges:
        shape = network.by_name[e.target].size, network.by_name[e.source].size
        weights[e.source, e.target] = rng.uniform(-1, 1, shape)
    for transfer in program.inputs[entry]:
        p = transfer.population
        data[p.name] = (rng.integers(0, 128, (samples, p.size)) if transfer.memory is Mem.ACTIVITY
                        else rng.integers(-4096, 4097, (samples, p.size)))
    image = to_image(program.layout, weights)
    return Job(program, entry, image, data, stall=stall, seed=3)


def small(rule, **machine):
    """The array preset with another rule and fewer, odd sizes: 4 lanes, tail rows, a bias."""
    return load("array").replace(
        rule={"name": rule, "steps": 2}, network={"layers": [6, 5, 3], "bias": True},
        machine={"lanes": 4, "weight_words": 15, "max_columns": 3, **machine})


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
def test_every_rule_trains_as_on_the_golden_machine(rule):
    """Without it a rule could learn other weights on the array, or take other cycles than the cycle
    model says, and only the accuracy would tell, or nothing."""
    trace = agree(job_of(small(rule), "train", stall=0.6))
    assert trace.counters["stall_in"] and trace.counters["mac_upd"] and trace.counters["mac_trn"]


def test_the_preset_trains_and_predicts_as_on_the_golden_machine():
    """Without it the shipped configuration could be one that no test has run."""
    config = load("array")
    agree(job_of(config, "train", samples=1))
    assert agree(job_of(config, "predict", samples=3, stall=0.3)).outputs["x2"].shape == (3, 10)


def test_rows_and_array_differ_in_time_only():
    """Without it the two tiles could each agree with their own golden twin and not with each
    other: a network trained on one would not run on the other."""
    jobs = [job_of(small("ipc", tile=tile), "train") for tile in ("rows", "array")]
    rows, array = (pysim.run(job) for job in jobs)
    for name in ("pc", "state", "error", "activity", "weight_barrier"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(array, name), name)
    images = zip(rows.weights, array.weights, strict=True)
    for pair in (*images, (rows.final, array.final)):
        a, b = (from_image(job.program.layout, image)
                for job, image in zip(jobs, pair, strict=True))
        assert all((a[edge] == b[edge]).all() for edge in a)
    changed = {"weight_reads", "issue", "drain", "control", *ISSUE_SETS}
    assert rows.counters["issue"] != array.counters["issue"]
    for name, value in counters(rows).items():
        assert name in changed or array.counters[name] == value, name


# ---------------------------------------------------------------------------------- random sweeps

@dataclass(frozen=True)
class Sizes:
    """A machine and the sizes of the populations on it."""

    lanes: int
    tiles: int
    columns: int
    sizes: tuple[int, int, int]
    weight_bits: int = 16

    def config(self):
        """data -> hidden -> target with a recurrent, a lateral, a fixed and a feedback edge."""
        names = (("data", "input"), ("hidden", "hidden"), ("target", "target"), ("one", "constant"))
        populations = [{"name": n, "role": r, "size": s, "activation": a, "activity_frac": f}
                       for (n, r), s, a, f in zip(names, (*self.sizes, 1), (
                           "identity", "leaky", "identity", "identity"), (7, 5, 5, 6), strict=True)]
        edges = [("data", "hidden", 0, {}), ("one", "hidden", 0, {}), ("target", "data", 3, {}),
                 ("hidden", "hidden", 1, {"zero_diagonal": True}), ("hidden", "target", 2, {}),
                 ("target", "target", 0, {"zero_diagonal": True}),
                 ("data", "target", 0, {"plastic": False})]
        groups = sum(-(-s // self.tiles) for s in self.sizes)
        return parse({
            "network": {"populations": populations, "edges": [
                {"source": s, "target": t, "alpha_shift": a, **o} for s, t, a, o in edges]},
            "rule": {"gamma": 0.75},
            "machine": {"tile": "array", "lanes": self.lanes, "row_tiles": self.tiles,
                        "max_columns": self.columns, "weight_words": groups * self.columns,
                        "weight_bits": self.weight_bits, "weight_frac": self.weight_bits - 3,
                        "row_sum_bits": 44, "feedback_sum_bits": 50, "neuron_words": 16, "blocks": 128,
                        "map_entries": 1024}}, "random")


class Sweeps:
    """A program of random sweeps: legal flags, any columns, lanes and precision, any feedback sums anew."""

    def __init__(self, config, entry, count, seed):
        self.layout = Layout(config.build_network(), config.machine)
        self._random = Random(seed)
        inputs = [TransferOp(Op.IN, p, m, p == "target") for p, m in
                  (("data", Mem.STATE), ("hidden", Mem.ACTIVITY), ("target", Mem.STATE))]
        body = (*inputs, *(self._sweep() for _ in range(count)))
        program = assemble(config, {entry: insert_waits([LoopOp(body, register=1)])}, self.layout)
        draw, lanes = self._random, config.machine.lanes
        maps = [self._with(MAP["positive"], w, draw.randrange(2)) for w in program.maps]
        self.program = replace(
            program, maps=tuple(self._with(MAP["lanes"], w, draw.randint(0, lanes)) for w in maps),
            blocks=tuple(self._with(BLOCK["precision"], w, draw.choice([UNIT_PRECISION, 3, 15]))
                         for w in program.blocks))

    @staticmethod
    def _with(field, word, value):
        """The word with another value of a field; lanes may be fewer than the source has, or none."""
        return word + field.put(value) - field.put(field.get(word))

    def _sweep(self):
        draw = self._random
        block = draw.choice(list(self.layout.blocks.values()))
        flags = Sweep(draw.getrandbits(len(Sweep)))
        while illegal_sweep(flags):
            flags = Sweep(draw.getrandbits(len(Sweep)))
        first = draw.randrange(len(block.columns))
        view = (first, draw.randint(1, len(block.columns) - first)) if flags.weights else (0, 0)
        overwrite = frozenset(w for w in range(self.layout.machine.neuron_words) if draw.random() < 0.5)
        return SweepOp(block, view, flags, draw.choice([None, 1.0]), overwrite)

    def job(self, entry, samples=1):
        """With weights of every size in every cell, those of lanes and rows not in use included."""
        m, rng = self.program.machine, np.random.default_rng(1)
        lo, hi = m.formats.weight.lo, m.formats.weight.hi
        image = rng.integers(lo, hi + 1, (m.weight_words, m.row_tiles, m.lanes))
        image >>= rng.choice([0, 4, 8], image.shape)
        extreme = rng.choice([lo, 0, hi], image.shape, p=[0.15, 0.7, 0.15])
        image = np.where(extreme, extreme, image)
        limits = {"hidden": m.formats.activity} | dict.fromkeys(("data", "target"), m.formats.state)
        data = {t.population.name: rng.integers(
                    limits[t.population.name].lo, limits[t.population.name].hi + 1,
                    (samples, t.population.size)) for t in self.program.inputs[entry]}
        return Job(self.program, entry, image, data)


MACHINES = {
    "one row a group, a row longer than any block": Sizes(4, 1, 7, (5, 4, 3)),
    "two rows a group, tails and partial lanes": Sizes(4, 2, 5, (5, 7, 3)),
    "as many rows as lanes": Sizes(4, 4, 5, (5, 3, 6)),
    "one weight a beat": Sizes(4, 2, 4, (3, 6, 1), weight_bits=18),
    "four row groups a neuron word": Sizes(8, 2, 4, (9, 3, 2), weight_bits=12),
}


@pytest.mark.parametrize("name", MACHINES)
def test_random_sweeps_agree(name):
    """Without it only the few flag sets the rules use would be known to work, on blocks that start
    at column 0, with weights so small that nothing saturates."""
    number = list(MACHINES).index(name)
    entry = ("train", "predict")[number % 2]  # with the target clamped and not
    sweeps = Sweeps(MACHINES[name].config(), entry, 20, number)
    columns = [unpack(MAP, word) for word in sweeps.program.maps]
    for flag in ("feedback", "overwrite", "plastic", "diagonal", "positive"):
        assert {c[flag] for c in columns} == {0, 1}, flag
    trace = agree(sweeps.job(entry))
    assert trace.counters["sat_weight"] > 5
    assert sum(trace.counters[n] > 0 for n in ISSUE_SETS) > 10


# --------------------------------------------------------------------- one sweep, by hand; the host

@pytest.mark.parametrize("flags, slots, idle", [
    (Sweep.ERR, 3, 103 + 17),
    (Sweep.FWD | Sweep.ERR, 4 + 1 + 3, 108 + 17),
    (Sweep.FWD | Sweep.TRN, 4 + 1 + 3 + 7 + 3, 108 + 17),
    (Sweep.ERR | Sweep.UPD, 4 + 3 + 7 + 1, 107 + 17),
    (Sweep.FWD | Sweep.ERR | Sweep.TRN | Sweep.UPD, 4 + 1 + 3 + 7 + 3 + 1, 108 + 17)])
def test_the_cycles_of_one_sweep_are_the_documented_ones(flags, slots, idle):
    """Without it hardware and cycle model could drift from the documented formula together. Two
    columns and three row groups, accepted in cycle 100."""
    timing = ArrayTiming(load("array").machine)
    assert timing.sweep(100, {"columns": 2, "groups": 3}, flags) == slots
    assert (timing.free, timing.idle) == (100 + slots, idle)


def test_a_long_feedback_outlasts_the_neuron_unit():
    """Without it a WAIT could end before the last feedback sums and weights are there."""
    timing = ArrayTiming(load("array").machine)
    timing.sweep(0, {"columns": 30, "groups": 1}, Sweep.TRN | Sweep.UPD)
    assert timing.idle == timing.free + 1 == 32 + 1 + 7 + 31 + 1 + 1


@pytest.mark.parametrize("bits", [3, 16, 17])
def test_the_host_reads_what_it_wrote(bits):
    """Without it weights could come back shifted, without their sign, or from the cell next door;
    words behind the array could alias cells; and a sweep's host port could write while shut out."""
    config = small("il", weight_bits=bits, weight_frac=bits - 3, state_frac=1, activity_frac=7)
    machine, port = config.machine, ports(config.machine)[Mem.WEIGHT]
    crossbar, limits = Crossbar(machine), machine.formats.weight
    image = np.random.default_rng(0).integers(limits.lo, limits.hi + 1, (port.depth, port.lanes))
    stream = beats(image, port)
    places = [divmod(n, port.beats_per_word) for n in range(len(stream))]

    async def access(ctx, place, beat=None, select=1):
        for name, value in (("address", place[0]), ("sub", place[1]), ("beat", beat or 0),
                            ("write", int(beat is not None)), ("select", select)):
            ctx.set(getattr(crossbar.host, name), value)
        await ctx.tick()
        return ctx.get(crossbar.host.read_beat)

    async def bench(ctx):
        for place, beat in zip(places, stream, strict=True):
            await access(ctx, place, beat)
        await access(ctx, (port.depth, 0), 0xFFFF_FFFF)
        await access(ctx, places[0], ~stream[0] & 0xFFFF_FFFF, select=0)
        back = [await access(ctx, place) for place in places]
        np.testing.assert_array_equal(words(back, port).reshape(image.shape), image)
        assert await access(ctx, (port.depth, 0)) == 0
        assert [[ctx.get(w) for w in word] for word in crossbar.words] == image.tolist()

    simulator = Simulator(crossbar)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("machine, sentence", [
    ({"weight_words": 27}, r"weight_words is 27; .* multiple of max_columns \(2\), such as 28"),
    ({"weight_words": 2048}, "2048, which makes 32768 cells .* at most 16384 .* use tile 'rows'")])
def test_impossible_arrays_are_refused(machine, sentence):
    """Without it the last weight words would lead nowhere, or a build would never end."""
    with pytest.raises(BadInput, match=sentence):
        load("array").replace(machine=machine)
