"""Void results are said: what saturated, what was never trained, asked or moved."""

import warnings

import numpy as np
import pytest
from helpers import layered

from golden.image import to_image
from golden.learning.data_health import examine_data
from golden.learning.datasets import from_arrays
from golden.learning.health import CLIPPED, KINDS, at_bound, clipped, values_a_sample
from golden.learning.training import codes, data_of, train_fixed
from golden.machine import Machine
from golden.session import initial_image
from hebbar import Experiment
from hebbar.compiler.config import DataConfig, load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import HebbarWarning

WILD = {"alpha_shifts": [0, 0], "gamma": 1.9}
"""Far beyond where digits and tiny diverge."""


def said(call):
    """What ``call`` returns and the sentences it warned with."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = call()
    return result, [str(w.message) for w in found if w.category is HebbarWarning]


def test_divergence_is_said_counted_and_names_the_keys():
    """Without it a training whose weights all end at their bound would look like one that learnt badly."""
    curve, sentences = said(Experiment("digits", training={"epochs": 2}, rule=WILD).train)
    assert curve.accuracy[-1] < 0.2 and tuple(sentences) == curve.warnings
    first = sentences[0]
    for words in ("rule.gamma (1.9)", "rule.alpha_shifts ([0, 0])", "machine.weight_frac (13)", "states", ("is that of "
                  "guessing")):
        assert words in first, (words, first)
    assert len(curve.saturations) == 2 and all(epoch[kind] > 1000 for epoch in curve.saturations for kind in KINDS)
    assert curve.at_bound["x1:x2"] > 0.5 and curve.dead["x1"] > 32 and any("units of x1" in s for s in sentences)


@pytest.mark.parametrize("preset", ["tiny", "digits", "digits_ipc", "digits_zil", "backprop", "residual", "chl"])
def test_healthy_trainings_say_nothing(preset):
    """Without it the warning would be the noise that nobody reads. The rates of a healthy training are far below."""
    curve, sentences = said(Experiment(preset, training={"epochs": 1}).train)
    assert sentences == [] and curve.warnings == () and curve.accuracy[-1] > 0.5
    assert sum(curve.saturations[0].values()) < 100 and set(curve.saturations[0]) == set(KINDS)
    assert max(curve.at_bound.values()) < CLIPPED


def test_counts_of_numpy_compiled_and_rtl_are_the_same():
    """Without it the count of the fast path could be a guess, in the very runs where it matters."""
    config = load("tiny").replace(training={"epochs": 2}, rule=WILD)
    program = compile_config(config)
    data = data_of(program)
    few = type(data)(data.train.take(range(150)), data.test.take(range(20)), data.split, data.seed)
    fixed = {engine: train_fixed(program, few, engine=engine) for engine in ("numpy", "compiled")}
    assert fixed["numpy"].health == fixed["compiled"].health and fixed["numpy"].health.saturations[1]["weight"] > 0
    e, machine = Experiment(config), Machine(program)
    machine.load(initial_image(program))
    machine.run("train", codes(program, e.data.train.take(range(3)), training=True))
    check = e.cosimulate(samples=3, backend="pysim")
    assert check.mismatches == 0 and clipped(check.counters) == clipped(machine.counters.read())
    assert all(count > 0 for count in clipped(check.counters).values())


@pytest.mark.parametrize("steps", [1, 3])
def test_possible_clips_are_those_of_the_equations(steps):
    """Without it a share could be of the wrong whole. IL on 4-5-3 computes T + 1 errors of each of 8 neurons, moves 5
    states T times after their start, each with a feedback, and learns 35 weights once."""
    program = compile_config(layered([4, 5, 3], {"steps": steps}))
    assert values_a_sample(program) == {"error": (steps + 1) * 8, "state": (steps + 1) * 5, "feedback": steps * 5,
                                        "weight": 35}


@pytest.mark.parametrize("preset", ["digits_ipc", "digits_zil", "graph", "eqprop", "residual", "nudged_pc"])
def test_possible_clips_are_those_the_machine_counts(preset):
    """Without it another rule's sweeps could be left out: STEP and DELTA rows and learnt weights are counted in
    hardware."""
    e = Experiment(preset)
    machine = Machine(e.program)
    machine.run("train", codes(e.program, e.data.train.take(range(2)), training=True))
    counted, possible = machine.counters.read(), values_a_sample(e.program)
    assert counted["steps"] == 2 * possible["feedback"] and counted["mac_upd"] == 2 * possible["weight"]


def test_the_share_at_bound_counts_both_ends():
    """Without it a layer clipped from below, or one code short of the end, would be counted wrong."""
    program = compile_config(layered([4, 5, 3]))
    f = program.machine.formats.weight
    first, second = np.zeros((5, 4)), np.zeros((3, 5))
    first[0, :3], second[1, 2] = (f.lo / f.scale, f.hi / f.scale, (f.hi - 1) / f.scale), f.lo / f.scale
    image = to_image(program.layout, {("x0", "x1"): first, ("x1", "x2"): second})
    assert at_bound(program, image) == {"x0:x1": 2 / 20, "x1:x2": 1 / 15}


def test_a_training_that_changes_nothing_says_so():
    """Without it updates below half a code, or zero weights that can never move, would end at chance in silence."""
    curve, sentences = said(Experiment("digits", training={"epochs": 1}, rule={"init_scales": [0, 0]}).train)
    assert [("x0 to x1, all of which are 0" in s or "x1 to x2, all of which are 0" in s)
            for s in sentences[:2]] == [True] * 2
    assert "guessing" in sentences[0] and curve.dead == {"x1": 64}
    slow = Experiment("tiny", training={"epochs": 1}, rule={"alpha_shifts": [17, 17]})
    assert sum("an update below half a code is lost" in s for s in said(slow.train)[1]) == 2


def test_a_run_and_a_prediction_that_saturate_say_so():
    """Without it only whole trainings would be judged, and a loop of one's own around run would diverge in silence."""
    e = Experiment("digits", rule={"gamma": 1.9})
    targets = np.eye(10)[np.arange(50) % 10]
    _, sentences = said(lambda: e.run("train", {"x0": np.ones((50, 64)), "x2": targets}))
    assert len(sentences) == 1 and "states were clipped" in sentences[0] and "rule.gamma (1.9)" in sentences[0]
    wide = Experiment("tiny")
    assert said(lambda: wide.predict(np.ones((5, 16))))[1] == []
    wide.set_weights({key: np.full(matrix.shape, 3.9) for key, matrix in wide.weights.items()})
    for method in (wide.outputs, wide.predict):
        _, sentences = said(lambda: method(np.ones((5, 16))))
        assert len(sentences) == 1 and "machine.state_frac (12)" in sentences[0], sentences


