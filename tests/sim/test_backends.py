"""One table of backends: what stands in it is what every command, page and refusal knows, and nothing else does."""

import ast
import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import dummy_backend
import pytest

from hebbar import Experiment
from hebbar.cli.experiment import BACKEND
from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.doctor import Verdict, examine
from sim.backends.registry import BACKENDS, DEFAULT, DEFAULT_WITH_DEFECT, REFERENCE, Backend, OwnTool, find, names
from sim.inject_defect import inject_defect
from sim.simulate import simulate

ROOT = Path(__file__).parents[2]
MISSING = OwnTool("no-such-simulator", "ask its maker")


@pytest.fixture
def dummy(monkeypatch):
    """A backend that only this test registers."""
    def register(**entry):
        monkeypatch.setitem(BACKENDS, "dummy", Backend("dummy", "dummy_backend", "a machine of this test", **entry))
        monkeypatch.setattr(dummy_backend, "built", [])

    register()
    return register


def test_a_backend_from_elsewhere_is_compared_word_for_word(dummy, monkeypatch, tmp_path):
    """Without it a new backend would need changes all over the simulation, or would run without being compared."""
    e, folder = Experiment("tiny"), tmp_path / "models"
    check = e.cosimulate(samples=2, backend="dummy", folder=folder)
    assert check.mismatches == 0 and check.first is None and check.updates > 50 and check.words > 1000
    assert dummy_backend.built == [folder / "build"]
    right = dummy_backend.run

    def spoilt(*arguments):
        trace = right(*arguments)
        trace.error[2, 9] += 1
        return trace

    monkeypatch.setattr(dummy_backend, "run", spoilt)
    check = e.cosimulate(samples=2, backend="dummy", folder=folder)
    assert check.mismatches == 1 and check.first is not None and "error of" in check.first


def test_the_command_line_runs_it(tmp_path):
    """Without it a backend would be of use to Python alone."""
    code = ("from sim.backends.registry import BACKENDS, Backend\n"
            "BACKENDS['dummy'] = Backend('dummy', 'dummy_backend', 'a machine of this test')\n"
            "from hebbar.cli import main\nmain()")

    def hebbar(*arguments):
        return subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, text=True, capture_output=True,
                              env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "300"})

    answer = hebbar("simulate", "tiny", "--backend", "dummy", "--samples", "2", "--out", "out", "--quiet")
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tmp_path / "out" / "result.json").read_text())["backend"] == "dummy"
    assert (tmp_path / "out" / "trace.npz").is_file()
    assert "dummy: a machine of this test." in hebbar("simulate", "--help").stdout


@pytest.mark.parametrize("asked, words", [
    ({"stall": 0.5}, "dummy never stalls a stream; leave --stall out or use fast, verilator, icarus or pysim"),
    ({"wave": True}, "--wave records the Verilog; use --backend verilator, not dummy")])
def test_what_its_entry_does_not_promise_is_refused(dummy, tmp_path, asked, words):
    """Without it a run without stalls would pass for one with them, and a VCD would not be there at the end."""
    given = {"stall": 0.0, "wave": False} | asked
    with pytest.raises(BadInput, match=words):
        simulate(load("tiny"), "dummy", "train", 1, None, out=tmp_path / "t.npz", reporter=Reporter(quiet=True),
                 **given)
    assert not dummy_backend.built


def test_a_defect_is_planted_only_where_it_can_be(dummy, tmp_path):
    """Without it a defect that was never built would be reported as one that makes no difference."""
    with pytest.raises(BadInput, match="on fast or verilator, not on dummy"):
        inject_defect(load("tiny"), "rounding", "dummy", "train", 1, tmp_path, Reporter(quiet=True))
    assert not dummy_backend.built


def test_a_program_of_its_own_is_missed_with_its_cure_and_is_optional(dummy, tmp_path):
    """Without it the cure would stand in a second place, or a backend that nobody uses would make the computer ill."""
    dummy(own=(MISSING,))
    with pytest.raises(MissingTool, match=r"no-such-simulator is not installed \(ask its maker\)"):
        simulate(load("tiny"), "dummy", "train", 1, None, 0.0, False, tmp_path / "t.npz", Reporter(quiet=True),
                 tmp_path)
    found = next(f for f in examine(tmp_path, tmp_path) if f.name == MISSING.name)
    assert (found.verdict, found.needed_for, found.cure) == (Verdict.OPTIONAL, "the backend dummy", MISSING.cure)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_module_takes_what_its_entry_promises(name):
    """Without it a wrong entry would show as a TypeError in the middle of a run."""
    entry, module = find(name), import_module(find(name).module)
    prepare, run = (set(inspect.signature(function).parameters) for function in (module.prepare, module.run))
    assert {"program", "folder", "announce"} <= prepare and {"job", "progress"} <= run
    assert ("waves" in prepare, "wave" in run, "defect" in prepare) == (entry.waves, entry.waves, entry.defects)


def test_help_reference_and_defaults_are_of_the_table():
    """Without it a backend could exist that no help or page names."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name, backend in BACKENDS.items():
        assert f"{name}: {backend.meaning}." in BACKEND and f"| `{name}` " in reference and backend.meaning in reference
    assert {REFERENCE, DEFAULT, DEFAULT_WITH_DEFECT} <= set(BACKENDS) and BACKENDS[DEFAULT_WITH_DEFECT].defects
    assert names("waves") == "verilator"
    with pytest.raises(BadInput, match="no backend 'verilater'; did you mean 'verilator'"):
        find("verilater")


def test_nobody_asks_for_the_name_of_a_backend():
    """Without it the chains of ifs would grow again, one for each backend."""
    for package in ("hebbar", "golden", "hw", "sim"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare):
                    sides = [node.left, *node.comparators]
                    literals = {leaf.value for side in sides for leaf in ast.walk(side)
                                if isinstance(leaf, ast.Constant)}
                    assert not literals & (set(BACKENDS) - {"fast"}), f"{path}:{node.lineno}"
                    assert not ("fast" in literals and "backend" in ast.unparse(node)), f"{path}:{node.lineno}"
