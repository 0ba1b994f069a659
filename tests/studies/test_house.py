"""``hebbar bench house``: what it counts is what is there, and what cannot be measured says why."""

import shutil
import subprocess
from contextlib import nullcontext
from dataclasses import replace

import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError, MissingTool
from hebbar.contract.results import Figure
from hebbar.studies import export_size, house, parts
from hebbar.studies.house import cases, changes, history, rooms, style, suite
from hebbar.studies.registry import find

QUIET = Reporter(quiet=True)
KINDS = {"instruction": 11, "SWEEP flag": 7, "rule": 6, "non-ideality": 5, "back end": 2, "tile": 6}
"""The kinds of change, and the files that each may touch."""


def there(change):
    return not history.lacking(change.base)


def test_every_kind_of_change_is_kept_with_its_target():
    """Without it the kind that touches too many files could be left out."""
    listed = changes.listed()
    assert {change.kind: change.target for change in listed} == KINDS and len(listed) == len(KINDS)
    for change in listed:
        assert change.patch.exists() and change.test and len(change.base) == 40


@pytest.mark.parametrize("change", changes.listed(), ids=lambda c: c.kind)
def test_a_change_touches_what_its_patch_says_and_no_more_than_its_target(change):
    """The patch read by hand, against git's reading of it on the base commit. Without it a file could be touched that
    nobody counts."""
    said = {line.split(" b/")[-1] for line in change.patch.read_text().splitlines() if line.startswith("diff --git ")}
    counted = {f for f in said if not f.startswith(("tests/", "docs/")) and f not in (
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md")}
    assert 0 < len(counted) <= change.target and any(f.startswith("tests/") for f in said)
    if there(change):
        assert set(changes.touched(change)) == counted


def test_a_worktree_that_a_command_left_is_forgotten(monkeypatch, tmp_path):
    """Without it every bench that is interrupted would leave an entry in the repository."""
    repository = tmp_path / "repository"
    history.git(tmp_path, "init", "-q", str(repository))
    history.git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    history.git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "left"))
    shutil.rmtree(tmp_path / "left")
    monkeypatch.setattr(history, "ROOT", repository)
    with history.checkout("HEAD") as tree:
        listed = history.git(repository, "worktree", "list", "--porcelain")
        assert str(tree) in listed and str(tmp_path / "left") not in listed


def test_a_change_whose_base_is_not_there_says_so(monkeypatch, tmp_path):
    """In a shallow clone or an installed wheel the row must not look like a figure."""
    gone = replace(changes.listed()[0], base="0" * 40)
    monkeypatch.setattr(changes, "listed", lambda: [gone])
    (figure,) = changes.measure(tmp_path, True, QUIET)
    assert figure.met is None and figure.value == f"skipped: the history does not reach back to {'0' * 40}"
    monkeypatch.setattr(history, "ROOT", tmp_path)
    (figure,) = changes.measure(tmp_path, True, QUIET)
    assert figure.met is None and figure.value == "skipped: this is no checkout"


def test_a_change_whose_test_fails_is_no_figure(monkeypatch):
    """Without it a patch that breaks the machine would count as a small one."""
    change = next((c for c in changes.listed() if there(c)), None)
    if change is None:
        pytest.skip("a shallow clone has no base commits")
    failed = subprocess.CompletedProcess([], changes.FAILED, "1 failed", "")
    before = history.git(parts.ROOT, "worktree", "list")
    monkeypatch.setattr(changes, "pytest", lambda *_: failed)
    with pytest.raises(HebbarError, match=r"does not pass on .*\s+1 failed"):
        changes.tried(change)
    assert history.git(parts.ROOT, "worktree", "list") == before, "its checkout is gone again"


def test_every_line_is_in_one_room(tmp_path):
    """Without it a package that is in no room could hold half of the code."""
    found, every = rooms.lines(), 0
    for package in parts.SOURCES:
        every += sum(len(p.read_text().splitlines()) for p in (parts.ROOT / package).rglob("*.py"))
    assert sum(found.values()) == every and all(found.values())
    share = rooms.measure(tmp_path, False, QUIET)[0]
    assert share.value == round(100 * max(found.values()) / every, 1) and share.met


def test_findings_are_counted(monkeypatch):
    """Without it a tool that is not installed, or that ends with an error, would have found nothing."""
    def says(code, text):
        done = subprocess.CompletedProcess([], code, text, "no such module")
        monkeypatch.setattr(style, "run", lambda *_, **__: done)
        return style.findings("ruff check .", style.COMMANDS["Ruff"][1])

    assert says(0, "All checks passed!") == 0
    assert says(1, "E501 ...\nFound 3 errors.\n") == 3
    with pytest.raises(MissingTool, match="no such module"):
        says(1, "")


@pytest.mark.parametrize("said, count", [("a.py::b[7 tests collected]\n\n12 tests collected in 0.1s\n", 12),
                                         ("1 test collected in 0.1s", 1),
                                         ("830/845 tests collected (15 deselected)", 830)])
