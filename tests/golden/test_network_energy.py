"""The network energy of a trace against predictive coding written out on Python integers.

The figure of the report shows a curve that goes down; off by one step, or read at a barrier where some
errors are still those of the step before, it would go down just as nicely.
"""

import numpy as np
import pytest
from helpers import graph, layered
from test_programs import CASES, NETWORKS, Learner, job_of

from golden.network_energy import inference_energy, inference_steps, reference_energy
from hebbar.compiler.config import parse
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.rules import Schedule
from hebbar.compiler.schedule import LoopOp, insert_waits
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep
from sim.backends import golden
from sim.wave import sample_job


class Recording(Learner):
    """The independent learner, noting 1/2 sum e^2 of every population when all errors are new."""

    def __init__(self, job):
        super().__init__(job)
        self.seen, self.energies = [], []

    def errors(self, names):
        super().errors(names)
        if set(names) == set(self.predicted):
            scale = 2.0**self.m.state_frac
            self.seen.append([0.5 * sum((e / scale) ** 2 for e in self.e[n]) for n in
                              (p.name for p in self.net.predicted)])

    def load(self, sample):
        if self.seen:
            self.energies.append(self.seen)
        self.seen = []
        super().load(sample)


def expected(job):
    """(samples, steps, populations) of the independent learner."""
    learner = Recording(job)
    learner.run()
    return [*learner.energies, learner.seen]


@pytest.mark.parametrize("network, rule", [c for c in CASES if c[1] in ("il", "ipc")])
@pytest.mark.parametrize("steps", [1, 3])
def test_energies_are_those_of_the_definition(network, rule, steps):
    """Every graph, hoisted and not, exactly: the right barrier, population, sample and scale."""
    for changes in ({"row_tiles": 1}, {"row_tiles": 2}):
        for hoist in (True, False):
            config = NETWORKS[network](rule={"name": rule, "steps": steps, "hoist": hoist}, **changes)
            job = job_of(config, count=2)
            trace, want = golden.run(job), expected(job)
            for sample in range(2):
                found = inference_energy(job.program, trace, sample)
                assert found.shape == (steps + (rule == "il"), len(want[0][0]))
                assert (found == np.array(want[sample])).all()


@pytest.mark.parametrize("rule", ["zil", "backprop"])
def test_rules_that_do_not_refresh_all_errors_show_step_zero(rule):
    """Z-IL's wavefront and backprop's deltas leave other things in the error memory later on."""
    job = job_of(NETWORKS["deep"](rule={"name": rule}), count=2)
    energy = inference_energy(job.program, golden.run(job), 0)
    scale = job.program.machine.formats.state.scale
    learner = Learner(job)
    learner.load({n: [int(v) for v in codes[0]] for n, codes in job.samples.items()})
    learner.forward()
    learner.errors(learner.predicted)
    loss = 0.5 * sum((e / scale) ** 2 for e in learner.e["x3"])
    assert energy.shape == (1, 3) and (energy[0, :2] == 0).all()
    assert energy[0, 2] == pytest.approx(loss)


def test_hand_made_errors_of_a_trace():
    """1/2 sum e^2 in real units from numbers one can square in the head."""
    job = job_of(layered([4, 2, 2], rule={"steps": 1}), count=1)
    trace, found = golden.run(job), inference_steps(job.program, "train")
    lanes, scale = job.program.machine.lanes, 2**12
    trace.error[...] = 7 * scale
    first, last = (trace.error[f] for f in found.steps)
    places = job.program.layout.places
    for memory, x1, x2 in ((first, [0, 0], [3, 4]), (last, [1, 2], [1, 1])):
        memory[places["x1"].word * lanes:][:2] = np.array(x1) * scale
        memory[places["x2"].word * lanes:][:2] = np.array(x2) * scale
    assert inference_energy(job.program, trace, 0).tolist() == [[0.0, 12.5], [2.5, 1.0]]


def new_elements(rule=None, **target):
    """x0 -> x1 (precision 2) -> x2, an identity from x1 beside it; ``target`` changes x2."""
    config = graph([("x0", 4, "input", "identity", 7), ("x1", 3, "hidden", "identity", 5),
                    ("x2", 3, "target", "identity", 5)],
                   [("x0", "x1"), ("x1", "x2"), ("x1", "x2", {"identity": True})], rule, separation=3, energy=True)
    raw = config.model_dump(mode="json")
    for p, changes in zip(raw["network"]["populations"], ({}, {"precision": 1}, target), strict=True):
        p.update(changes)
    return parse(raw, "new elements")


def test_hand_made_energies_of_precisions_and_shares():
    """An error of precision pi weighs e^2 / pi; a categorical one is worth what it is short of certainty."""
    job = job_of(new_elements({"steps": 1}, error="categorical"), count=1)
    trace, found = golden.run(job), inference_steps(job.program, "train")
    lanes, scale = job.program.machine.lanes, 2**12
    places = job.program.layout.places
    x1, x2 = (slice(places[n].word * lanes, places[n].word * lanes + 3) for n in ("x1", "x2"))
    first, last = found.steps
    trace.error[first, x1], trace.error[last, x1] = np.array([[3, 1, 0], [0, 0, 2]]) * scale
    trace.state[first, x2], trace.state[last, x2] = np.array([[0.75, 0.25, 0], [1, 0, 0]]) * scale
    trace.error[first, x2], trace.error[last, x2] = np.array([[0.25, -0.25, 0], [1, -0.5, -0.5]]) * scale
    assert inference_energy(job.program, trace, 0) == pytest.approx(np.array([[2.5, np.log(2)], [1.0, 13 * np.log(2)]]))


