"""``hebbar doctor``: it finds what is there, names what is not, and says what to do."""

import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from hebbar import doctor
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Exit, MissingTool
from hebbar.doctor import Finding, Verdict, examine, exit_code, package, print_findings
from sim import toolchain, warm_up

ROOT = Path(__file__).parents[2]


def by_name(folder: Path | None = None) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(folder)}


def test_the_pythons_that_are_usual_are_those_that_are_declared():
    """Without it the doctor could warn of a version on which the package says that it was tried."""
    said = [c.rpartition(" ")[2] for c in metadata.metadata("hebbar").get_all("Classifier") or []
            if c.startswith("Programming Language :: Python :: 3.")]
    assert [f"{a}.{b}" for a, b in doctor.TESTED] == said


def test_everything_declared_is_looked_at(tmp_path):
    """Without it a new requirement could be missing on a machine that the doctor calls healthy."""
    found = by_name(tmp_path)
    for text in metadata.requires("hebbar") or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            assert found[requirement.name].verdict == Verdict.OK, found[requirement.name]
            assert found[requirement.name].version == metadata.version(requirement.name)
        elif requirement.marker.evaluate({"extra": "test"}):
            assert found[requirement.name].needed_for == "extra test"
    for tool in toolchain.tools():
        assert tool.name in found, tool
    for name in ("Python", "free disk space", "blank in a path", "shadowing folders", "user's cache", "build folder",
                 "current folder", "folder for temporary files"):
        assert found[name].verdict in (Verdict.OK, Verdict.UNUSUAL), found[name]
    assert {*doctor.TOOL_USES, *doctor.own_tools()} == {tool.name for tool in toolchain.tools()}


def test_traps_are_found_handled_in_the_real_environment(monkeypatch, tmp_path):
    """Without it the doctor could praise a cure that was taken out of the environment."""
    found = by_name(tmp_path)
    assert len(toolchain.TRAPS) >= 5
    assert all(found[trap.symptom].verdict == Verdict.HANDLED for trap in toolchain.TRAPS)
    cured = toolchain.environment()
    monkeypatch.setattr(doctor, "environment", lambda: cured | {"MAKEFLAGS": "PYTHON3=python3"})
    again = by_name(tmp_path)
    lost = [t.symptom for t in toolchain.TRAPS if again[t.symptom].verdict == Verdict.UNUSUAL]
    assert len(lost) == 1 and "pch" in lost[0] and "MAKEFLAGS" in again[lost[0]].cure


def test_missing_programs_are_missing_and_optional_ones_optional(monkeypatch, tmp_path):
    """Without it a machine without a compiler would be healthy, or one without ccache ill."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_name(tmp_path)
    for name in ("g++", "make", "perl"):
        if shutil.which(name, path=str(Path(sys.executable).parent)):
            continue
        assert found[name].verdict == Verdict.MISSING and f"apt-get install -y {name}" in found[name].cure
        assert exit_code(examine(tmp_path)) == Exit.MISSING_TOOL == 3
    for name in ("ccache", "iverilog"):
        assert found[name].verdict in (Verdict.OPTIONAL, Verdict.OK) and "apt-get" in found[name].cure


@pytest.mark.parametrize("text, extra, verdict", [
    ("numpy>=2,<3", "", Verdict.OK), ("numpy>=99", "", Verdict.TOO_OLD), ("numpy==0.1", "", Verdict.UNUSUAL),
    ("numpy<2", "", Verdict.UNUSUAL), ("numpy~=99.1", "", Verdict.TOO_OLD), ("numpy==99.*", "", Verdict.TOO_OLD),
    ("numpy>=99", "plots", Verdict.UNUSUAL), ("no-such-package==1", "", Verdict.MISSING),
    ("no-such-package==1", "plots", Verdict.OPTIONAL)])
def test_a_pin_is_held_against_what_is_installed(text, extra, verdict):
    """Without it an old package would pass, or a missing extra would stop people who do not use it."""
    finding = package(Requirement(text), extra)
    assert finding.verdict == verdict, finding
    assert (finding.cure == "") == (verdict == Verdict.OK)
    if finding.cure:
        assert str(Requirement(text).specifier) in finding.cure and "pip install" in finding.cure
    assert exit_code([finding]) == (3 if verdict in ("missing", "too old") else 0)


def test_what_stands_in_the_way_is_named(tmp_path, monkeypatch):
    """Without it a blank, a shadowing folder or a full disk would show much later, in other words."""
    folder = tmp_path / "my work"
    for name in ("sim", "golden", "hw"):
        (folder / name).mkdir(parents=True)
    (folder / "sim" / "__init__.py").touch()
    (folder / "golden" / "__init__.py").touch()
    monkeypatch.setattr(doctor, "user_cache", lambda: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    found = by_name(folder)
    assert found["shadowing folders"].found == "golden, sim" and str(folder) in found["shadowing folders"].cure
    assert found["blank in a path"].found == str(folder) and found["blank in a path"].verdict == Verdict.HANDLED
    assert found["free disk space"].found.startswith("1.0 GB in") and "2 GB" in found["free disk space"].cure
    for name in ("shadowing folders", "free disk space", "user's cache"):
        assert found[name].verdict == Verdict.UNUSUAL, found[name]
    assert all(f.cure.endswith(".") for f in found.values() if f.verdict == Verdict.UNUSUAL)


def test_the_compiler_of_models_is_named(monkeypatch):
    """Without it nobody knows why a simulation is slower on one computer, or that HEBBAR_CXX has a misprint."""
    monkeypatch.setenv("HEBBAR_CXX", "g++")
    finding = doctor._compiler()
    assert finding.verdict == Verdict.OK and re.search(r"/g\+\+ .*\d+\.\d+.*-march=native.*HEBBAR_CXX", finding.found)
    monkeypatch.setenv("HEBBAR_CXX", "gg++")
    finding = doctor._compiler()
    assert finding.verdict == Verdict.UNUSUAL and finding.cure.startswith("HEBBAR_CXX is 'gg++', and there is no such")


def test_hebbars_own_folder_shadows_nothing():
    """Without it everybody who works in a clone would be warned of the clone."""
    assert by_name(ROOT)["shadowing folders"].verdict == Verdict.OK


def test_the_table_names_every_finding_and_every_cure(capsys, tmp_path):
    """Without it a cure could be cut off at the edge of the terminal."""
    findings = [*examine(tmp_path), Finding("thing", "", "", "all", Verdict.MISSING, "install [thing] " + "x" * 200)]
    print_findings(findings)
    text = capsys.readouterr().out
    assert "install [thing] " + "x" * 200 in text and "thing is missing" in text
    plain = re.sub(r"[\s│]", "", text)
    assert all(re.sub(r"\s", "", finding.name.split()[0]) in plain for finding in findings)


def test_warming_up_does_its_steps_and_leaves_out_what_is_not_there(monkeypatch, capsys):
    """Without it one missing program would keep the other steps from being warmed up."""
    def missing():
        raise MissingTool("perl is not installed (on Debian: apt-get install -y perl).")

    monkeypatch.setattr(warm_up, "_verilator", missing)
    monkeypatch.setattr(warm_up, "_prover", lambda: "")
    yosys, verilator, numba, _ = warm_up.warm_up(Reporter())
    assert yosys.seconds is not None and yosys.seconds > 0 and "lines" in yosys.note
    assert verilator.seconds is None and "perl is not installed" in verilator.note
    assert numba.seconds is not None or "No module" in numba.note
    assert "left out perl" in capsys.readouterr().err
