"""Accuracy against severity: switches of every type, and nothing trained before all of them are possible."""

import json

import pytest
from typer.testing import CliRunner

from hebbar.cli.app import app
from hebbar.compiler.config import load
from hebbar.contract.errors import BadInput
from hebbar.contract.files import release
from hebbar.studies import severity


@pytest.fixture
def trained(monkeypatch):
    """Work that was asked for, in place of trainings."""
    asked = []

    def instead(function, work, jobs, reporter, name, note):
        asked.extend(work)
        found = [severity.Point(*one[1:], accuracy=50.0 + one[-1]) for one in work]
        assert all(note(p) for p in found)
        return found

    monkeypatch.setattr(severity, "in_parallel", instead)
    return asked


@pytest.mark.parametrize("switch, values", [
    ("wires.model", '"approximate","exact"'), ("programming.noise", "[0.1],[0.2,0.3],[]"),
    ("read.drift_log", "true,false"), ("read.additive", "0,0.5,0.5")])
def test_values_of_every_type_have_a_line_and_a_place_in_the_figure(tmp_path, trained, switch, values):
    """Without it a study of a switch that is no number would end in an error after all its trainings."""
    answer = CliRunner().invoke(app, ["study", switch, "--values", values, "--rules", "il", "--seeds", "2", "--quiet",
                                      "--out", str(tmp_path)], catch_exceptions=False)
    release()
    given = list(dict.fromkeys(map(json.dumps, json.loads(f"[{values}]"))))
    assert answer.exit_code == 0 and len(trained) == 2 * len(given)
    assert answer.stdout.splitlines() == [f"{switch} {value}, il: 50.50 % (50.00 to 51.00)" for value in given]
    rows = json.loads((tmp_path / "result.json").read_text())[switch]["means"]
    assert [json.dumps(row["value"]) for row in rows] == given
    assert json.loads((tmp_path / "manifest.json").read_text())["config"]["name"] == "digits_analog"


def test_nothing_is_trained_before_every_switch_is_possible(tmp_path, trained):
    """Without it the second switch of a study could be refused after an hour of the first."""
    answer = CliRunner().invoke(app, ["study", "read.additive", "device.levels", "--values", "1", "--out",
                                      str(tmp_path / "out")])
    assert isinstance(answer.exception, BadInput) and "levels is 1" in str(answer.exception)
    assert not trained and not (tmp_path / "out").exists()


def test_a_value_is_trained_once_and_keeps_its_type():
    """1 and 1.0 are equal to Python, and a list is no key."""
    plan = severity.planned(load("digits_analog"), "read.additive", [1, 1.0, 1], ["il"])
    assert [type(value) for _, value, _, _ in plan] == [int, float]
    assert [chosen.machine.analog.read.additive for *_, chosen in plan] == [1, 1]
