"""The row of a whole epoch on the RTL: its cycles are those of the machine, its ratio that of the two times."""

from dataclasses import replace

import pytest

from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.studies.scale import epoch, training
from sim.backends import fast
from sim.checkpoint import Checkpoint
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


@pytest.fixture
def stop(tmp_path, models, monkeypatch):
    """Makes a whole training of a small net in ``tmp_path`` end before its figures are made."""
    monkeypatch.setattr(training, "train", lambda *given, **more: train(*given, build=models, **more))

    def stopped():
        with monkeypatch.context() as broken:
            broken.setattr(training, "figures", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                training._rows(load("tiny"), tmp_path, True, QUIET)

    return stopped


def test_a_whole_training_goes_on_where_it_stood_and_is_held_against_the_golden_machine(tmp_path, stop):
    """Of a small net: no write and no weight differs from the golden machine that ran alone; after a stop it goes on
    from the checkpoint, which is at the end, and a training that has its figures is not taken for the next one."""
    stop()
    again = training._rows(load("tiny"), tmp_path, True, QUIET)
    assert not Checkpoint.exists(tmp_path)
    first = training._rows(load("tiny"), tmp_path, True, QUIET)
    for rows in (first, again):
        assert [row.met for row in rows] == [True, True, None, None] and "pipelined" in rows[0].figure
    assert [row.figure for row in again[:2]] == [row.figure for row in first[:2]]
    assert "last 0 samples" in again[3].figure and "last 0 samples" not in first[3].figure


def test_a_whole_training_of_other_sources_is_begun_anew(tmp_path, stop, monkeypatch):
    """Without it the end of a training on the sources before an edit would be recorded as one of those after it."""
    stop()
    monkeypatch.setattr(training, "sources", lambda *packages: "edited")
    assert "last 0 samples" not in training._rows(load("tiny"), tmp_path, True, QUIET)[3].figure


def test_a_weight_that_differs_from_the_golden_machine_is_a_miss(trained):
    differ, wrong, accuracy, _ = training.figures(trained, 1, (0.5,))
    assert differ.met and not wrong.met and wrong.value == 1 and "50.00 %" in accuracy.figure