def test_weights_that_clip_at_zero_as_they_should_are_not_blamed():
    """Without it every rule with positive weights would seem to diverge: their clips are counted too. Weights alone are
    not gamma's doing."""
    e, rng = Experiment("stdp"), np.random.default_rng(0)
    given = {t.key: rng.integers(0, 2, (50, t.population.size)) * 0.5 for t in e.program.inputs["train"]}
    assert not any("learnt weights" in s for s in said(lambda: e.run("train", given))[1])
    e = Experiment("hopfield")
    given = {t.key: np.full((600, t.population.size), 0.9) for t in e.program.inputs["train"]}
    _, sentences = said(lambda: e.run("train", given))
    assert len(sentences) == 1 and "learnt weights were clipped" in sentences[0] and "gamma" not in sentences[0]


def data(train, test, classes=3, inputs=None, split="last360"):
    """Samples with these labels; a fifth is held out from the end."""
    labels = np.array([*train, *test])
    assert len(test) == len(labels) // 5
    rows = np.random.default_rng(0).uniform(-1, 1, (len(labels), 4)) if inputs is None else inputs
    return from_arrays(rows, labels, DataConfig(split=split), classes=classes)


@pytest.mark.parametrize("given, words", [
    ({"train": [0, 1] * 4, "test": [2, 2], "classes": 3}, [
        "held-out samples are of class 2, which no training sample is; set data.split to 'stratified'",
        "no held-out sample is of classes 0, 1"]),
    ({"train": [1] * 8, "test": [1, 1], "classes": 2}, [
        "every training sample is of class 1", "no sample is of class 0 of the 2",
        "Classes count from 0: where yours count from 1, subtract 1"]),
    ({"train": [0, 1] * 4, "test": [0, 1], "classes": 12}, [
        "no sample is of classes 2, 3, 4, 5, 6, 7, 8, 9, .. of the 12"]),
    ({"train": [0, 1] * 4, "test": [0, 1], "classes": 2, "inputs": np.zeros((10, 4))}, ["all 8 training inputs are 0"]),
    ({"train": [0, 1] * 4, "test": [0, 1], "classes": 2, "inputs": np.full((10, 4), 0.5)},
     ["all 8 training inputs are the same"]),
    ({"train": [0, 1] * 4, "test": [0, 1], "classes": 2, "inputs": np.random.default_rng(0).uniform(0, 0.01, (10, 4))},
     ["the inputs vary by 0.00"]),
    ({"train": [0, 1] * 4, "test": [0, 1], "classes": 2}, [])])
def test_data_that_cannot_teach_or_test_are_said(given, words):
    """Without it 1.4 % of samples sorted by class would look like a bad rule."""
    sentences = examine_data(data(**given))
    assert bool(words) == bool(sentences), sentences
    for part in words:
        assert any(part in s for s in sentences), (part, sentences)


def test_what_is_known_of_the_data_is_on_the_curve_and_warned_at_the_callers_line():
    """Without it the sentence would point into Hebbar, or be lost with the warning."""
    e = Experiment("tiny", training={"epochs": 1}, data={"split": "last360"})
    inputs, labels = np.random.default_rng(0).random((60, 16)), np.repeat(np.arange(10), 6)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        curve = e.fit(inputs, labels)
    assert {w.filename for w in found} == {__file__} and {str(w.message) for w in found} == set(curve.warnings)
    assert any("classes 8, 9, which no training sample is" in s for s in curve.warnings)
    assert any("classes 8, 9" in s for s in said(e.train_float)[1])
