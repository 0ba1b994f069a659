"""What every configuration learns by default: samples for every entry, and a grade that means what it says."""

import numpy as np
import pytest
from helpers import graph, layered

from golden.learning.tasks import task_of
from golden.learning.tasks.recall import hits
from golden.learning.tasks.spikes import ORDERS, PERIOD
from golden.learning.tasks.values import CORNERS, Grid, exact, grid_of, walk
from golden.learning.training import train_fixed, train_float
from golden.session import machine_of
from hebbar.compiler.config import load, preset_names
from hebbar.compiler.program import compile_config
from hebbar.compiler.rules import RULES
from hebbar.compiler.tasks import Kind
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.studies.strangers.presets import write_images
from sim import experiment
from sim.backends import golden
from sim.compare import Comparison, Difference, compare
from sim.experiment import confusion, predict_job
from sim.parts import barrier_bytes, merged, parts_of
from sim.simulate import job_of
from sim.wave import sample_job


@pytest.fixture(scope="module")
def program_of(tmp_path_factory):
    """A preset, compiled; MNIST's images are noise."""
    folder = write_images(tmp_path_factory.mktemp("mnist"))

    def find(name):
        config = load(name)
        return compile_config(config.replace(data={"path": str(folder)}) if config.data.name == "idx" else config)
    return find


@pytest.mark.parametrize("preset", preset_names())
def test_every_entry_of_every_preset_has_samples_and_the_asked_one_a_grade(program_of, preset):
    """Without it a preset could ship that no command can run."""
    program = program_of(preset)
    task = task_of(program, quick=True)
    for entry in program.entries:
        given = task.codes(entry, 2)
        assert list(given) == [t.key for t in program.inputs[entry]] and {len(c) for c in given.values()} <= {1, 2}
        assert set(machine_of(program).run(entry, given)) == {t.key for t in program.outputs[entry]}
    rows = task.order(0)[:3]
    first, again = task.draw(rows), task_of(program, quick=True).draw(rows)
    assert all((first[key] == again[key]).all() for key in first)
    curves = train_fixed(program, task), train_float(program, task)
    assert all(len(c.accuracy) == len(c.epochs) == 1 and c.accuracy[0] <= 1 for c in curves)


@pytest.mark.parametrize("preset, changes, least", [
    ("hopfield", {}, 1.0), ("euclidean", {}, 0.9), ("feature_memory", {}, 0.8),
    ("reward_bases", {"training": {"epochs": 8}}, 0.9), ("covpcn", {"training": {"epochs": 40}}, 0.5),
    ("stdp", {"training": {"epochs": 30}}, 0.9)])
def test_what_is_not_classified_is_learnt(preset, changes, least):
    """The grade of the trained machine is far from that of the untrained one: the samples teach what is asked."""
    program = compile_config(load(preset).replace(**changes))
    task = task_of(program)
    machine = machine_of(program)
    machine.load(task.image())
    before = task.score(machine.run(task.entry, task.codes(task.entry)))
    assert train_fixed(program, task).accuracy[-1] >= least > before + 0.3


def answers(task, kind):
    """Perfect outputs in real numbers, made from the samples themselves."""
    if kind is Kind.COMPLETION:
        return {"v": task.draw(np.arange(task.count))["v"]}
    if kind is Kind.RECALL:
        return {"z": task.draw(np.arange(20))["q"]}
    if kind is Kind.VALUES:
        return {"values": exact().T[list(CORNERS.starts)]}
    return {next(iter(task.program.outputs["predict"])).key: np.eye(10)[task.labels]}


@pytest.mark.parametrize("preset, kind", [("tiny", Kind.CLASSIFICATION), ("covpcn", Kind.COMPLETION),
                                              ("hopfield", Kind.RECALL), ("reward_bases", Kind.VALUES)])
def test_perfect_answers_are_perfect_and_nothing_is_worth_nothing(preset, kind):
    """A grade that were upside down would praise a broken machine."""
    task = task_of(compile_config(load(preset)))
    perfect = answers(task, kind)
    assert task.kind is kind and task.grade(perfect) == 1
    assert task.grade({key: 0 * values for key, values in perfect.items()}) <= 0.11
    if kind is Kind.COMPLETION:
        mean = np.broadcast_to(perfect["v"].mean(axis=0), perfect["v"].shape)
        assert task.grade({"v": mean}) == pytest.approx(0)
        assert task.grade({"v": perfect["v"][:1]}) == 1
    if kind is Kind.VALUES:
        mean = np.broadcast_to(perfect["values"].mean(axis=0), perfect["values"].shape)
        assert task.grade({"values": mean}) == pytest.approx(0) and task.grade({"values": mean[:5]}) is None


