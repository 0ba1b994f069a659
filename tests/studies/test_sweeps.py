"""Studies of many runs: grids, searches, what is kept of them, and what works on them."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from golden.learning.datasets import load as load_data
from hebbar.cli.app import app
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.files import release
from hebbar.studies import sweeps
from hebbar.studies.parameter_sweep import Row, Stopped, task_for
from hebbar.studies.sweeps import extras, kept, schedulers, study

QUIET = Reporter(quiet=True)
TABLES = ("table.csv", "table.parquet", "result.json")


class Serial:
    """Works in this process, the last first; ``names`` says on what."""

    def __init__(self):
        self.names = []

    def arriving(self, function, work):
        for i, arguments in reversed(list(enumerate(work))):
            self.names.append(arguments[:2])
            yield i, function(*arguments)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The preset tiny with one epoch of 48 samples; the last 12 are held out."""
    path = tmp_path_factory.mktemp("data") / "samples.npz"
    samples(path)
    return load("tiny").replace(data={"name": "npz", "path": str(path), "split": "last360"}, training={"epochs": 1})


def samples(path, test_class=None):
    rng, labels = np.random.default_rng(0), np.arange(60) % 3
    inputs = np.clip(rng.normal(0.3, 0.2, (60, 16)) + 0.5 * np.eye(3, 16)[labels], 0, 1)
    if test_class is not None:
        labels[-12:] = test_class
    np.savez(path, inputs=inputs, labels=labels)


def points(config):
    return sweeps.grid([config], [sweeps.axis("rule.steps=2,4"), sweeps.axis("rule.alpha_shifts=[1,2],[2,3]")], 2)


def tables(folder, lines):
    """The bytes of the table in all forms."""
    sweeps.write_csv(lines, folder / "table.csv")
    sweeps.write_parquet(lines, folder / "table.parquet")
    (folder / "result.json").write_text(json.dumps([line.record() for line in lines]))
    return {name: (folder / name).read_bytes() for name in TABLES if (folder / name).exists()}


def run(folder, config, scheduler=None, seeds=2):
    """The tables of a study, and what was worked on."""
    scheduler = scheduler or Serial()
    lines = sweeps.Study(sweeps.Store(folder / "runs"), scheduler, QUIET, seeds).run(points(config))
    return tables(folder, lines), getattr(scheduler, "names", None)


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    found, names = run(folder, config)
    assert len(names) == 8 == len(list((folder / "runs").iterdir()))
    return folder, found


def test_a_grid_is_every_combination_in_order():
    """Without it a table could have a value that no run had, or lack a run."""
    axes = [sweeps.axis("rule.steps=2,3"), sweeps.axis("rule.gamma=0.25,0.5")]
    found = sweeps.grid([load("tiny"), load("array")], axes, 1)
    assert [(p.config.name, p.config.rule.steps, p.config.rule.gamma) for p in found] == [
        (name, steps, gamma) for name in ("tiny", "array") for steps in (2, 3) for gamma in (0.25, 0.5)]
    assert found[1].settings == {"rule.steps": 2, "rule.gamma": 0.5}
    assert found[0].config.training == load("tiny").training


def test_a_key_reaches_into_lists_and_options():
    """Without it the rate of one edge, or an option of a rule, could not be swept."""
    config = load("graph")
    axes = [sweeps.axis("network.edges.1.alpha_shift=7"), sweeps.axis('rule.schedule="chained"')]
    changed = sweeps.grid([config], axes, 1)
    edges = changed[0].config.network.edges
    assert edges[1] == config.network.edges[1].model_copy(update={"alpha_shift": 7})
    assert (edges[0], edges[2:]) == (config.network.edges[0], config.network.edges[2:])
    assert changed[0].config.rule.schedule == "chained"
    nudged = sweeps.grid([load("eqprop")], [sweeps.axis("rule.options.nudge=1,2")], 1)
    assert [p.config.rule.options["nudge"] for p in nudged] == [1, 2]
    assert nudged[0].config.rule.options.keys() >= load("eqprop").rule.options.keys()


