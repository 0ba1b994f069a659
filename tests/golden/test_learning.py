"""The learning studies: what is taught, what is compared, and how their figures are read.

Accuracies themselves are measured by the bench; here stands that they are accuracies of what they say.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.learning.datasets import load as load_data
from golden.reference.state import initial_weights
from hebbar import Experiment
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.studies import early_exit, nudge, rules_accuracy
from hebbar.studies.comparisons import alignment, lessons, rules as comparisons
from hebbar.studies.comparisons.lessons import LESSONS
from hebbar.studies.comparisons.rules import NETWORKS, Case, Found
from hebbar.studies.parameter_sweep import Row

EXAMPLES = Path(__file__).parents[2] / "examples"


def parts(lesson, seed=1):
    data = load_data(Case(lesson, "64-64-10", "IL").config(seed).data)
    return data, LESSONS[lesson](data, np.random.default_rng(seed))


def rows_of(samples, part):
    """Which samples a part has, by their pixels."""
    known = {codes.tobytes(): n for n, codes in enumerate(samples.codes)}
    return [known[codes.tobytes()] for codes in part.train.codes]


def test_online_no_sample_comes_twice():
    """Without it the first samples could be learnt again and again, which is no single pass."""
    data, found = parts(f"online, first {lessons.ONLINE[-1]} samples")
    seen = [n for part in found for n in rows_of(data.train, part)]
    assert len(set(seen)) >= len(seen) - 3, "the digits hold hardly a picture twice"
    assert tuple(np.cumsum([len(p.train) for p in found])) == lessons.ONLINE
    assert all(len(t) == 360 for p in found for t in p.tests)


def test_two_tasks_share_their_outputs_and_take_turns():
    """Without it the tasks would have outputs of their own, and little to forget."""
    data, found = parts("two tasks in turns")
    for n, part in enumerate(found):
        digits = data.train.labels[rows_of(data.train, part)]
        assert set(digits) == set(range(5 * (n % 2), 5 * (n % 2) + 5)) and (part.train.labels == digits % 5).all()
        assert sum(len(t) for t in part.tests) == 360 and all(set(t.labels) == set(range(5)) for t in part.tests)


def test_drift_exchanges_five_labels_and_tests_with_them():
    """Without it nothing would drift, or the test set would be judged by labels of the past."""
    data, found = parts("labels that drift")
    before = np.arange(10)
    for part in found:
        digits = data.train.labels[rows_of(data.train, part)]
        now = np.array([part.train.labels[digits == d][0] for d in range(10)])
        assert (part.train.labels == now[digits]).all() and sorted(now) == list(range(10))
        assert (part.tests[0].labels == now[data.test.labels]).all()
        assert (now != before).sum() == 5
        before = now


@pytest.mark.parametrize("count", lessons.FEW)
def test_few_samples_are_equally_many_of_every_class(count):
    """Without it a lucky draw of classes could decide."""
    _, (part,) = parts(f"{count} samples a class")
    assert len({c.tobytes() for c in part.train.codes}) == 10 * count
    assert (np.bincount(part.train.labels) == count * lessons.FEW_EPOCHS).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_both_rules_have_everything_else_in_common(network):
    """Without it the machine, the start or the order could make the difference."""
    il, bp = (Case("two tasks in turns", network, rule, (3, 5)).config(4) for rule in ("IL", "backprop"))
    assert il.rule.name == "il" and bp.rule.name == "backprop" and il.rule.tolerance == 0
    assert il.replace(rule={"name": "backprop"}).model_dump(exclude={"name", "training"}) == bp.model_dump(
        exclude={"name", "training"})
    one, other = (initial_weights(compile_config(c).layout.network, c.training.seed) for c in (il, bp))
    assert all(np.array_equal(one[k], other[k]) for k in one)


def test_rates_are_chosen_without_the_test_set(monkeypatch):
    """Without it the best rate on the test set would be reported as if it had been chosen before."""
    asked = []
    monkeypatch.setattr(comparisons, "in_parallel", lambda f, work, *rest: [
        asked.append(job) or np.array([[job[0].shifts[0] / 10]]) for job in work])
    found = comparisons.study(2, Reporter(quiet=True), ("two tasks in turns",), ("64-64-10",), ((1, 1), (6, 2), (3, 3)))
    assert [f.case.shifts for f in found] == [(6, 2), (6, 2)] and [f.case.rule for f in found] == ["IL", "backprop"]
    assert sum(v for *_, v in asked) == 2 * 3 * comparisons.CHOICE_SEEDS and sum(not v for *_, v in asked) == 4


def test_validation_learns_from_fewer_and_never_sees_the_test_set(monkeypatch):
    """Without it the flag above could mean nothing."""
    seen = []
    monkeypatch.setitem(LESSONS, "spy", lambda data, rng: seen.append(data) or [lessons.Part(
        data.train.take(range(5)), (data.test.take(range(5)),))])
    for validation in (False, True):
        comparisons.learn(Case("spy", "64-64-10", "backprop"), 0, validation)
    whole, carved = seen
    held_out = {c.tobytes() for c in whole.test.codes} - {c.tobytes() for c in whole.train.codes}
    assert len(carved.train) + len(carved.test) == len(whole.train)
    assert not held_out & {c.tobytes() for part in (carved.train, carved.test) for c in part.codes}


def test_differences_are_paired():
    """Without it the spread of the seeds would hide, or make, a difference."""
    one = Found(Case("two tasks in turns", "64-64-10", "IL"), np.array([[[0.5, 0.7]], [[0.7, 0.9]], [[0.1, 0.3]]]))
    other = Found(Case("two tasks in turns", "64-64-10", "backprop"), one.curves - 0.125)
    np.testing.assert_allclose(alignment.paired(one.means, other.means), (12.5, 0.0), atol=1e-12)
    mean, error = alignment.paired(np.array([1.0, 2.0, 6.0]), np.zeros(3))
    assert mean == 3 and error == pytest.approx(np.sqrt(7 / 3))
    turns = Found(one.case, np.arange(6).reshape(1, 3, 2) / 10)
    np.testing.assert_allclose(comparisons.kept(turns), [100 * (0.2 + 0.5) / 2])


def test_the_order_of_an_error_and_the_usable_range():
    """By hand: powers of two on a straight line; one point below the best is still usable, more is not."""
    strengths = 2.0 ** -np.array(nudge.NUDGES)
    assert nudge.order(3 * strengths**2) == pytest.approx(2) and nudge.order(strengths) == pytest.approx(1)
    accuracies = np.array([90.0, 97.1, 98, 97, 96.9, 50, 10, 10, np.nan])
    assert nudge.usable(accuracies) == [1, 2, 3]


@pytest.mark.parametrize("name", nudge.METHODS)
def test_errors_fall_in_float_and_meet_a_floor_in_fixed_point(name):
    """The claim of the study, on two digits: float by its order; in fixed point small lambdas are no better."""
    found = nudge.errors(nudge.METHODS[name], 2)
    assert nudge.order(found.floating) == pytest.approx(nudge.METHODS[name].order, abs=0.15)
    best = int(found.fixed.argmin())
    assert 1 < best < 7 and found.fixed[-1] > 3 * found.fixed[best] and found.fixed[best] < 0.35
    assert (found.fixed[best + 1:] > found.floating[best + 1:]).all()


def test_figures_of_accuracy():
    """Without it a rule below its target could be reported as met."""
    def rows(fixed, floating):
        return [Row("", "il", n, a, b, "") for n, (a, b) in enumerate(zip(floating, fixed))]
    good, far = rules_accuracy.figures("IL", rows((0.97, 0.982), (0.975, 0.98)))
    assert (good.value, good.met, far.value, far.met) == (97.6, True, 0.15, True)
    low, far = rules_accuracy.figures("backprop", rows((0.97, 0.97), (0.98, 0.98)))
    assert (low.met, far.value, far.met) == (False, 1.0, False)
    assert [f.met for f in rules_accuracy.figures("residual", rows((0.9,), (0.95,)))] == [None, None]


def test_early_exit_between_all_steps_and_two():
    """Steps and cycles at both ends, from the program alone: nothing exits, or everything does at once."""
    whole, soon = (early_exit.point(t, 0, 1) for t in (0.0, 60.0))
    e = Experiment("early_exit", rule={"tolerance": 0.0})
    assert whole.steps == e.config.rule.steps == 8 and soon.steps == soon.last_steps == 2
    assert whole.cycles == pytest.approx(e.cycles().total, rel=1e-3) and soon.cycles < 0.7 * whole.cycles
    assert soon.energy < 0.7 * whole.energy and soon.accuracy > 60


def test_the_beginning_of_a_lesson_on_the_rtl(models):
    """Without it figures of the golden machine could be figures of no hardware."""
    for rule in comparisons.RULES:
        words, wrong = comparisons.replay(Case("two tasks in turns", "64-32-32-10", rule), Reporter(quiet=True), models)
        assert wrong == 0 and words > 100_000


@pytest.mark.parametrize("script, said", [
    ("early_exit.py", "0 mismatches in"), ("prospective.py", "RTL: 0 mismatches in"),
    ("weak_feedback.py", "lambda^2.0")])
def test_the_examples_run_and_draw(script, said, tmp_path, models):
    """Without it the first look at learning would be a stack trace."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    answer = subprocess.run([sys.executable, EXAMPLES / script, "--quick"], cwd=tmp_path, text=True,
                            capture_output=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert said in answer.stdout
    assert all(p.read_text().startswith("<svg") for p in (tmp_path / "out").glob("*.svg"))
    assert list((tmp_path / "out").glob("*.svg"))
