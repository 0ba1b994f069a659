"""Reverse differentiation, categorical outputs and costs: the yardsticks by other formulas, and examples that fail."""

import math
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from golden.learning.training import data_of
from golden.reference import rules
from golden.reference.interpreter import FloatMachine
from golden.reference.training import ends
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.studies import cost as costs, nudge, reverse
from hebbar.studies.categorical import precision, probabilities
from hebbar.studies.comparisons import rules as comparisons
from sim import simulate
from sim.backends import golden

EXAMPLES = Path(__file__).parents[2] / "examples"


def residual(w, x, y, skip):
    """The loss of the preset, by hand, in another program's operations."""
    def f(v):
        return anp.where(v >= 0, v, v / 8)

    h1 = w["x", "h1"] @ x
    h2 = w["h1", "h2"] @ f(h1) + f(h1)
    out = w["h2", "y"] @ f(h2) + (w["h1", "y"] @ f(h1) if skip else 0.0)
    return 0.5 * anp.sum((y - out) ** 2)


@pytest.mark.parametrize("case, skip", [("residual", False), (reverse.SKIP, True)])
def test_complex_steps_are_automatic_differentiation(case, skip):
    """Without it Z-IL could be held against a wrong slope that shares its mistake."""
    program, network, weights, some = reverse.setting(case, 3)
    _, found = reverse.slopes(network, weights, some.inputs_float[0], reverse.half_square(some.targets))
    wanted = grad(lambda w: residual(w, some.inputs_float[0], some.targets[0], skip))(weights)
    assert set(found) == set(wanted) and (("h1", "y") in found) is skip
    for key, slope in wanted.items():
        np.testing.assert_allclose(found[key], -slope, rtol=1e-12, atol=1e-15)
        assert np.abs(slope).max() > 1e-2
    inserted = {p.name for p in program.layout.network.populations} - {p.name for p in network.populations}
    assert len(inserted) == skip


