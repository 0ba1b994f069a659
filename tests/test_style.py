"""What scripts/check finds: style, types, and that its tests are in one tier each."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiers import FAST, TOOL, tier

ROOT = Path(__file__).resolve().parents[1]


def run(*command):
    answer = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    return answer.returncode, answer.stdout + answer.stderr


def test_ruff_finds_nothing():
    """Without it a name that nothing uses, or a noqa that nothing needs, would stay."""
    pytest.importorskip("ruff", reason="ruff comes with pip install -e '.[dev]'")
    code, said = run("ruff", "check", "--output-format", "concise")
    assert code == 0, said


@pytest.mark.slow  # 20 s of processor time without a cache
def test_mypy_finds_nothing():
    """Without it a type in a signature would be a comment, and calls could break it."""
    pytest.importorskip("mypy", reason="mypy comes with pip install -e '.[dev]'")
    code, said = run("mypy")
    assert code == 0, said


@pytest.mark.parametrize("planted, rule", [("import os\n", "F401"), ("def f(x=[]):\n    return x\n", "B006")])
def test_ruff_finds_a_planted_defect(planted, rule):
    """Without it an empty rule set would pass as well."""
    answer = subprocess.run([sys.executable, "-m", "ruff", "check", "--stdin-filename", "hebbar/planted.py", "-"],
                            input=planted, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 1 and rule in answer.stdout


def test_files_of_the_tiers_are_there_and_in_one_tier():
    """Without it ``-m fast`` could leave out a file that has another name now."""
    files = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert files >= FAST | TOOL and not FAST & TOOL
    assert {tier(Path(f"{name}.py")) for name in FAST} == {"fast"}
    assert tier(Path("test_neuron.py"), frozenset({"models"})) == "tool"
