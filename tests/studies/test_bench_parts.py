"""The areas of the bench; a long one goes on where it stopped, and only with the very sources that it began with."""

import sys
from inspect import signature
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest
from typer.testing import CliRunner

from hebbar.cli.app import app
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.results import Figure
from hebbar.studies import chain, house, onboarding, parts, rtl, scale, strangers
from hebbar.studies.registry import AREAS, find

QUIET = Reporter(quiet=True)
ROOT = Path(__file__).parents[2]


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
    monkeypatch.setattr(parts, "sources", lambda *_: "others")
    strangers.measure(tmp_path, True, QUIET)
    assert len(runs) == 3


def test_a_changed_file_changes_the_hash(monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    (tmp_path / "hw").mkdir()
    seen = {parts.sources("hw")}
    for text in ("x = 1", "x = 2"):
        (tmp_path / "hw" / "a.py").write_text(text)
        seen.add(parts.sources("hw"))
    (tmp_path / "hw" / "a.py").rename(tmp_path / "hw" / "b.py")
    assert len(seen | {parts.sources("hw")}) == 4


@pytest.mark.parametrize("area, read", [
    (strangers, "tests/planted.py"), (strangers, "benchmarks/reproducers/new/repro.sh"), (strangers, "pyproject.toml"),
    (scale, "benchmarks/peers/pcx_il.py"), (house, "scripts/a.py"), (house, "examples/a.toml"), (house, "docs/a.md"),
    (house, "benchmarks/select_digits.py"), (house, "pyproject.toml")])
def test_a_record_is_of_all_that_its_area_reads(monkeypatch, tmp_path, area, read):
    """Without it a figure of another reproducer, edit or page would be recorded as of these."""
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    before, path = parts.sources(*area.SOURCES), tmp_path / read
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    seen = parts.sources(*area.SOURCES)
    assert seen != before
    result = tmp_path / "benchmarks" / "results" / "house.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text("{}")
    assert parts.sources(*area.SOURCES) == seen, "a record that is kept makes no other record old"


def test_the_first_table_is_timed_with_nothing_built_before(monkeypatch, tmp_path):
    """Without it a simulator that was built, or code that was compiled, for earlier commands would be found again."""
    seen = []

    def run(command, **options):
        seen.append(options.get("env"))
        return CompletedProcess(command, 0, "", "")

    (tmp_path / "fresh" / "build").mkdir(parents=True)
    monkeypatch.setattr(onboarding.subprocess, "run", run)
    monkeypatch.setattr(onboarding, "ROOT", tmp_path)
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(onboarding.shutil, "rmtree", lambda place, **_: seen.append(place))
    onboarding.first_table(tmp_path, QUIET)
    emptied, _, env, gone = seen
    assert emptied == gone == tmp_path / "fresh"
    assert all(Path(env[name]).parent == emptied for name in ("HEBBAR_BUILD", "NUMBA_CACHE_DIR"))


def test_every_part_is_there():
    """Without it a row of the table could be left out by a name."""
    for area in (strangers, house, scale, chain):
        for name in area.PARTS:
            assert callable(__import__(f"{area.__name__}.{name}", fromlist=["measure"]).measure), name


@pytest.mark.parametrize("area", AREAS.values(), ids=lambda area: area.name)
def test_an_area_has_what_its_record_promises(area):
    """Without it an area could be in the table and not run, or say no seeds in its manifest."""
    module = area.load()
    assert list(signature(module.measure).parameters) == ["folder", "quick", "reporter", "data"]
    assert set(module.SEEDS) == {False, True} and all(n >= 0 for n in module.SEEDS.values())
    assert area.meaning and f"``hebbar bench {area.name}``" in (module.__doc__ or "")


def test_the_areas_stand_once():
    """Without it README, help and refusal could each know others; every one is named where people look."""
    names = "|".join(AREAS)
    assert f"hebbar bench {names}" in (ROOT / "README.md").read_text()
    answer = CliRunner().invoke(app, ["bench", "--help"], terminal_width=200, env={"COLUMNS": "200"})
    text = " ".join(answer.output.replace("│", " ").split())
    assert all(f"{area.name}: {area.meaning}" in text for area in AREAS.values())
    with pytest.raises(BadInput, match="there is no bench area 'rulse'; did you mean 'rules'") as refused:
        find("rulse")
    assert all(name in str(refused.value) for name in AREAS)


def test_the_rtl_is_built_in_the_folder_that_is_given(monkeypatch, tmp_path):
    """Without it machines would be built beside the build folder's entries, where nothing trims them."""
    class Asked(Exception):
        pass

    def prepare(program, folder):
        assert folder == tmp_path
        raise Asked

    monkeypatch.setattr(rtl.verilator, "prepare", prepare)
    with pytest.raises(Asked):
        rtl.cycle_model(tmp_path, 1, QUIET)
