"""What is shown while something runs: estimates, repetitions, silence."""

import io
import time
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pytest

from hebbar.contract import console
from hebbar.contract.console import Reporter, busy
from hebbar.contract.results import Figure
from hebbar.doctor import Finding, Verdict, print_findings
from hebbar.report.predictions import Predictions
from hebbar.report.tables import print_figures
from hebbar.studies.parameter_sweep import Row
from hebbar.studies.sweeps import table
from hebbar.studies.sweeps.study import Line


@pytest.fixture(autouse=True)
def heard(monkeypatch):
    """A command that another test ran in this process with --quiet has hushed it for good."""
    monkeypatch.setattr(console._heart, "hushed", False)


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests turn."""
    class Clock:
        now = 100.0
    monkeypatch.setattr(console.time, "monotonic", lambda: Clock.now)
    return Clock


def said(reporter):
    return reporter.console.file.getvalue().splitlines()


def reporter():
    found = Reporter()
    found.console.file = io.StringIO()
    return found


def test_an_estimate_leaves_out_what_happens_once(clock):
    """Without it a compilation of 300 s would be taken for the pace of 1,437 samples."""
    r = reporter()
    task = console.Task(r, "samples", 1000, 0)
    clock.now += 300
    task.advance(10)
    clock.now += 2
    task.advance(30)  # 20 in 2 s: 970 are left, 97 s
    assert said(r)[0] == "  samples: 10/1000" and said(r)[1] == "  samples: 30/1000 , about 97 s left"


def test_a_resumed_task_counts_only_its_own_steps(clock):
    """Without it the steps of yesterday would make today's look fast."""
    r = reporter()
    task = console.Task(r, "samples", 1000, 500)
    task.advance(510)
    clock.now += 10
    task.advance(520)
    assert said(r)[-1] == "  samples: 520/1000 , about 480 s left"


def test_no_line_is_said_twice(clock):
    """Without it the end of a simulation would be told as often as it is polled."""
    r = reporter()
    task = console.Task(r, "samples", 10, 0)
    for done in (4, 10, 10, 10, 12):
        clock.now += 5
        task.advance(done)
    assert said(r) == ["  samples: 4/10", "  samples: 10/10"]


def test_silence_is_broken_with_the_newest_activity(monkeypatch):
    """Without it a build of a minute would look like a hang."""
    monkeypatch.setattr(console, "SILENT_SECONDS", 0.3)
    with redirect_stderr(io.StringIO()) as error:
        r = reporter()
        with r.busy():
            r.say("exporting ...")
            time.sleep(0.5)
            with r.task("samples", 5) as task:
                task.advance(3)
                time.sleep(0.5)
                with busy("building"):
                    time.sleep(0.5)
        before = error.getvalue()
        time.sleep(0.5)
        assert error.getvalue() == before
    names = [line.rpartition(": ")[0] for line in before.splitlines()]
    assert list(dict.fromkeys(names)) == ["  exporting", "  samples: 3/5", "  building"]


@pytest.mark.parametrize("quiet", ["reporter", "process"])
def test_quiet_is_quiet(monkeypatch, quiet):
    """Without it --quiet would talk of builds."""
    monkeypatch.setattr(console, "SILENT_SECONDS", 0.1)
    with redirect_stderr(io.StringIO()) as error:
        if quiet == "process":
            console.hush()
        r = Reporter(quiet=True)
        with r.busy(), r.task("samples", 3) as task:
            task.advance(1)
            if quiet == "process":
                with busy("building"):
                    time.sleep(0.4)
            time.sleep(0.4)
    assert error.getvalue() == ""


def test_what_users_named_is_shown_as_it_is(capsys):
    """Without it a label such as [/b] would end a command after its work, and [red] or :smile: be shown as something
    else."""
    names = ["[/b]", "[red]", ":smile:"]
    print_figures([Figure(name, 1, "0", name, None) for name in names])
    called = Predictions(tuple(names), np.eye(3), np.arange(3), tuple(names))
    called.show()
    table.show([Line({"data.path": name}, "test", "0", Row(name, "il", 0, 0.5, 0.5, "0" * 8)) for name in names])
    print_findings([Finding("Python", name, name, name, Verdict.OK) for name in names])
    said = capsys.readouterr().out
    assert all(said.count(name) >= 8 for name in names), said


def test_one_place_says_how_words_are_shown():
    """Without it a table of its own console could read markup into the words of users again."""
    root = Path(console.__file__).parents[2]
    found = [path for package in ("hebbar", "sim", "golden") for path in (root / package).rglob("*.py")
             if "Console(" in path.read_text()]
    assert found == [Path(console.__file__)]
