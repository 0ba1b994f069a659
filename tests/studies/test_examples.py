"""The examples: they run, they find what they promise, and the notebook is the script."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hebbar.studies.example import Quick, Seeds, run as run_example

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LIMIT_S = 240
NOTEBOOK_LIBRARIES = ("nbclient", "nbformat", "ipykernel")


def run(script: str | Path, *arguments, cwd: Path) -> subprocess.CompletedProcess:
    """Run an example as a newcomer does, in an empty folder."""
    return subprocess.run([sys.executable, EXAMPLES / script, *map(str, arguments)], cwd=cwd, text=True,
                          capture_output=True, timeout=LIMIT_S)


def smaller(folder: Path) -> Path:
    """A copy of the ten lines on a smaller network, as whoever tries them would make it."""
    text, constants = (EXAMPLES / "ten_lines.py").read_text(), '"digits_ipc", 3'
    assert text.count(constants) == 1
    copy = folder / "ten_lines.py"
    copy.write_text(text.replace(constants, '"tiny", 1'))
    return copy


@pytest.fixture
def place(tmp_path, tmp_path_factory):
    """An empty folder whose simulators are those that the co-simulation tests build."""
    models = tmp_path_factory.getbasetemp().parent / "models"
    models.mkdir(exist_ok=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    return tmp_path


def test_the_ten_lines(place):
    """Without it the first code a newcomer copies could fail."""
    answer = run(smaller(place), cwd=place)
    assert answer.returncode == 0, answer.stderr
    assert "0 mismatches in" in answer.stdout and "cycles a sample (issue" in answer.stdout
    assert "x1 to x2: (10, 16)" in answer.stdout and "the first predictions: [" in answer.stdout
    assert (place / "out" / "hebbar.v").exists() and (place / "out" / "weights.safetensors").exists()
    changed = int(answer.stdout.split(" weight changes")[0].rpartition(" ")[2])
    assert changed > 100, "nothing was learnt that could have differed"


def test_a_network_and_data_of_ones_own(tmp_path):
    """Without it the way to another graph and other data would be found by nobody."""
    answer = run("own_network.py", "--samples", 60, "--epochs", 1, "--backend", "pysim", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "held-out accuracy: fixed point" in answer.stdout and "0 mismatches in" in answer.stdout
    assert "training in fixed point" in answer.stderr


def test_weights_out_and_in(tmp_path):
    """Without it weights could change on their way through a file or from another program."""
    answer = run("weights_in_out.py", "--epochs", 1, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "outputs of the fresh experiment are the same" in answer.stdout
    assert "trained in NumPy: accuracy" in answer.stdout


@pytest.mark.parametrize("script", ["ten_lines.py", "own_network.py", "weights_in_out.py"])
def test_a_failed_comparison_fails_the_example(script, tmp_path):
    """Without it an example would end well whatever it found."""
    path, arguments = EXAMPLES / script, {"own_network.py": ["--samples", "30", "--epochs", "1"],
                                          "weights_in_out.py": ["--epochs", "1"]}.get(script, [])
    path = smaller(tmp_path) if script == "ten_lines.py" else path
    spoil = ("import hebbar.api as api, numpy as np, runpy, sys\n"
             "from hebbar.contract.results import Check\n"
             "api.Experiment.cosimulate = lambda *_, **__: Check(9, 1, 'first difference: here', 5, {})\n"
             "right = api.Experiment.outputs\n"
             "api.Experiment.outputs = lambda self, x: right(self, x) + np.random.rand()\n"
             f"sys.argv = {[script, *arguments]!r}\n"
             f"runpy.run_path({str(path)!r}, run_name='__main__')\n")
    answer = subprocess.run([sys.executable, "-c", spoil], cwd=tmp_path, text=True, capture_output=True,
                            timeout=LIMIT_S)
    assert answer.returncode == 1 and "iffer" in answer.stderr and "Traceback" not in answer.stderr, answer.stderr


def test_examples_are_short():
    """Without it the first code a newcomer sees would grow into a program."""
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) < 60, path


@pytest.mark.parametrize("path", sorted(p for p in EXAMPLES.rglob("*.py") if p.parent.name != "litex"),
                         ids=lambda path: path.stem)  # a system of LiteX is made with LiteX
def test_examples_need_hebbar_alone(path):
    """Without it the first code a newcomer copies could reach below the face of the toolkit, or begin with a parser."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    found = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert "hebbar" in found and found <= {"hebbar", "numpy", "pathlib", "sys", "dataclasses"}