@pytest.mark.parametrize("given, words", [
    (["training.rate=1,2"], "unknown key training.rate; Allowed: epochs, halve_alpha_at, seed, refresh"),
    (["rule.step=4"], "unknown key rule.step; did you mean 'steps'?"),
    (["rule.steps=4,-8"], "rule.steps is -8: it should be greater"),
    (["rule.steps=4,0.5"], "rule.steps is 0.5; give a whole number"),
    (["rule.steps=four"], "--set 'rule.steps=four': Invalid value .* give values of TOML with commas"),
    (["rule.steps=4]\nother = [5"], "has no values; give them with commas"),
    (["rule.steps="], "has no values"), (["rule.steps"], "has no key; give one and its values"),
    (["=4"], "has no key"), (["rule=4"], "rule is a whole section; give one of its keys, as in rule.name"),
    (["rule.steps=4,4"], "has 4 twice"), (["rule.steps=4", "rule.steps=8"], "give a key once"),
    (["training.seed=1"], "give --seeds"), (["rule.gamma=0.1..0.5"], "a grid has no values; list them"),
    (["rule.gamma=0.5..0.1"], "is no range; give a smaller and a larger"),
    (["network.layers.7=3"], "unknown key network.layers.7; network.layers is a list of 3: .* 0 to 2"),
    (["rule.gamma=" + ",".join(f"0.{i:04}" for i in range(1, 5002))], "has 10,002 runs; give fewer"),
    (["rule.gamma=0.5,0.001"], "rule.gamma")])
def test_what_cannot_run_is_refused_before_anything_runs(given, words):
    """Without it the last of a hundred runs would find what the command line says, or run as something else."""
    def refused():
        axes = [sweeps.axis(text) for text in given]
        sweeps.distinct(axes)
        study.check([point.config for point in sweeps.grid([load("tiny")], axes, 2)])

    with pytest.raises(BadInput, match=words):
        refused()


def test_what_is_kept_is_not_run_again(undisturbed, config, tmp_path):
    """Without it a sweep that was stopped would begin anew, or its table would have holes and other numbers. Damaged
    and foreign files are run again, and what a killed process was writing goes."""
    whole, expected = undisturbed
    files = sorted((whole / "runs").iterdir())
    (tmp_path / "runs").mkdir()
    for path in files:
        (tmp_path / "runs" / path.name).write_bytes(path.read_bytes())
    assert run(tmp_path, config) == (expected, [])
    gone, torn, other = (tmp_path / "runs" / path.name for path in files[:3])
    gone.unlink()
    torn.write_bytes(torn.read_bytes()[:100])
    other.write_bytes(files[4].read_bytes())
    partial = tmp_path / "runs" / ".x.json.1.partial"
    partial.write_text("{")
    found, names = run(tmp_path, config)
    assert found == expected and len(names) == 3 and not partial.exists()


KILLED = """
import os, sys, signal
from pathlib import Path
from hebbar.contract.console import Reporter
from hebbar.compiler.config import Config, parse
from hebbar.studies import sweeps
import json
class Serial:
    def arriving(self, function, work):
        for i, arguments in enumerate(work):
            yield i, function(*arguments)
renamed, replace = [], Path.replace
def kill(self, target):
    renamed.append(target)
    if len(renamed) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = kill
config = parse(json.loads(sys.argv[1]), "tiny")
points = sweeps.grid([config], [sweeps.axis("rule.steps=2,4"), sweeps.axis("rule.alpha_shifts=[1,2],[2,3]")], 2)
sweeps.Study(sweeps.Store(Path(sys.argv[2])), Serial(), Reporter(quiet=True), 2).run(points)
"""


def test_killed_while_a_run_is_being_written_it_goes_on(undisturbed, config, tmp_path):
    """Without it kill -9 could leave half a run, which the next sweep takes for a whole one or chokes on."""
    given = json.dumps(config.model_dump(mode="json", exclude_unset=True))
    ended = subprocess.run([sys.executable, "-c", KILLED, given, str(tmp_path / "runs")], timeout=200)
    assert ended.returncode == -signal.SIGKILL
    left = sorted(path.suffix for path in (tmp_path / "runs").iterdir())
    assert left == [".json", ".json", ".partial"]
    found, names = run(tmp_path, config)
    assert found == undisturbed[1] and len(names) == 6


