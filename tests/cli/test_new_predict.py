"""From a file of samples to answers on the command line: hebbar new, train, hebbar predict."""

import csv
import json
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from commands import hebbar
from PIL import Image

from golden.learning.described import class_names_in, configuration_in
from golden.learning.weights import save_weights
from hebbar import Experiment
from hebbar.compiler.config import load, parse
from hebbar.compiler.keys import find_tables
from hebbar.compiler.program import compile_config
from hebbar.compiler.template import commented, first_rates, fitted
from hebbar.contract.errors import BadInput

NAMES = ("daisy", "rose", "tulip")


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """A folder with flowers.csv, a configuration for it, weights trained on it, and the experiment."""
    folder, rng = tmp_path_factory.mktemp("flowers"), np.random.default_rng(0)
    inputs = rng.uniform(0, 3, (150, 3))
    with open(folder / "flowers.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["a", "b", "c", "kind"])
        out.writerows([*row, NAMES[row.index(max(row))]] for row in inputs.round(3).tolist())
    answer = hebbar("new", "my.toml", "--data", "flowers.csv", "--hidden", "12", "--epochs", "6", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    e = Experiment(folder / "my.toml")
    e.train()
    e.save_weights(folder / "w.npz")
    return folder, e, inputs


def test_a_new_configuration_fits_its_data(flowers):
    """Without it the first command of a newcomer would end in an error about sizes, ranges or memories."""
    folder, e, inputs = flowers
    assert e.config.network.layers == (3, 12, 3) and e.config.data.unit == inputs.round(3).max()
    assert e.data.names == NAMES and len(e.data.train) == 120
    text = (folder / "my.toml").read_text()
    for section in ("network", "rule", "training", "machine", "data"):
        for key in find_tables(section)[0].keys:
            if key.name not in ("populations", "edges"):
                assert f"\n{key.name} = " in text or f"\n# {key.name} = " in text, key.name
    assert tomllib.loads(text)["data"]["path"] == "flowers.csv"
    again = hebbar("new", "my.toml", cwd=folder)
    assert again.returncode == 2 and "is there already" in again.stderr and (folder / "my.toml").read_text() == text


def test_predict_needs_weights_and_a_file_alone(flowers, tmp_path):
    """Without it the answers could be of other weights, another scaling of inputs or other names."""
    folder, e, inputs = flowers
    answer = hebbar("predict", folder / "w.npz", folder / "flowers.csv", "--out", "p", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    with open(tmp_path / "p" / "predictions.csv", newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["sample", "label", "right", *(f"score {name}" for name in NAMES)]
    scores = e.outputs(inputs.round(3) / e.config.data.unit)
    assert np.array_equal([[float(cell) for cell in row[3:]] for row in rows], scores)
    assert [row[1] for row in rows] == [NAMES[i] for i in scores.argmax(axis=1)]
    assert [row[2] for row in rows] == [NAMES[i] for i in inputs.round(3).argmax(axis=1)] and rows[0][0] == "line 2"
    right = e.score(inputs.round(3) / e.config.data.unit, inputs.round(3).argmax(axis=1))
    assert json.loads((tmp_path / "p" / "result.json").read_text())["accuracy"] == right > 0.6
    (tmp_path / "bare.csv").write_text("\n".join(",".join(map(str, row)) for row in inputs.round(3)[:5].tolist()))
    bare = hebbar("predict", folder / "w.npz", "bare.csv", "--json", cwd=tmp_path)
    said = json.loads(bare.stdout)
    assert said["accuracy"] is None and list(said["labels"].values()) == [row[1] for row in rows[:5]]


@pytest.mark.parametrize("text, words", [
    ("1,2\n", "has 2 columns; give 3 numbers"), ("1,2,x\n", "is 'x', which is no number"),
    ("1,2,9\n", "is outside -1..1"), ("1,2,3,oak\n", "'oak' is none of the classes"), ("", "holds no samples")])
def test_wrong_samples_are_a_sentence_and_leave_nothing(flowers, tmp_path, text, words):
    """Without it a stack trace, or half a table that looks whole."""
    (tmp_path / "a.csv").write_text(text)
    answer = hebbar("predict", flowers[0] / "w.npz", "a.csv", "--out", "p", cwd=tmp_path)
    assert answer.returncode == 2 and words in answer.stderr and not (tmp_path / "p").exists(), answer.stderr


def test_weights_say_what_they_are_of(flowers, tmp_path):
    """Without it weights would have to be kept with their configuration by hand."""
    folder, e, _ = flowers
    assert class_names_in(folder / "w.npz") == NAMES
    said = configuration_in(folder / "w.npz")
    assert said.model_copy(update={"name": e.config.name}) == e.config
    save_weights(tmp_path / "bare.npz", e.weights)
    for meta, words in (({}, "does not say its configuration"), ({"configuration": "{"}, "cannot be read"),
                        ({"configuration": '{"rule": {"source": "evil.py"}}'}, "it is a program"),
                        ({"configuration": "[1]"}, "give a dictionary")):
        save_weights(tmp_path / "w.npz", e.weights, meta)
        with pytest.raises(BadInput, match=words):
            configuration_in(tmp_path / "w.npz")
    given = hebbar("predict", "bare.npz", folder / "flowers.csv", "--config", folder / "my.toml", cwd=tmp_path)
    assert given.returncode == 2 and "weights say no names" in given.stderr
    for text in ("{", "[1]", '{"a": 1}'):
        save_weights(tmp_path / "w.npz", e.weights, {"classes": text})
        with pytest.raises(BadInput, match="names of classes that cannot be read"):
            class_names_in(tmp_path / "w.npz")


def test_pictures_and_archives_make_configurations_too(tmp_path):
    """Without it sizes would be taken from CSV files alone."""
    rng = np.random.default_rng(0)
    for i in range(12):
        folder = tmp_path / "set" / f"k{i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6, 6)).astype(np.uint8)).save(folder / f"{i}.png")
    np.savez(tmp_path / "a.npz", inputs=rng.integers(0, 256, (30, 7)), labels=np.arange(30) % 4)
    for arguments, layers, keys in (
            (["--data", "set", "--image-size", "3,3"], (9, 64, 2), {"name": "images", "image_size": (3, 3)}),
            (["--data", "set", "--hidden", "5,4"], (36, 5, 4, 2), {"name": "images"}),
            (["--data", "a.npz"], (7, 64, 4), {"name": "npz", "unit": 255.0}),
            (["--layers", "100,20,3", "--bias", "--rule", "ipc"], (100, 20, 3), {"name": "digits"})):
        answer = hebbar("new", "sub/c.toml", "--force", *arguments, cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        config = load(str(tmp_path / "sub" / "c.toml"))
        assert config.network.layers == layers and {k: getattr(config.data, k) for k in keys} == keys
        if config.data.path:
            assert len(Experiment(config).data.train) > 5


@pytest.mark.parametrize("arguments, words", [
    (["--data", "nowhere.csv"], "no such file"), (["--data", "nowhere"], "no such file"),
    (["--hidden", "x"], "--hidden is 'x'"), (["--layers", "64,0"], "from 1 to 4095"),
    (["--rule", "ill"], "did you mean 'il'"), (["--lanes", "3"], "machine.lanes"),
    (["--image-size", "2,2"], "there is no --data"), (["--activation", "rele"], "relu"),
    (["--layers", "4095,4095,4095"], "does not fit")])
def test_wrong_options_are_a_sentence_and_leave_no_file(tmp_path, arguments, words):
    """Without it a file would be left that no command takes."""
    answer = hebbar("new", "my.toml", *arguments, cwd=tmp_path)
    assert answer.returncode == 2 and words in answer.stderr and not list(tmp_path.iterdir()), answer.stderr


def test_a_terminal_is_asked(tmp_path):
    """Without it the questions could be asked of a script, or their answers dropped."""
    code = ("import sys; sys.stdin.isatty = lambda: True; sys.argv = ['hebbar', 'new', 'q.toml']; "
            "from hebbar.cli import main; main()")
    answer = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, input="\n20\nzil\n4\n", text=True,
                            capture_output=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    config = load(str(tmp_path / "q.toml"))
    assert (config.network.layers, config.rule.name, config.training.epochs) == ((64, 20, 10), "zil", 4)


@pytest.mark.parametrize("layers", [(64, 64, 10), (784, 192, 128, 10), (5, 3)])
def test_memories_hold_the_program_and_no_less_would(layers):
    """Without it a new configuration would waste memory, or not fit the machine it describes."""
    sections = fitted({"network": {"layers": list(layers)}, "rule": first_rates(layers),
                       "machine": {"lanes": 8, "row_tiles": 2}})
    compile_config(parse(tomllib.loads(commented(sections, "x")), "x"))
    for name in ("weight_words", "neuron_words", "max_columns"):
        if sections["machine"][name] > 2:
            less = sections | {"machine": sections["machine"] | {name: sections["machine"][name] // 2}}
            with pytest.raises(BadInput):
                compile_config(parse(less, "x"))