@pytest.mark.parametrize("path", sorted(p for p in EXAMPLES.glob("*.py") if p.name != "ten_lines.py"),
                         ids=lambda path: path.stem)
def test_examples_take_the_options_that_they_name(path):
    """Without it the line at the head of an example could be refused, or name another default."""
    tree = ast.parse(path.read_text())
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main").args
    defaults = {a.arg: ast.literal_eval(d) for a, d in zip(main.args, main.defaults)}
    assert len(defaults) == len(main.args) and defaults.get("quick", False) is False
    named = re.findall(r"\[--(\w+)(?: ([^\]]+))?\]", ast.get_docstring(tree) or "")
    assert named and all(str(defaults[name]) == (value or "False") for name, value in named)


@pytest.mark.parametrize("words, code, said", [
    ([], None, "5 False"), (["--quick", "--seeds", "2"], "2 seeds are too few.", "2 True"),
    (["--help"], 0, "What it does"), (["--sedes", "2"], 2, "No such option: --sedes"),
    (["--seeds", "0"], 2, "greater than or equal to 1"), (["more"], 2, "unexpected")])
def test_an_example_ends_as_its_function_says(words, code, said, monkeypatch, capsys):
    """Without it a headline that fails could end well, or a misspelt option be a stack trace or a long run."""
    def main(seeds: Seeds = 5, quick: Quick = False) -> str | None:
        """What it does."""
        print(seeds, quick)
        return "2 seeds are too few." if quick else None

    monkeypatch.setattr(main, "__module__", None)
    monkeypatch.setattr(sys, "argv", ["mine.py", *words])
    with pytest.raises(SystemExit) as end:
        run_example(main)
    out, err = capsys.readouterr()
    assert end.value.code == code and said in out + err and "Traceback" not in err


def test_a_defect_of_an_example_keeps_its_stack_trace(monkeypatch):
    """Without it whoever changes an example would see a sentence in place of the line that is wrong."""
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    with pytest.raises(ZeroDivisionError):
        run_example(lambda: str(1 // 0))


def test_the_notebook_is_the_script():
    """Without it the notebook would go on showing lines that were changed, or somebody's outputs."""
    pytest.importorskip("nbformat", reason="nbformat is not installed")
    answer = subprocess.run([sys.executable, ROOT / "scripts" / "make_notebook.py", "--check"], text=True,
                            capture_output=True)
    assert answer.returncode == 0, answer.stderr
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") for cell in cells) and len(code) == 3
    script = (EXAMPLES / "ten_lines.py").read_text()
    assert all(part in script for part in code) and "argparse" not in "".join(code)


@pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NOTEBOOK_LIBRARIES),
                    reason=f"one of {', '.join(NOTEBOOK_LIBRARIES)} is not installed")
def test_the_notebook_runs(place):
    """Without it a cell could use a name that only the script has."""
    program = ("import nbformat, nbclient\n"
               f"book = nbformat.read({str(EXAMPLES / 'notebook.ipynb')!r}, 4)\n"
               "first = next(cell for cell in book.cells if cell.cell_type == 'code')\n"
               "assert '\"digits_ipc\", 3' in first.source\n"
               "first.source = first.source.replace('\"digits_ipc\", 3', '\"tiny\", 1')\n"
               f"nbclient.NotebookClient(book, timeout={LIMIT_S}).execute()\n"
               "texts = [o.get('text', '') for c in book.cells if c.cell_type == 'code' for o in c.outputs]\n"
               "print(''.join(texts))\n")
    answer = subprocess.run([sys.executable, "-c", program], cwd=place, text=True, capture_output=True,
                            timeout=LIMIT_S)
    assert answer.returncode == 0, answer.stderr
    assert "0 mismatches in" in answer.stdout and "the first predictions" in answer.stdout