def test_the_hash_is_of_everything_a_number_depends_on(config, tmp_path, monkeypatch):
    """Without it a run of other sources, other data or another seed would pass as this one."""
    path = tmp_path / "samples.npz"
    samples(path)
    job = kept.Job(config.replace(data={"path": str(path)}), 1)
    store = sweeps.Store(tmp_path / "runs")
    digests = [store.digest(one) for one in (
        job, replace(job, seed=2), replace(job, validation=0.2), replace(job, config=config),
        replace(job, config=job.config.replace(machine={"lanes": 8})))]
    assert store.digest(replace(job, config=job.config.replace(training={"seed": 5}))) == digests[0]
    samples(path, test_class=1)
    digests.append(sweeps.Store(tmp_path / "runs").digest(job))
    monkeypatch.setattr(kept, "code", lambda: "other sources")
    digests.append(sweeps.Store(tmp_path / "runs").digest(job))
    assert len(set(digests)) == 7


def test_two_workers_of_dask_make_the_same_table(undisturbed, config, tmp_path):
    """Without it what works on a study could change its numbers or their order."""
    distributed = pytest.importorskip("distributed", reason="distributed comes with pip install 'hebbar[sweep]'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
                                  local_directory=str(tmp_path / "dask"), silence_logs="CRITICAL") as cluster:
        with sweeps.scheduler(f"dask:{cluster.scheduler_address}", 1) as workers:
            assert run(tmp_path, config, workers)[0] == undisturbed[1]
        with sweeps.scheduler(f"dask:{cluster.scheduler_address}", 1) as workers, \
                pytest.raises(BadInput, match="other sources of Hebbar than this command; install the same"):
            list(workers.arriving(schedulers._guarded, [("not ours", str, ())]))


def test_an_address_without_a_scheduler_is_said(monkeypatch):
    pytest.importorskip("distributed", reason="distributed comes with pip install 'hebbar[sweep]'")
    monkeypatch.setattr(schedulers, "ANSWER_S", 0.5)
    with sweeps.scheduler("dask:tcp://127.0.0.1:9", 1) as workers, \
            pytest.raises(BadInput, match=r"no scheduler of Dask answers at 'tcp://127.0.0.1:9' .*start one with"):
        list(workers.arriving(str, [(1,)]))


@pytest.mark.parametrize("name", ["slurm", "local:2", ""])
def test_another_scheduler_is_refused(name):
    with pytest.raises(BadInput, match=r"--scheduler is .*give local, dask, or dask"), sweeps.scheduler(name, 1):
        pass


def test_a_package_that_is_missing_is_said_with_its_cure(monkeypatch, undisturbed, config, tmp_path):
    """Without it an import error would be a defect of Hebbar, or the whole command would need what a part needs."""
    monkeypatch.setattr(extras.util, "find_spec", lambda name: None)
    cure = "which is not installed: pip install 'hebbar[sweep]'"
    with pytest.raises(MissingTool, match="--scheduler dask needs the package distributed, ") as refused:
        sweeps.scheduler("dask", 1).__enter__()
    assert cure in str(refused.value)
    with pytest.raises(MissingTool, match="--search needs the package optuna, "):
        searched(tmp_path, config, 2)
    lines = sweeps.Study(sweeps.Store(undisturbed[0] / "runs"), Serial(), QUIET, 2).run(points(config))
    assert tables(tmp_path, lines) == {name: undisturbed[1][name] for name in ("table.csv", "result.json")}


def searched(folder, config, trials, scheduler=None):
    axes = [sweeps.axis("rule.gamma=0.25..0.75"), sweeps.axis("rule.alpha_shifts=[1,2],[2,3]")]
    return sweeps.Study(sweeps.Store(folder), scheduler or Serial(), QUIET, 1).search(config, axes, trials)


def test_a_search_never_sees_the_test_set(config, tmp_path):
    """Without it the figure of the chosen configuration would be of samples that it was chosen on."""
    pytest.importorskip("optuna", reason="optuna comes with pip install 'hebbar[sweep]'")
    (lines, best, accuracy), other = searched(tmp_path / "runs", config, 5), tmp_path / "other.npz"
    samples(other, test_class=2)
    blind, _, _ = searched(tmp_path / "runs", config.replace(data={"path": str(other)}), 5)
    assert [line.graded_on for line in lines] == ["validation"] * (len(lines) - 1) + ["test"]
    assert [(x.settings, x.result) for x in lines[:-1]] == [(x.settings, x.result) for x in blind[:-1]]
    assert accuracy == max(line.result.accuracy_fixed for line in lines[:-1])
    assert best.settings == lines[-1].settings == next(
        x.settings for x in lines if x.result.accuracy_fixed == accuracy)
    again = Serial()
    assert searched(tmp_path / "runs", config, 5, again)[0] == lines and again.names == []
    assert all(0.25 <= line.settings["rule.gamma"] <= 0.75 for line in lines)


