"""What an experiment says of itself from Python: scores, parameters, energy, trajectories, a page, a notebook cell."""

import json
import re

import numpy as np
import pytest

from golden.network_energy import inference_energy
from golden.session import Session
from hebbar import Experiment
from hebbar.compiler.config import preset_names
from hebbar.compiler.network import Error
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.energy.run import priced_runs
from sim import experiment as sim_experiment
from sim.backends import golden
from sim.experiment import Outcome


def test_score_is_the_share_of_right_predictions():
    """Without it the score could be of other samples, or of what was wrong."""
    e = Experiment("tiny", training={"epochs": 1})
    curve = e.train()
    test = e.data.test
    assert e.score(test.inputs_float, test.labels) == curve.accuracy[-1]
    wrong = (e.predict(test.inputs_float) + 1) % 10
    assert e.score(test.inputs_float, wrong) == 0 and e.score(test.inputs_float, (wrong + 9) % 10) == 1
    for labels, words in ((test.labels[:5], "labels has shape"), (test.labels + 10, "is no class")):
        with pytest.raises(BadInput, match=words):
            e.score(test.inputs_float, labels)
    with pytest.raises(BadInput, match="one sample or more"):
        e.score(np.zeros((0, 16)), [])


@pytest.mark.parametrize("name", preset_names())
def test_parameters_make_the_same_experiment(name):
    """Without it a record of an experiment could not be run again."""
    e = Experiment(name)
    params = json.loads(json.dumps(e.get_params()))
    assert Experiment(params).config == e.config and params["machine"]["lanes"] == e.config.machine.lanes


def test_energy_is_that_of_the_command_and_of_samples_given():
    """Without it the figure could be of another program, technology, clock or data."""
    e = Experiment("tiny")
    found = e.energy(samples=5, clock_mhz=50)
    same = priced_runs(e.config, 5, ["cmos45"], 50.0, Reporter(quiet=True))[0]
    assert found.whole == same.whole and found.operation == same.operation and found.operation.clock_hz == 50e6
    assert found.estimate.samples == 5
    rng = np.random.default_rng(0)
    e.fit(rng.random((60, 16)), np.arange(60) % 10)
    assert e.energy(samples=1000).estimate.samples == 48
    for keys, words in (({"samples": 0}, "samples is 0"), ({"technology": "cmos44"}, "cmos44"),
                        ({"clock_mhz": 0}, "clock_mhz is 0"), ({"clock_mhz": True}, "clock_mhz is True")):
        with pytest.raises(BadInput, match=words):
            e.energy(**keys)


def test_trajectories_are_the_relaxation(monkeypatch):
    """Without it a step could be shown twice or left out, states be those of another population, or weights move."""
    e = Experiment("tiny")
    image = e.image.copy()
    found, every = e.trajectories(4), e.trajectories(4, every=True)
    assert np.array_equal(e.image, image)
    steps = e.config.rule.steps + 1
    assert found.steps.tolist() == [steps] * 4 and (every.steps > steps).all()
    assert {k: v.shape for k, v in found.states.items()} == {"x1": (4, steps, 16), "x2": (4, steps, 10)}
    assert set(found.errors) == {"x1", "x2"} and set(found.activities) == {"x0", "x1", "x2"}
    trace = Session(e.program, e.image).run(e._job("train", 4))
    for sample in range(4):
        energies = inference_energy(e.program, trace, sample)
        by_hand = np.stack([(found.errors[n][sample]**2).sum(axis=1) / 2 for n in ("x1", "x2")], axis=1)
        assert np.allclose(by_hand, energies, rtol=0, atol=1e-12)
    total = (found.errors["x1"]**2).sum(axis=2) + (found.errors["x2"]**2).sum(axis=2)
    assert (total[:, -1] < total[:, 0]).all()
    first = e.data.train.take(np.arange(4))
    assert np.array_equal(found.activities["x0"][:, 0], first.inputs_float)
    assert np.array_equal(found.states["x2"][:, 0], first.targets)


@pytest.mark.parametrize("name", ["tiny", "digits", "early_exit", "graph"])
def test_errors_are_those_of_the_states_beside_them(name):
    """Without it states of one step would stand beside errors of another: e = pi (x - sum of W f(x))."""
    e = Experiment(name)
    found, network, checked = e.trajectories(1), e.program.layout.network, 0
    for p in network.predicted:
        edges = network.incoming(p.name)
        if not any(edge.shares for edge in edges) and p.error is Error.GAUSSIAN:
            mu = sum(found.activities[edge.source][0] @ (
                np.eye(p.size) if edge.identity else e.weights[edge.source, edge.target].T) for edge in edges)
            want = 2.0**p.precision * (found.states[p.name][0] - mu)
            assert np.allclose(found.errors[p.name][0], want, rtol=0, atol=2**-12), p.name
            checked += 1
    assert checked


def test_samples_that_stop_early_are_filled_up_with_nan():
    """Without it the steps of one sample would be shown as those of the next."""
    e = Experiment("early_exit")
    found = e.trajectories(12)
    x = found.states["x1"]
    assert found.steps.min() < found.steps.max()
    for sample, steps in enumerate(found.steps):
        assert np.isfinite(x[sample, :steps]).all() and np.isnan(x[sample, steps:]).all()


def test_a_notebook_shows_what_it_is():
    """Without it a notebook would show an address, or run text of a configuration as HTML."""
    html = Experiment("graph")._repr_html_()
    e = Experiment("graph")
    for p in e.program.layout.network.populations:
        assert f"<td>{p.name}</td><td>{p.size}</td>" in html
    assert str(e.cycles()) in html and html.count("<tr>") == 1 + len(e.program.layout.network.populations)
    odd = Experiment({"name": "<script>", "network": {"populations": [
        {"name": "<b>", "size": 4, "role": "input"}, {"name": "o", "size": 4, "role": "target"}],
        "edges": [{"source": "<b>", "target": "o"}]}})
    assert "<script>" not in odd._repr_html_() and "&lt;b&gt;" in odd._repr_html_()
    small = Experiment("tiny", machine={"weight_words": 2})
    assert "weight_words" in small._repr_html_()


def test_a_report_is_a_run_and_its_page(tmp_path, monkeypatch):
    """Without it the page would be of another configuration, or a difference to the RTL pass in silence."""
    monkeypatch.setattr(sim_experiment.verilator, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(sim_experiment.verilator, "run", lambda job, *_: golden.run(job))
    e = Experiment("tiny", training={"seed": 7})
    page = e.report(tmp_path / "r", quick=True)
    assert page == tmp_path / "r" / "report.html" and "<svg" in page.read_text()
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    assert result["seed"] == 7 and result["mismatches"] == 0 and result["quick"]
    assert (tmp_path / "r" / "manifest.json").exists() and not list((tmp_path / "r").glob(".lock"))
    again = Experiment("tiny")
    again.load_weights(tmp_path / "r" / "weights.npz")
    monkeypatch.setattr(Outcome, "first_difference", property(lambda self: "sample 0 differs."))
    with pytest.raises(Mismatch, match=re.escape("sample 0 differs. The page is")):
        e.report(tmp_path / "r", quick=True)
    e.fit(np.random.default_rng(0).random((60, 16)), np.arange(60) % 10)
    with pytest.raises(BadInput, match="were given to fit"):
        e.report(tmp_path / "r")