def test_a_neuron_for_each_order_tells_all_waves_apart():
    """The vote must name neurons on one half of the waves and count on the other."""
    task = task_of(compile_config(load("stdp")))
    spikes = task.questions["inputs"].reshape(-1, PERIOD, 64)
    early = spikes[:, :PERIOD // 4].any(axis=1)  # which inputs spike early says which order it is
    shapes = {tuple(row) for row in np.round(early).astype(int)}
    assert len(shapes) > ORDERS  # jitter and lost spikes
    prototypes = np.array([early[i] for i in range(len(early))], float)
    near = [int(np.argmax(prototypes[:1] @ prototypes.T))]
    while len(near) < ORDERS:
        near.append(int(np.argmin((prototypes[near] @ prototypes.T).max(axis=0))))
    which = (prototypes[near] @ prototypes.T).argmax(axis=0)
    fired = np.zeros((len(spikes), PERIOD, 16))
    fired[np.arange(len(spikes)), 5, which] = 1
    assert task.grade({"neurons": fired.reshape(-1, 16)}) == 1
    assert task.grade({"neurons": 0 * fired.reshape(-1, 16)}) == 0
    assert task.grade({"neurons": fired.reshape(-1, 16)[:-1]}) is None


def test_an_answer_counts_when_it_is_nearest_to_its_own_pattern():
    """Silence is no answer, and scale is no matter."""
    stored = np.array([[1.0, 0], [0, 1], [1, 1]])
    assert hits(0.1 * stored, stored) == 1
    assert hits(np.array([[0, 0], [0, 3], [1, 0.1]]), stored) == pytest.approx(1 / 3)


@pytest.mark.parametrize("places, bases, grid", [
    (36, 4, CORNERS), (9, 2, Grid(3, 3, (0, 2))), (25, 4, Grid(5, 5, (0, 4, 20, 24))), (7, 2, Grid(1, 7, (0, 6))),
    (12, 5, Grid(1, 12, (0, 3, 6, 8, 11)))])
def test_a_walk_for_any_number_of_places(places, bases, grid):
    """Every step leads to a neighbour, ends where a resource is, and its values solve the Bellman equation."""
    assert grid_of(places, bases) == grid and grid.places == places
    path = walk(200, 3, grid)
    ends = path.after < 0
    assert (path.rewards.sum(axis=1) == ends).all() and ends.any()
    assert all(b in grid.neighbours(a) for a, b in zip(path.places, path.after) if b >= 0)
    assert set(path.places) <= set(grid.starts)
    found = exact(grid)
    for place in grid.starts:
        for i, resource in enumerate(grid.resources):
            wanted = np.mean([float(n == resource) + 29 / 32 * (found[i, n] if n not in grid.resources else 0)
                              for n in grid.neighbours(place)])
            assert found[i, place] == pytest.approx(wanted)


def test_networks_of_other_sizes_have_data_of_their_size():
    """Default data that fit nobody must not be blamed on the user: memories take bits of any width."""
    memory = graph([("v", 12, "input"), ("one", 1, "constant")], [("v", "v", {"zero_diagonal": True, "scale": 0.0}),
                                                                 ("one", "v", {"scale": 0.0})], query_steps(), lanes=4)
    task = task_of(compile_config(memory))
    assert task.kind is Kind.COMPLETION and set(np.unique(task.draw(np.arange(5))["v"])) == {0, 1}
    hopfield = graph([("q", 12, "input"), ("slots", 4, "hidden"), ("z", 12, "target")],
                     [("q", "slots", {"scale": 0.0, "alpha_shift": 0}), ("z", "slots", {"shares": "q:slots"})],
                     {"name": "hopfield", "steps": 1, "options": {"separation": "max"}}, separation=4)
    task = task_of(compile_config(hopfield))
    assert task.count == 4 and set(np.unique(task.draw(np.arange(4))["q"])) == {-1, 1}
    assert train_fixed(task.program, task).accuracy == (1.0,)


def query_steps():
    return {"name": "il", "steps": 0, "query_steps": 3}


def test_default_digits_that_do_not_fit_are_not_the_users_fault():
    """The sentence must say that the data are the default, and what to give."""
    with pytest.raises(BadInput, match="no data are configured, and the default, digits of 64 pixels, do not fit"):
        task_of(compile_config(layered([6, 5, 10])))


def test_a_long_job_is_compared_in_parts_that_fit():
    """The first samples at every barrier, all of them by outputs, weights and counters; a difference late in the job is
    still found."""
    program = compile_config(load("tiny"))
    task = task_of(program)
    job = predict_job(program, task, task.image())
    size, whole = barrier_bytes(program, "predict"), golden.run(job)
    measured = whole.state.nbytes + whole.error.nbytes + whole.activity.nbytes
    assert size * job.count < measured <= size * (job.count + 1)
    assert parts_of(job) == [job]
    first, rest = parts_of(job, limit=5 * size)
    assert (first.count, first.steps, rest.count, rest.steps) == (5, True, job.count, False)
    traces = [golden.run(part) for part in (first, rest)]
    found = merged([compare(program, t, t) for t in traces])
    assert found.total_mismatches == 0 and found.words["output x2"] == 10 * (job.count + 5)
    wrong = golden.run(rest)
    wrong.outputs["x2"][200, 3] += 1
    found = merged([compare(program, traces[0], traces[0]), compare(program, traces[1], wrong)])
    assert found.total_mismatches == 1 and found.first.sample == 200


def test_a_difference_late_in_a_long_job_has_a_waveform(tmp_path, monkeypatch):
    """Without it the waveform would be asked of the first part of the job, which has no such sample."""
    program = compile_config(load("tiny"))
    task, asked = task_of(program), []
    job = predict_job(program, task, task.image())
    parts = parts_of(job, limit=5 * barrier_bytes(program, "predict"))
    traces = [golden.run(part) for part in parts]
    result = Comparison({}, {}, Difference(200, "", "output", 0, 1))
    monkeypatch.setattr(experiment, "record", lambda job, trace, first, *_, **__: asked.append(
        sample_job(job, trace, first.sample)))
    experiment._waveform({"test set": parts}, {"test set": [(t, t) for t in traces]}, {"test set": result}, tmp_path,
                         Reporter(quiet=True), tmp_path)
    assert [one.count for one in asked] == [1]
    assert all((values[0] == job.samples[key][200]).all() for key, values in asked[0].samples.items())


def test_a_confusion_matrix_counts_every_sample_once():
    """Rows are the right classes: each sums to how often its class was asked, the diagonal to the accuracy."""
    program = compile_config(load("tiny"))
    task = task_of(program)
    machine = machine_of(program)
    machine.load(train_fixed(program, task_of(program, quick=True)).weights)
    outputs = machine.run("predict", task.codes("predict"))
    counts = np.array(confusion(task, outputs))
    assert (counts.sum(axis=1) == np.bincount(task.labels, minlength=10)).all()
    assert np.trace(counts) / counts.sum() == task.score(outputs)
    assert confusion(task_of(compile_config(load("hopfield"))), {}) is None


def test_the_rules_that_need_other_samples_say_so():
    """The kind of task is declared with the rule, for rules of the user's own too."""
    from hebbar.compiler.rules import rule

    assert {name: r.task for name, r in RULES.items() if r.task} == {
        "hopfield": Kind.RECALL, "reward_bases": Kind.VALUES, "stdp": Kind.SPIKES}
    assert rule("mine", task="recall")(lambda s: []).task is Kind.RECALL
    with pytest.raises(ValueError, match="'recal' is not a valid Kind"):
        rule("mine", task="recal")
    for name in RULES.keys() - {"hopfield", "reward_bases", "stdp"}:
        assert RULES[name].task is None


def test_any_entry_can_be_a_job(program_of):
    """``hebbar simulate --entry`` takes every entry, and names those there are."""
    program = program_of("query")
    task = task_of(program)
    for entry in program.entries:
        assert job_of(program, task, entry, 2, task.image()).count == 2
    with pytest.raises(BadInput, match="did you mean 'query'"):
        job_of(program, task, "querry", 2, task.image())