@pytest.mark.parametrize("target", [{}, {"error": "categorical"}, {"precision": -1}])
def test_energies_of_new_elements_are_those_of_the_reference(target):
    """Errors after a SEPARATE and columns without weights must be found at the barriers that show them."""
    job = job_of(new_elements({"steps": 4, "gamma": 0.25}, **target), count=2)
    job.samples["x2"][:] = np.array([[4096, 0, 0], [1024, 2048, 1024]])
    trace = golden.run(job)
    for sample in range(2):
        found = inference_energy(job.program, trace, sample)
        weights = sample_job(job, trace, sample).weights
        reference = reference_energy(job, np.asarray(weights, np.int64), sample)
        assert found.shape == reference.shape == (5, 2)
        assert found == pytest.approx(reference, rel=0.1, abs=0.03) and found[-1].sum() < found[0].sum()


def test_a_sample_that_stops_early_has_fewer_steps():
    """With EXITs the barriers of a sample begin where the decisions of those before it say."""
    tolerance = 0.002
    whole, cut = (job_of(new_elements({"steps": 30, "gamma": 0.125, "tolerance": t}), count=3)
                  for t in (0.0, tolerance))
    long, short = golden.run(whole), golden.run(cut)
    for sample in range(3):
        found = inference_energy(cut.program, short, sample)
        falls = -np.diff((found * [2, 1]).sum(1))  # 1/2 e^2: the precision of x1 is 2
        assert 3 < len(found) < 31 and (falls[:-2] >= tolerance).all() and falls[-2] < tolerance
    first = inference_energy(cut.program, short, 0)
    assert first == pytest.approx(inference_energy(whole.program, long, 0)[:len(first)])


def test_a_free_categorical_population_has_no_energy():
    """Its error is there when its state has moved on: a figure of both would mix two steps."""
    job = job_of(new_elements({"steps": 2}, error="categorical"), count=1, entry="predict")
    with pytest.raises(BadInput, match="'x2' has categorical errors and moves in predict"):
        inference_energy(job.program, golden.run(job), 0)


@pytest.mark.parametrize("moves, shown", [(True, 0), (False, 1)])
def test_errors_of_different_states_are_no_step(moves, shown):
    """A schedule that moves x1 between two errors has no barrier with the energy of one state."""
    config = layered([6, 5, 3])
    s = Schedule(Layout(config.build_network(), config.machine), config.rule, "train")
    x1, x2 = s.blocks
    ops = [s.sweep(x1, Sweep.FWD | Sweep.ERR), s.sweep(x1, Sweep.ACT | (Sweep.STEP if moves else Sweep(0))),
           s.sweep(x2, Sweep.FWD | Sweep.ERR)]
    program = assemble(config, {"train": insert_waits([LoopOp((*s.inputs(), *ops), register=1)])}, s.layout)
    found = inference_steps(program, "train")
    assert found.steps == (len(found.pc) - 1,) * shown


def test_prediction_on_a_cycle_has_energies_too():
    """The entry is told by the trace; a free target still has an error on a cyclic graph."""
    job = job_of(NETWORKS["cycle"](rule={"steps": 4}), count=1, entry="predict")
    energy = inference_energy(job.program, golden.run(job), 0)
    assert energy.shape == (4, 3) and (energy.sum(1) > 0).all()


@pytest.mark.parametrize("rule", ["il", "ipc", "zil"])
def test_the_float_reference_starts_alike_and_stays_near(rule):
    """Step 0 differs by rounding alone; were clamps or weights scaled wrongly, by far more."""
    config = layered([6, 5, 3], rule={"name": rule, "steps": 4, "gamma": 0.25}, activity_bits=8)
    job = job_of(config, count=1)
    found = inference_energy(job.program, golden.run(job), 0)
    reference = reference_energy(job, job.weights, 0)
    assert reference.shape == found.shape
    assert reference[0] == pytest.approx(found[0], rel=0.05, abs=0.02)
    assert reference == pytest.approx(found, rel=0.15, abs=0.05)


def test_what_is_not_in_the_trace_is_said():
    """A sample outside the trace, or barriers of another program, must not give some numbers."""
    job = job_of(layered([6, 5, 3], rule={"steps": 2}), count=2)
    trace = golden.run(job)
    for sample in (-1, 2):
        with pytest.raises(BadInput, match=f"sample {sample} is not in the trace, which holds 2"):
            inference_energy(job.program, trace, sample)
    other = compile_config(layered([6, 5, 3], rule={"steps": 5}))
    with pytest.raises(BadInput, match=r"not those of this program|not in the trace"):
        inference_energy(other, trace, 0)
    job = job_of(layered([6, 5, 3]), steps=False)
    with pytest.raises(BadInput, match="no barriers; run the job with every step recorded"):
        inference_energy(job.program, golden.run(job), 0)
