"""``hebbar bench scale --part peers``: what is set beside pcx, with a process in its place that learns as ours does."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.studies.scale import peers
from hebbar.studies.scale.floats import BATCH, BATCHES, LAYERS, STEPS, task

QUIET = Reporter(quiet=True)
PEER = """
import sys
import numpy as np
given, out = np.load(sys.argv[1]), sys.argv[6]
assert given["x"].shape == ({batches}, {batch}, {inputs})
assert sys.argv[2:6] == [{activation!r}, {steps!r}, "0.1", {alpha!r}]
weights = np.concatenate([given[f"w{{i}}"].ravel() for i in range(len(given) - 2)])
np.save(out, weights + np.load({change!r}).astype(np.float32))
print(7.5, flush=True)
for line in sys.stdin:
    print(0.25 * int(line), flush=True)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A peer that has learnt what the float64 engine learns in a batch, and takes a quarter of a second for each."""
    one = task("tanh", np.float64)
    flat = [np.concatenate([w.ravel() for w in weights.values()]) for weights in (one.weights, one.batch())]
    np.save(tmp_path / "change.npy", flat[1] - flat[0])
    script = tmp_path / "peer.py"
    told = {"batches": BATCHES, "batch": BATCH, "inputs": LAYERS[0], "activation": "tanh",
            "steps": str(STEPS), "alpha": str(2.0 ** -13), "change": str(tmp_path / "change.npy")}
    script.write_text(PEER.format(**told), encoding="utf-8")
    monkeypatch.setattr(peers, "SCRIPT", script)
    return flat[1] - flat[0]


def test_a_peer_gets_our_task_and_its_answers_are_told_apart(stand_in, tmp_path):
    """Images, targets, first weights and rates are ours; the weights that it ends with, and seconds, are its own."""
    one = task("tanh", np.float64)
    with peers.started(sys.executable, "tanh", one, tmp_path / "run") as peer:
        assert peer.started == 7.5 and peer.seconds(8) == 2.0 and peer.seconds(4) == 1.0
        assert peers._difference(peer.weights, one) < 1e-3
        assert peers._difference(peer.weights + np.float32(abs(stand_in).max()), one) == pytest.approx(1, rel=1e-3)
    assert peer.process.poll() is not None


def test_our_script_learns_what_the_engine_does(tmp_path):
    """The process whose start-up is measured learns the batch: weights of float32, as far from those of float64 as its
    rounding takes them, and it takes time of its own to get there."""
    one = task("relu", np.float64)
    assert peers._started("relu", one, tmp_path) > 0.05
    assert 0 < peers._difference(np.load(tmp_path / "weights.npy"), one) < 1e-3


def test_rows_are_ratios_of_processor_time(stand_in, tmp_path, monkeypatch):
    """Twice the samples a second are 2; the start-up is a share of the peer's, and none of it is said to be met when it
    is not."""
    monkeypatch.setattr(peers, "_started", lambda *_: 1.5)
    clock = iter(np.arange(0, 1000, 1.0))
    monkeypatch.setattr(peers.time, "process_time", lambda: next(clock))
    rows = list(peers._rows(sys.executable, "tanh", tmp_path, True, QUIET))
    pcx, float32, float64, start, weights = rows
    assert pcx.value == BATCH * BATCHES / 2 and pcx.met is None
    assert (float32.value, float32.met) == (2, True) and (float64.value, float64.met) == (2, True)
    assert start.value == 0.2 and not start.met and weights.met


def test_what_does_not_install_is_skipped_with_its_reason(tmp_path, monkeypatch):
    """The last line of pip stands in the row, nothing is measured, and no figure is called met."""
    failed = SimpleNamespace(returncode=1, stderr="Looking\nERROR: no such version\n")
    monkeypatch.setattr(peers.subprocess, "run", lambda *_, **__: failed)
    (row,) = peers.measure(tmp_path, True, QUIET)
    assert row.met is None and row.value == "skipped" and "ERROR: no such version" in row.figure


def test_a_peer_that_dies_is_said(tmp_path, monkeypatch):
    """Without it the bench would wait for a line that never comes."""
    script = tmp_path / "peer.py"
    script.write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.setattr(peers, "SCRIPT", script)
    with pytest.raises(MissingTool, match="ended with code 3"), \
            peers.started(sys.executable, "tanh", task("tanh", np.float64), tmp_path / "run"):
        pass
