"""docs/own_rule.md: its commands run, print what it shows, and its code is the example's."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import hebbar

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own_rule.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "own_rule"
COMMANDS = re.findall(r"^    hebbar (.+)$", PAGE, re.MULTILINE)
SHOWN = re.findall(r"^    hebbar ([^\n]+)\n.*?```text\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LIMIT_S = 280
FAILS = "eager_redout"
"""In the one command that is meant to be refused."""


def python(code: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, text=True, capture_output=True,
                          timeout=LIMIT_S)


def words(text: str) -> str:
    """The text without the frames and blanks of a table, whose widths depend on the figures."""
    return " ".join(re.sub("[│┃]", " ", text).split())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The reader's folder, whose simulators are those of the co-simulation tests."""
    folder, models = tmp_path_factory.mktemp("reader"), tmp_path_factory.getbasetemp().parent / "models"
    models.mkdir(exist_ok=True)
    (folder / "out").mkdir()
    (folder / "out" / "build").symlink_to(models)
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def answers(place):
    """What every command printed, in the order of the page."""
    return {command: hebbar(*command.split(), cwd=place) for command in COMMANDS}


def test_the_code_is_the_example(place):
    """Without it a reader would type in a rule that is not the one that was run."""
    source = (EXAMPLE / "own_rule.py").read_text()
    assert SCRIPTS[0] == source[source.index("from dataclasses"):]
    toml = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(toml) == 1 and all(line in (EXAMPLE / "own_rule.toml").read_text() for line in toml[0].splitlines())
    body = source[source.index("@activation"):].splitlines()
    assert sum(bool(line.strip()) for line in body) <= 20, "it says twenty lines"


def test_its_commands_run(answers):
    """Without it the first thing a newcomer does could fail."""
    assert len(COMMANDS) == 5
    for command, answer in answers.items():
        assert answer.returncode == (2 if FAILS in command else 0), (command, answer.stderr)
        assert "Traceback" not in answer.stderr


def test_they_print_what_it_shows(answers):
    """Figures, the planted defect's first difference and the refusal; without it the page would age unnoticed."""
    assert len(SHOWN) == len(COMMANDS)
    for command, shown in SHOWN:
        printed = words(answers[command].stdout + answers[command].stderr)
        for line in shown.splitlines():
            assert words(line) in printed, (command, line)


def test_the_defect_is_in_the_sweep_that_the_page_names(place, answers):
    """Address 7 is where the readout learns, the first sweep that rounds a weight change."""
    record = json.loads((place / "out" / "broken" / "result.json").read_text())
    assert record["found"] and "address 7 SWEEP x2 FWD|ERR|UPD" in record["first_difference"]
    answer = python(SCRIPTS[1], cwd=place)
    assert answer.returncode == 0, answer.stderr
    assert "<svg" in (place / "out" / "broken" / "waveform.svg").read_text()


def test_its_other_script_runs(place, answers):
    """Hoisting saves what the page says it does, and the last line compares with the RTL."""
    answer = python(SCRIPTS[2], cwd=place)
    assert answer.returncode == 0, answer.stderr
    hoisted, plain, last = answer.stdout.splitlines()
    cycles = [int(line.split()[1]) for line in (hoisted, plain)]
    steps, columns, groups = 8, 64 // 8, 64 // 2
    assert cycles[1] - cycles[0] == steps * groups * (columns - 1), "a slot instead of a row group's words"
    assert last.split()[1] == "0" and float(last.split()[0]) > 0.9


def test_its_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE) + re.findall(r"`((?:examples|tests)/[^`]+)`", PAGE)
    assert targets and all((ROOT / "docs" / t).exists() or (ROOT / t).exists() for t in targets)
