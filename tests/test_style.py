"""What scripts/check finds: style, types, and that its tests are in one tier each."""

import ast
import re
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
    files = {path.stem for path in Path(__file__).parent.rglob("test_*.py")}
    assert files >= FAST | TOOL and not FAST & TOOL
    assert {tier(Path(f"{name}.py")) for name in FAST} == {"fast"}
    assert tier(Path("test_neuron.py"), frozenset({"models"})) == "tool"


FRAGMENT = re.compile(r"(The same\b(?! \w+ of )|Of |Those |As (of|the) |From |By |For |And |Its |Their )")
"""How a docstring begins that only its neighbour explains."""


def docstrings(source: str) -> list[str]:
    """All strings that stand alone: docstrings of modules, classes and functions, and those below a name."""
    return [node.value.value for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)]


@pytest.mark.parametrize("package", ["hebbar", "golden", "hw", "sim"])
def test_a_docstring_says_what_it_is_about(package):
    """Without it a reader of the API reference would meet "Of rows." and "The same in float64.", which mean nothing
    there."""
    found = [f"{path.relative_to(ROOT)}: {text.splitlines()[0]}" for path in sorted((ROOT / package).rglob("*.py"))
             for text in docstrings(path.read_text(encoding="utf-8")) if FRAGMENT.match(text)]
    assert found == []


def test_a_fragment_is_found():
    """Without it the test above could pass whatever the docstrings say."""
    planted = '"""Of rows."""\nA = 1\n"""The sum of rows."""'
    assert [bool(FRAGMENT.match(text)) for text in docstrings(planted)] == [True, False]