def test_slopes_of_the_cross_entropy():
    """e = y - softmax(beta mu) at the output, and its pullback: numbers that a sign or a beta would change."""
    program = compile_config(load("categorical").replace(network=smooth()))
    network, rng = program.layout.network, np.random.default_rng(2)
    w1, w2 = rng.normal(size=(64, 64)) / 8, rng.normal(size=(10, 64)) / 8
    x, y, beta = rng.random(64), np.eye(10)[[4]], 4.0
    found = reverse.slopes(network, {("x", "h"): w1, ("h", "y"): w2}, x, precision.cross_entropy(y, beta))[1]
    a = np.tanh(w1 @ x)
    z = beta * (w2 @ a)
    e = y[0] - np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(found["h", "y"], np.outer(e, a), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(found["x", "h"], np.outer((1 - a**2) * (w2.T @ e), x), rtol=1e-11, atol=1e-15)


def smooth():
    return {"populations": [p.model_dump() | (precision.SMOOTH if p.name == "h" else {})
                            for p in load("categorical").network.populations]}


@pytest.mark.parametrize("case", reverse.CASES)
def test_zil_meets_the_slopes_at_its_level_alone(case):
    """Without it "equal to 1e-12" could hold of everything, or of nothing that is learnt from."""
    off, levels = reverse.wavefront(case)
    assert sorted(levels.values()) == list(range(len(levels)))
    for name, distances in off.items():
        assert distances[levels[name]] < reverse.EXACT and (np.delete(distances, levels[name]) > 0.1).all(), name
    assert reverse.gap(case, 1) < reverse.EXACT


def test_weights_that_learn_early_are_seen():
    """Theorem 1 needs the old weights and the right step: plain IL is far from the slopes by the same measure."""
    program, network, weights, some = reverse.setting("residual", 0)
    off = rules.il(network, weights, {"x": some.inputs_float, "y": some.targets}, program.config.rule.model_copy(
        update={"name": "il", "steps": 20, "gamma": 0.25})).delta
    _, wanted = reverse.slopes(network, weights, some.inputs_float[0], reverse.half_square(some.targets))
    assert np.abs(8 * off["x", "h1"] - wanted["x", "h1"]).max() > 0.05 * np.abs(wanted["x", "h1"]).max()


def test_backprop_and_zil_part_where_a_state_is_clipped_and_only_there():
    """Bit for bit, so one rounding of Z-IL that backprop has not would show. Seed 1 clips in epoch 17."""
    clean, clipped = reverse.twins("64-64-10", 0, 3), reverse.twins("64-64-10", 1, 17)
    assert clean.different == (0,) * 3 and clean.clipped == (0,) * 3 and clean.bit_exact
    assert clean.zil == clean.backprop > 90
    assert clipped.clipped[-1] > 0 and clipped.different[-1] > 0 and clipped.bit_exact
    assert clipped.different[:16] == (0,) * 16
    assert not replace(clean, different=(0, 1, 0)).bit_exact
    assert reverse.twins(reverse.SKIP, 0, 1).different == (0,)


def test_the_bound_of_probabilities_is_what_rounding_can_do():
    """Every rounding at its worst, two classes: the distance by 1.5 codes, half an index, half a code of the result."""
    program = compile_config(probabilities.config("categorical"))
    beta, code = program.config.rule.beta, 2.0**-12
    mu = np.array([[0.1, 0.0]])
    octaves = beta * np.log2(math.e) * 0.1
    worst = octaves * abs(round(beta * np.log2(math.e) * 256) / 256 / (beta * np.log2(math.e)) - 1) + 2.0**-9
    logit = 0.1 * beta + np.log(2) * worst + 1.5 * beta * code
    moved = 1 / (1 + np.exp(-logit)) - 1 / (1 + np.exp(-0.1 * beta))
    bound = probabilities.allowed(program, mu)[0]
    assert (bound > moved + 0.5 * code).all() and (bound < 2.1 * moved + 1.5 * code).all()


def test_a_wrong_probability_is_seen():
    """One of 120 that is two codes beyond the bound; and there must be some between 0 and 1, where it is tested."""
    shares = probabilities.shares(12)
    assert shares.within and np.abs(shares.off).max() > 0.1
    wrong = shares.machine.copy()
    wrong[3, 4] = shares.floating[3, 4] + shares.bound[3, 4] + 2 * shares.code
    assert not replace(shares, machine=wrong).within
    assert ((shares.floating > 0.2) & (shares.floating < 0.8)).any()
    np.testing.assert_allclose(shares.machine.sum(axis=1), 1.0, atol=10 * shares.code)


def test_scores_by_hand():
    """Three answers, two in one tenth: entropy, bins and calibration error are small sums."""
    answers, labels = np.array([[0.9, 0.1], [0.55, 0.45], [0.05, 0.95]]), np.array([0, 1, 0])
    assert probabilities.entropy(answers, labels) == pytest.approx(-(np.log(0.9) + np.log(0.45) + np.log(0.05)) / 3)
    np.testing.assert_allclose(probabilities.reliability(answers, labels), [[1, 0.55, 0], [2, 0.925, 0.5]])
    assert probabilities.miscalibration(answers, labels) == pytest.approx(100 * (0.55 + 2 * 0.425) / 3)


def test_beta_is_chosen_without_the_test_set(monkeypatch):
    """Without it the calibration of the outputs would be fitted to what it is tested on."""
    one = probabilities.score("Gaussian", 0, 1)
    right, seen = probabilities.data_of, []

    def other(program):
        data = right(program)
        seen.append(len(data.test))
        return replace(data, test=data.test.take(np.arange(len(data.test))[::-1]))

    monkeypatch.setattr(probabilities, "data_of", other)
    two = probabilities.score("Gaussian", 0, 1)
    assert seen == [360, 360] and one.beta == two.beta and one.accuracy == two.accuracy
    np.testing.assert_array_equal(one.fitted[::-1], two.fitted)


def test_rest_under_precision_in_closed_form():
    """Hidden linear, target Gaussian: x = (pi + W2' W2)^-1 (pi W1 a + W2' y), and the error is pi (x - mu)."""
    power, rng = 3, np.random.default_rng(4)
    base = precision.precise(power, activation="identity")
    populations = [p.model_dump() | ({"error": "gaussian"} if p.name == "y" else {}) for p in base.network.populations]
    network = base.replace(network={"populations": populations}).configured_network()
    w1, w2 = rng.normal(size=(64, 64)) / 8, rng.normal(size=(10, 64)) / 8
    a, y = rng.random((1, 64)), rng.random((1, 10))
    rule = base.rule.model_copy(update={"steps": 400})
    path = rules.il(network, {("x", "h"): w1, ("h", "y"): w2}, {"x": a, "y": y}, rule).relaxation
    mu = w1 @ a[0]
    rest = np.linalg.solve(8.0 * np.eye(64) + w2.T @ w2, 8.0 * mu + w2.T @ y[0])
    np.testing.assert_allclose(path.states[-1]["h"][0], rest, atol=1e-9)
    np.testing.assert_allclose(path.errors[-1]["h"][0], 8.0 * (rest - mu), atol=1e-8)


def test_the_price_of_a_case_is_that_of_its_program():
    """Cycles of the model, with the row groups that START clears once a run, a cycle each; and a sample of backprop on
    64-64-10 costs less than one of eight steps of inference."""
    case = comparisons.Case("online, first 800 samples", "64-64-10", "IL")
    prices = [comparisons.price_of(replace(case, rule=rule)) for rule in comparisons.RULES]
    assert prices == [comparisons.price_of(replace(case, rule=rule, shifts=(6, 1))) for rule in comparisons.RULES]
    for rule, (cycles, _) in zip(comparisons.RULES, prices):
        program = compile_config(replace(case, rule=rule).config(0))
        two, three = (golden.cycles(job(program, n)) for n in (2, 3))
        start = program.machine.groups / comparisons.REPLAYED
        assert cycles == pytest.approx(sum(three.values()) - sum(two.values()) + start, abs=0.5)
    assert prices[1][0] < prices[0][0] / 2 and prices[1][1] < prices[0][1]


def job(program, count):
    return simulate.job_of(program, data_of(program), "train", count, initial_image(program))


def shown(monkeypatch, folder, script, defect=0):
    """Run an example on the golden machine in place of the RTL, one bit wrong with a ``defect``; its exit."""
    def backend(job, name, *_):
        trace = golden.run(job)
        trace.final[0, 0, 0] += defect * (name != "golden")
        return trace

    monkeypatch.chdir(folder)
    monkeypatch.setattr(costs, "run_backend", backend)
    monkeypatch.setattr(sys, "argv", [script, "--quick"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    return end.value.code


SMALL = np.array([2.0 ** -k for k in range(9)])


@pytest.fixture
def light(monkeypatch):
    """Studies that other tests cover, replaced by what they would find; what the examples make of it stays."""
    twin = reverse.Twins(98.0, 98.0, (0,), (0,))
    monkeypatch.setattr(reverse, "study", lambda *_: {c: ([1e-15], [twin]) for c in reverse.CASES})
    updates = np.stack([2.0 ** -np.arange(len(precision.PRECISIONS)), np.ones(len(precision.PRECISIONS))], axis=1)
    monkeypatch.setattr(precision, "effects", lambda *_: precision.Effects(updates, np.full(len(updates), 97.0)))
    found = {s: [probabilities.score(s, 0, 1)] for s in probabilities.SYSTEMS}
    monkeypatch.setattr(probabilities, "worth", lambda *_: found)
    monkeypatch.setattr(nudge, "errors",
                        lambda method, *_, **__: nudge.Errors(SMALL**method.order, SMALL[::-1] + SMALL))
    learnt = np.array([97.0] * 8 + [np.nan])
    monkeypatch.setattr(nudge, "accuracies", lambda *_, **__: dict.fromkeys(nudge.METHODS, learnt))
    return monkeypatch


@pytest.mark.parametrize("script, replays", [
    ("reverse_differentiation.py", 3), ("categorical.py", 2), ("weak_feedback.py", 3)])
def test_an_example_draws_prints_costs_and_fails_with_a_wrong_bit(script, replays, light, tmp_path, capsys):
    """Without it a difference between golden and RTL, or a figure that is none, would end well."""
    assert shown(light, tmp_path, script) is None
    said = capsys.readouterr().out
    assert len(re.findall(r"[\d,]+ cycles and [\d,.]+ nJ a sample; RTL: 0 mismatches in [\d,]+ words", said)) == replays
    assert "nan" not in said and "<svg" in (tmp_path / "out" / script.replace(".py", ".svg")).read_text()
    assert ("the machine cannot shift" in said) is (script == "weak_feedback.py")
    assert "first difference" in str(shown(light, tmp_path, script, defect=1))


def test_reverse_differentiation_fails_with_its_headline(light, tmp_path):
    """An update that is off by more than rounding, or one bit between Z-IL and backprop, must not end well."""
    twin = reverse.Twins(98.0, 98.0, (1,), (0,))
    for gaps, twins in (([1e-15, 1e-11], [replace(twin, different=(0,))]), ([1e-15], [twin])):
        light.setattr(reverse, "study", lambda *_, found=(gaps, twins): dict.fromkeys(reverse.CASES, found))
        assert "does not learn what backprop learns" in str(shown(light, tmp_path, "reverse_differentiation.py"))
    light.setattr(reverse, "study", lambda *_: {c: ([1e-15], [replace(twin, clipped=(2,))]) for c in reverse.CASES})
    assert shown(light, tmp_path, "reverse_differentiation.py") is None


def test_categorical_fails_with_its_headlines(light, tmp_path):
    """A softmax of another temperature, or updates that do not tend to the gradient, must not end well."""
    with light.context() as spoilt:
        spoilt.setattr(probabilities, "softmax", lambda x, right=probabilities.softmax: right(1.05 * x))
        assert "more than rounding allows" in str(shown(light, tmp_path, "categorical.py"))
    flat = np.stack([2.0 ** (-0.5 * np.arange(len(precision.PRECISIONS)))] * 2, axis=1)
    light.setattr(precision, "effects", lambda *_: precision.Effects(flat, np.full(len(flat), 97.0)))
    assert "the order is not 1" in str(shown(light, tmp_path, "categorical.py"))


@pytest.mark.parametrize("script", ["reverse_differentiation.py", "categorical.py", "incremental.py"])
def test_the_examples_run(script, tmp_path, models):
    """As a newcomer does, with the RTL."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    answer = subprocess.run([sys.executable, EXAMPLES / script, "--quick"], cwd=tmp_path, text=True,
                            capture_output=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "RTL: 0 mismatches in" in answer.stdout and "nJ a sample" in answer.stdout


@pytest.mark.parametrize("case", reverse.CASES)
def test_the_float_machine_learns_along_the_slope(case):
    """The schedule in float64 against autograd's kind of slope, identity edges beside stored ones among them. Without
    it one edge's feedback could take the place of another's."""
    program, network, weights, some = reverse.setting(case, 1)
    levelled = program.layout.network
    pairs = [((e.source, e.target), f) for e, f in zip(network.stored, levelled.stored)]
    start = {(f.source, f.target): weights[key].copy() for key, f in pairs}
    machine, (source, target) = FloatMachine(program, start), ends(levelled)
    machine.run("train", {source: some.inputs_float[:1], target: some.targets[:1].astype(float)})
    _, descent = reverse.slopes(network, weights, some.inputs_float[0], reverse.half_square(some.targets[:1]))
    for key, f in pairs:
        moved = machine.weights[f.source, f.target] - weights[key]
        assert np.abs(moved - 2.0**-f.alpha_shift * descent[key]).max() < 1e-12, key
        assert np.abs(moved).max() > 1e-3