def test_what_is_held_out_is_of_the_training_data(config):
    """Without it validation could take samples of the test set, or those it has learnt from."""
    data = load_data(config.data, classes=10)
    task = task_for(compile_config(config), 0.25)
    rows = {part: {tuple(codes) for codes in samples.codes.tolist()} for part, samples in (
        ("all", data.train), ("test", data.test), ("learnt", task.data.train), ("asked", task.data.test))}
    assert rows["learnt"] | rows["asked"] == rows["all"] and not rows["asked"] & (rows["learnt"] | rows["test"])
    assert len(task.data.test) == 12 and task.count == 36
    with pytest.raises(BadInput, match="has no labelled samples to hold out; leave --validation and --search out"):
        study.check([load("hopfield")], 0.2)


@pytest.fixture
def stopping(monkeypatch):
    """The command works in this process, and trainings of four steps cannot be finished."""
    def row(config, seed, validation):
        if config.rule.steps == 4:
            raise Stopped("the energy grew without bound; lower rule.gamma.")
        return Row(config.name, config.rule.name, seed, 0.5, 0.25, "ab" * 32)

    monkeypatch.setattr(schedulers.Local, "arriving", Serial().arriving)
    monkeypatch.setattr(study, "row", row)
    yield
    release()


def test_a_training_that_fails_stands_in_the_table(stopping, config, tmp_path, monkeypatch):
    """Without it one point that diverges would end a study, and end it again whenever it is taken up."""
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "tiny", "--set", "rule.steps=2,4", "--seeds", "1", "--out", "out", "--quiet"]
    for _ in range(2):
        answer = CliRunner().invoke(app, command)
        assert answer.exit_code == 1 and "tiny rule.steps=4 seed 0: the energy grew" in str(answer.exception)
        assert [line.split(",")[3:7] for line in Path("out/table.csv").read_text().splitlines()] == [
            ["rule.steps", "graded_on", "accuracy_float", "accuracy_fixed"],
            ["2", "test", "0.5", "0.25"], ["4", "test", "", ""]]
        assert len(list(Path("out/runs").iterdir())) == 2
    assert [x["failed"] != "" for x in json.loads(Path("out/result.json").read_text())] == [False, True]


def test_the_command_searches_and_writes_what_it_chose(stopping, tmp_path, monkeypatch):
    """Without it options and study could each work alone."""
    pytest.importorskip("optuna", reason="optuna comes with pip install 'hebbar[sweep]'")
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["sweep", "tiny", "--set", "rule.steps=3,4,5", "--search", "6", "--seeds", "1",
                                      "--out", "out", "--quiet"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0, answer.exception
    chosen = load("out/chosen.toml")
    assert chosen.rule.steps in (3, 5) and chosen.network == load("tiny").network
    assert f"chosen by 25.00 % of the validation data: rule.steps={chosen.rule.steps}" in answer.output
    assert {x["graded_on"] for x in json.loads(Path("out/result.json").read_text())} == {"validation", "test"}
    for more, words in ((["digits"], "--search is given with 2 configurations"),
                        (["--validation", "0"], "--validation 0 holds none out"),
                        (["--epochs", "1", "--set", "training.epochs=2"], "--epochs and --set training.epochs")):
        refused = CliRunner().invoke(app, ["sweep", "tiny", *more, "--search", "2", "--out", "out"])
        assert refused.exit_code and words in str(refused.exception)


def test_rows_survive_being_kept(tmp_path, config):
    """Without it a float could come back as another one, and the table of a resumed sweep differ in a digit."""
    store, job = sweeps.Store(tmp_path), kept.Job(config, 3)
    for result in (Row("tiny", "il", 3, 0.1 + 0.2, 1 / 3, "f" * 64), kept.Failed("tiny", "il", 3, "It did not end.")):
        store.keep(job, result)
        assert store.find(job) == result and asdict(store.find(job)) == asdict(result)
    assert os.listdir(tmp_path) == [f"{store.digest(job)}.json"]
