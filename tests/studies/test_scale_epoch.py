"""The row of a whole epoch on the RTL: its cycles are those of the machine, its ratio that of the two times."""

from dataclasses import replace

import pytest

from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.studies.scale import epoch
from sim.backends import fast
from sim.training import train

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, models):
    return train(load("tiny"), tmp_path_factory.mktemp("epoch"), QUIET, build=models, quick=True)


def test_the_cycles_are_those_of_learning_and_of_answers(trained, models):
    """Without it the bare loop would be given credit for cycles that nobody simulated."""
    program, task = compile_config(trained.config), trained.task
    job = Job(program, task.entry, trained.weights, task.codes(task.entry))
    answers = fast.run(job, fast.prepare(program, models)).counters
    learned = sum(trained.state.counters[cause] for cause in CYCLES)
    assert learned > 0 and task.asked > 1
    assert epoch.simulated(program, trained) == learned + sum(answers[cause] for cause in CYCLES)


@pytest.mark.parametrize("spent, met", [(2.5, True), (2.6, False)])
def test_the_ratio_is_of_the_training_to_the_bare_loop(trained, spent, met):
    """100 cycles that a loop does in two seconds; a word that differs is a miss."""
    times, cycles, minutes, differ, accuracy = epoch.figures(trained, spent, 100, 50.0)
    assert times.value == pytest.approx(spent / 2) and times.met is met
    assert cycles.value == sum(trained.state.counters[c] for c in CYCLES) / trained.samples
    assert differ.value == 0 and differ.met and minutes.met is None
    assert accuracy.value == 100 * trained.state.accuracy[-1]
    wrong = replace(trained, state=replace(trained.state, mismatches=dict(trained.state.mismatches, state=1)))
    assert epoch.figures(wrong, spent, 100, 50.0)[3].met is False


def test_without_data_the_row_stands_with_its_reason(tmp_path):
    (row,) = epoch.measure(tmp_path, True, QUIET)
    assert row.met is None and "--data" in row.value