def test_collected_cases_are_read(said, count):
    """Without it another wording of pytest would make the suite look small."""
    assert history.said_cases(said) == count
    with pytest.raises(HebbarError, match="did not say"):
        history.said_cases("no tests ran")


def test_the_cases_of_a_checkout_are_those_that_pytest_would_run(tmp_path):
    """Without it parameters could count as one case, or a file that cannot be read as one without tests."""
    (tmp_path / "test_two.py").write_text("import pytest\n\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_a(n):\n"
                                          "    pass\n\n\ndef test_b():\n    pass\n")
    assert cases.collected(tmp_path) == 3
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(HebbarError, match="could not be collected"):
        cases.collected(tmp_path)


def test_parts_are_measured_once_and_long_ones_when_asked_for(monkeypatch, tmp_path):
    """Without it an hour of measuring would begin anew, or a figure of other sources be shown as one of these."""
    measured = []

    def part(area, name, folder, quick, reporter, packages):
        measured.append(name)
        return [Figure(name, 1, "1", "", True)]

    monkeypatch.setattr(house, "measured", part)
    figures = house.measure(tmp_path, False, QUIET)
    assert measured == [p for p in house.PARTS if p not in house.LONG]
    assert [f.value for f in figures if f.met is None] == ["hebbar bench house --part suite"]
    area = find("house")
    assert area.measure(tmp_path, False, QUIET, part="suite")[0].figure == "suite" and measured[-1] == "suite"
    with pytest.raises(BadInput, match="has no part 'sweet'; give one of changes"):
        area.measure(tmp_path, False, QUIET, part="sweet")
    with pytest.raises(BadInput, match="bench spine has no part 'suite'; it is measured as a whole"):
        find("spine").measure(tmp_path, False, QUIET, part="suite")


def test_a_record_is_of_its_sources(monkeypatch, tmp_path):
    """Without it a figure could be shown that was measured before the last edit."""
    monkeypatch.setattr(parts, "sources", lambda *_: "these")
    found = parts.measured("house", "rooms", tmp_path, False, QUIET)
    assert parts.kept("rooms", tmp_path, False) == found and parts.kept("rooms", tmp_path, True) is None
    monkeypatch.setattr(parts, "sources", lambda *_: "others")
    assert parts.kept("rooms", tmp_path, False) is None


def test_both_suites_run_whole_and_the_ratio_is_now_to_then(tmp_path, monkeypatch):
    """Without it a part of the tests, or twice the same ones, could stand for both, or the ratio be the other way."""
    asked = []

    def cpu(folder, arguments, said):
        asked.append((folder, arguments, said.name))
        return 30.0 if folder == parts.ROOT else 20.0

    monkeypatch.setattr(suite, "lacking", lambda commit: "")
    monkeypatch.setattr(suite, "checkout", lambda commit: nullcontext(tmp_path / commit))
    monkeypatch.setattr(suite, "cpu", cpu)
    (slower,) = suite.measure(tmp_path / "out", False, QUIET)
    assert (slower.value, slower.met) == (1.5, False) and "30 s now, 20 s then" in slower.figure
    assert sorted(asked, key=str) == sorted(
        [(parts.ROOT, (), "now.txt"), (tmp_path / "e9c8550", (), "e9c8550.txt")], key=str)
    asked.clear()
    suite.measure(tmp_path / "out", True, QUIET)
    assert {work[1] for work in asked} == {("tests/golden/test_fixed.py",), ("tests/test_fixed.py",)}


def test_processor_time_is_that_of_the_tests_and_of_what_they_start(tmp_path):
    """Without it the time of one suite could be counted to the other, or what a test starts be left out."""
    (tmp_path / "out").mkdir()
    burn = "import time\nwhile time.process_time() < 0.8:\n    pass"
    (tmp_path / "test_one.py").write_text("import subprocess, sys\n\n\ndef test_one():\n"
                                          f"    subprocess.run([sys.executable, '-c', {burn!r}], check=True)\n")
    found = suite.cpu(tmp_path, ("test_one.py",), tmp_path / "out" / "said.txt")
    assert 0.8 < found < 8 and "1 passed" in (tmp_path / "out" / "said.txt").read_text()
    with pytest.raises(HebbarError, match="did not run"):
        suite.cpu(tmp_path, ("test_none.py",), tmp_path / "out" / "said.txt")


@pytest.mark.skipif(bool(history.lacking("e9c8550")), reason="the history of this checkout does not reach back to it")
def test_the_sources_of_before_export_the_machine_of_today():
    """Without it the row of exports ends in an error as soon as machines have a key that those of before have not."""
    with history.checkout("e9c8550") as tree:
        found = export_size._export(export_size.machine_of(4), tree, QUIET)
    assert found.size == export_size.BEFORE[4].size and found.cpu > 0
