"""The table of rules by depth, and target alignment on the machine."""

import csv
import io

import numpy as np
import pytest

from hebbar.compiler.program import compile_config
from hebbar.studies.depth import rules
from hebbar.studies.depth.alignment import aligned, linear
from hebbar.studies.depth.rule_nets import NAMES, Learnt, Lesson, learnt, parts


def test_every_rule_at_every_depth_is_a_program_for_one_machine():
    """Else the table would be of several chips."""
    machines = [compile_config(Lesson(rule, hidden, 0).config).machine for rule in NAMES for hidden in (1, 32)]
    assert len(machines) == 18 and all(machine == machines[0] for machine in machines)


def test_rates_are_chosen_on_other_digits_than_those_that_count():
    """No digit is in two of the three parts, and none is lost."""
    chosen, held = parts(compile_config(Lesson("il", 1, 0).config))
    every = [chosen.train, chosen.test, held.test]
    assert [len(part) for part in every] == [1149, 288, 360] and len(held.train) == 1149
    rows = np.concatenate([part.codes for part in every])
    assert len(np.unique(rows, axis=0)) == len(rows) == 1797


@pytest.mark.parametrize("rule", ["backprop", "zil"])
def test_a_lesson_is_learnt_and_kept(tmp_path, rule):
    """Z-IL is backprop, so that both learn the same; what is kept is of the lesson that was asked for."""
    lesson = Lesson(rule, 1, 0, samples=400)
    found = learnt(lesson, tmp_path)
    assert found.test > 0.7 and found == learnt(lesson, tmp_path) and len(list(tmp_path.glob("*.json"))) == 1
    assert abs(found.test - learnt(Lesson("backprop", 1, 0, samples=400), tmp_path).test) < 0.02
    assert learnt(Lesson(rule, 1, 0, samples=10), tmp_path).test < found.test


def test_fewer_bits_are_another_machine():
    fine, coarse = (Lesson("il", 2, 0, frac=frac).config.machine.formats for frac in (12, 6))
    assert (fine.state.frac, coarse.state.frac, coarse.error.frac) == (12, 6, 6)
    assert fine.state.hi / fine.state.scale == pytest.approx(8, rel=0.01) == coarse.state.hi / coarse.state.scale
    assert fine.weight == coarse.weight
    for rule in NAMES:
        compile_config(Lesson(rule, 32, -1, frac=6).config)


def _row(rule, hidden, tests, **more):
    runs = tuple(Learnt(Lesson(rule, hidden, 1, seed), 0.5, test) for seed, test in enumerate(tests, 1))
    values = {"cycles": 1000.4, "nj": (1.0, 2.0, 3.0), "reads": 10.0, "writes": 5.0, "bits": 8, "words": 7, "wrong": 0}
    return rules.Row(runs, **(values | more))


def test_the_table_by_hand():
    rows = [_row(rule, hidden, (0.9, 0.94)) for rule in NAMES for hidden in (1, 32)]
    text = list(csv.reader(io.StringIO(rules.table(rows))))
    assert len(text) == 19 and tuple(text[0]) == rules.COLUMNS
    assert text[1] == ["backprop", "1", "92.00", "2.83", "1", "1000", "1.0", "2.0", "3.0", "10", "5", "8"]
    figures = list(rules._figures(rows))
    assert figures[0].figure.startswith("backprop, 1 hidden layer: ") and figures[0].value == 92.0
    lost = [_row("chl", 8, (0.1,), bits=0)]
    assert "does not learn" in next(rules._figures(lost)).figure and rules.table(lost).strip().endswith(",-")
    assert "32 hidden layers: " in figures[1].figure and rules.draw(rows).axes


@pytest.mark.parametrize("layers, width", [(2, 8), (5, 8)])
def test_the_machine_is_aligned_as_the_closed_form_says(layers, width):
    """Updates of the fixed-point machine against the solution of the linear system and against the gradient; and what
    the paper says of nets like these: predictive coding is the more aligned of the two."""
    found = [aligned(layers, width, seed) for seed in range(4)]
    for one in found:
        assert one.distance < 0.05 and one.il == pytest.approx(one.equilibrium, abs=0.02)
        assert one.backprop == pytest.approx(one.gradient, abs=0.01)
        assert one.last_only != pytest.approx(one.il, abs=1e-3)
    assert np.mean([one.il - one.backprop for one in found]) > 0.02


def test_few_steps_are_far_from_equilibrium(monkeypatch):
    """The distance that stands beside every alignment is one: at the start it is 1."""
    monkeypatch.setattr("hebbar.studies.depth.alignment.STEPS", 1)
    assert linear("il", 3, 8, 0).rule.steps == 1 and 0.5 < aligned(3, 8, 0).distance < 1.1
