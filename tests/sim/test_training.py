"""Whole trainings on the RTL: compared as they go, the same bits after any interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from golden.learning.tasks import task_of
from golden.learning.training import data_of, train_fixed
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, Mismatch
from sim import training
from sim.backends import fast
from sim.checkpoint import MEMORIES, Checkpoint, TrainingState, fingerprint
from sim.defects import DEFECTS

CONFIG = load("tiny").replace(training={"epochs": 2})


def run(folder, models, config=CONFIG, **options):
    return training.train(config, folder, Reporter(quiet=True), build=models, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, models):
    return run(tmp_path_factory.mktemp("whole"), models)


def test_the_training_is_the_golden_one(whole):
    """Without it the RTL could be compared with a golden run of other samples or rates."""
    program = compile_config(CONFIG)
    curve = train_fixed(program, data_of(program), engine="numpy")
    assert whole.state.accuracy == list(curve.accuracy)
    assert np.array_equal(whole.weights, curve.weights)


def test_every_word_of_every_barrier_is_compared(whole):
    """Without it 'compared' could mean a part of the run."""
    barriers = 2 * (1437 * 10 + -(-1437 // 64))
    assert whole.samples == 2 * 1437 and sum(whole.state.mismatches.values()) == 0
    assert whole.state.words["state"] >= barriers * 64 and whole.state.words["weights"] == 2 * 1437 * 512
    assert whole.state.words["output x2"] == 2 * 360 * 10


class Stopped(Exception):
    """What a test raises in the middle of a training."""


@pytest.mark.parametrize("chunk", [1, 24, 33])
def test_resumed_is_bit_identical(whole, tmp_path, models, monkeypatch, chunk):
    """Without it a killed training would end with other weights, or count samples twice.

    Piece 24 is in the test set of the first epoch, chunk 33 in the second epoch.
    """
    advance, done = training._Run._advance, []

    def stopping(self, *arguments):
        if len(done) == chunk:
            raise Stopped
        advance(self, *arguments)
        done.append(1)

    monkeypatch.setattr(training._Run, "_advance", stopping)
    with pytest.raises(Stopped):
        run(tmp_path, models, every_s=0)
    monkeypatch.undo()
    resumed = run(tmp_path, models, resume=True)
    assert resumed.fingerprint == whole.fingerprint and resumed.state == whole.state
    assert resumed.samples_here < whole.samples_here
    assert run(tmp_path, models, resume=True).fingerprint == whole.fingerprint, "killed before its result was kept"


def test_kill_minus_nine_leaves_a_checkpoint_that_resumes(whole, tmp_path, models):
    """Without it only orderly ends would be safe."""
    command = [sys.executable, "-c", "from hebbar.cli import main; main()", "train", "tiny", "--epochs", "2", "--every",
               "0", "--out", str(tmp_path / "out"), "--quiet"]
    (tmp_path / "out").mkdir()
    os.symlink(models, tmp_path / "out" / "build")
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not Checkpoint.exists(tmp_path / "out") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    again = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "out" / "result.json").read_text())["fingerprint"] == whole.fingerprint
    assert not Checkpoint.exists(tmp_path / "out")


def test_the_first_difference_stops_the_training(tmp_path, models, monkeypatch):
    """Without it a defect would be buried under hours of results."""
    prepare = fast.prepare
    monkeypatch.setattr(fast, "prepare", lambda *arguments: prepare(*arguments, DEFECTS["rounding"]))
    monkeypatch.setattr(training, "record", lambda *arguments: tmp_path / "sample.vcd")
    with pytest.raises(Mismatch, match=r"epoch 1, chunk 1: first difference: sample 0, .*weight x0.*sample.vcd"):
        run(tmp_path, models)


def test_a_checkpoint_is_not_overwritten_or_mixed_up(tmp_path, models):
    """Without it a second start would silently discard or misuse an hour of work."""
    program = compile_config(CONFIG)
    rows = {mem: np.zeros(64, np.int64) for mem in MEMORIES}
    Checkpoint(TrainingState(epoch=1), np.zeros((128, 1, 4), np.int64), rows).save(tmp_path, program)
    with pytest.raises(BadInput, match="--resume or discard it with --restart"):
        run(tmp_path, models)
    with pytest.raises(BadInput, match="another configuration"):
        run(tmp_path, models, CONFIG.replace(training={"seed": 9}), resume=True)
    (tmp_path / "checkpoint.npz").write_bytes((tmp_path / "checkpoint.npz").read_bytes()[:100])
    with pytest.raises(BadInput, match="not a readable checkpoint"):
        run(tmp_path, models, resume=True)


def test_a_training_goes_on_with_its_own_data_and_comparison_only(tmp_path):
    """Without it the rest of a training would be of other samples, or half of it compared in another way, and be
    recorded as one training."""
    program = compile_config(CONFIG)
    task = task_of(program)
    rows = np.arange(task.count)

    def go_on(task, writes=True):
        return training._start(program, task, tmp_path, True, False, writes)

    begun = training._start(program, task, tmp_path, False, False, True)
    begun.save(tmp_path, program)
    assert go_on(task).state == begun.state
    assert task.labels is not None
    others = (replace(task, draw=lambda of: task.draw(rows[::-1][of])),
              replace(task, questions={key: values[::-1] for key, values in task.questions.items()}),
              replace(task, labels=task.labels[::-1]),
              replace(task, start={key: values / 2 for key, values in task.weights().items()}))
    for other in others:
        with pytest.raises(BadInput, match="on other data; bring back the samples"):
            go_on(other)
    with pytest.raises(BadInput, match="is of a training with --writes; leave --writes"):
        go_on(task, writes=False)


def test_a_flipped_byte_in_a_checkpoint_is_found(tmp_path):
    """Without it a training would go on from other weights and end with a fingerprint of its own. Parts of the archive
    that hold no number, its dates say, are free."""
    program = compile_config(CONFIG)
    rows = {mem: np.arange(4) for mem in MEMORIES}
    before = Checkpoint(TrainingState(epoch=1, accuracy=[0.5]), np.arange(4).reshape(4, 1, 1), rows)
    before.save(tmp_path, program)
    path = tmp_path / "checkpoint.npz"
    good, refused = path.read_bytes(), 0
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
        try:
            found = Checkpoint.load(tmp_path, program)
        except BadInput as error:
            refused += 1
            assert str(error).endswith("--restart."), error
        else:
            assert found.state == before.state and np.array_equal(found.weights, before.weights)
            assert all(np.array_equal(found.rows[mem], rows[mem]) for mem in rows)
    assert refused > 0.7 * len(good)


def test_the_fingerprint_sees_every_part():
    """Without it two different trainings could be called identical."""
    state, weights = TrainingState(accuracy=[0.5], words={"state": 4}, counters={"steps": 9}), np.zeros((2, 1, 4))
    first = fingerprint(state, weights)
    assert first == fingerprint(TrainingState(accuracy=[0.5], words={"state": 4}, counters={"steps": 9}), weights)
    others = [fingerprint(TrainingState(accuracy=[0.6], words={"state": 4}, counters={"steps": 9}), weights),
              fingerprint(TrainingState(accuracy=[0.5], words={"state": 4}, counters={"steps": 8}), weights),
              fingerprint(state, np.eye(4)[:2].reshape(2, 1, 4))]
    assert len({first, *others}) == 4
