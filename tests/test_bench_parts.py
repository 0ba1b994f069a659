"""A long bench goes on where it stopped, and only with the very sources that it began with."""

import sys
from types import ModuleType

import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.studies import strangers

QUIET = Reporter(quiet=True)


@pytest.fixture
def runs(monkeypatch):
    """How often the only part was measured."""
    part, runs = ModuleType(f"{strangers.__name__}.counted"), []

    def measure(folder, quick, reporter):
        runs.append(quick)
        return [Figure("runs", len(runs), "printed", "", None)]

    part.measure = measure
    monkeypatch.setitem(sys.modules, part.__name__, part)
    monkeypatch.setattr(strangers, "PARTS", ("counted",))
    return runs


def test_a_part_is_measured_once_with_the_same_sources(runs, monkeypatch, tmp_path):
    """Without it a figure of other sources would be recorded as of these."""
    first, again = (strangers.measure(tmp_path, False, QUIET) for _ in range(2))
    assert first == again and runs == [False]
    assert strangers.measure(tmp_path, True, QUIET) != first and runs == [False, True]
    monkeypatch.setattr(strangers, "sources", lambda: "others")
    strangers.measure(tmp_path, True, QUIET)
    assert len(runs) == 3


def test_a_changed_file_changes_the_hash(monkeypatch, tmp_path):
    monkeypatch.setattr(strangers, "ROOT", tmp_path)
    (tmp_path / "hw").mkdir()
    seen = {strangers.sources()}
    for text in ("x = 1", "x = 2"):
        (tmp_path / "hw" / "a.py").write_text(text)
        seen.add(strangers.sources())
    (tmp_path / "hw" / "a.py").rename(tmp_path / "hw" / "b.py")
    assert len(seen | {strangers.sources()}) == 4


def test_every_part_is_there():
    """Without it a row of the table could be left out by a name."""
    for name in strangers.PARTS:
        assert callable(__import__(f"{strangers.__name__}.{name}", fromlist=["measure"]).measure), name
