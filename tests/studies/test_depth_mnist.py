"""How ``hebbar bench depth --part mnist`` chooses, trains, keeps and grades."""

import gzip
import struct
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from golden.learning.datasets import Dataset, Samples
from golden.learning.training import train_fixed
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.studies.depth import deep_net, mnist
from hebbar.studies.depth.mnist import best_local, chosen, rows
from hebbar.studies.depth.mnist_settings import LOCAL, SMALL, WIDE, Setting, configured
from hebbar.studies.depth.mnist_trainings import Learnt, Stage, floating, learnt, staged

HERE = Path(__file__).parent
"""A folder that is there; nothing is read from it."""
TINY = Setting("il", (5, 6, 3), (3, 3), (1.0, 1.0))


def stage(seed=0, count=20, name="validation"):
    """Random inputs, labels that follow from the largest of the first three."""
    values = np.random.default_rng(seed).integers(0, 128, (2, count, 5))
    train, test = (Samples(v, v[:, :3].argmax(1), 7, 3) for v in values)
    targets = np.eye(3)[train.labels] * (1 << 12)
    return Stage(name, Dataset(train, test, "files", 0), train.codes.astype(np.int16), targets.astype(np.int16),
                 test.codes.astype(np.int16), str(seed))


def run(rule, accuracy, seed=0, **more):
    setting = Setting(**{"rule": rule, "layers": (5, 6, 3), "shifts": (3, 3), "scales": (1.0, 1.0)} | more)
    return Learnt(setting, seed, accuracy, 0, "", 0.25 if rule == "il" else None)


def test_the_setting_of_a_rule_is_the_best_on_validation():
    """Without it a figure is of another setting than the sweep found; backprop may win and is no local rule."""
    better = run("il", 0.9, gamma=0.5)
    best = chosen([run("il", 0.8), better, run("zil", 0.7), run("backprop", 0.99), run("zil", 0.7, steps=3)])
    assert best["il"] is better and best["zil"].setting.steps == 8, "of equal ones the first"
    assert best_local(best) == "il"


@pytest.mark.parametrize("rule", ["il", "zil", "ipc", "pc_alm", "backprop"])
def test_a_training_is_that_of_the_library(rule):
    """Chunks, order of samples and halvings of alpha give the accuracy and the weights of ``train_fixed``."""
    setting, given = Setting(rule, (5, 6, 3), (3, 3), (1.0, 1.0)), stage(name="test")
    for epochs in (3, mnist.EPOCHS):
        curve = train_fixed(compile_config(configured(setting, HERE, 4, epochs)), given.data, engine="compiled")
        found = learnt(setting, 4, given, HERE, epochs)
        assert found.accuracy == curve.accuracy[-1]
        assert found.weights == sha256(curve.weights.astype("<i4").tobytes()).hexdigest()
        assert (found.distance is not None) is (rule == "il")


def test_a_training_is_kept_for_what_its_bits_depend_on(tmp_path):
    """Seed, epochs, setting and images are part of the key; the same training is read and not done."""
    first, given = learnt(TINY, 0, stage(), HERE, 2, tmp_path), stage()
    (record,) = tmp_path.glob("*.json")
    record.write_text(record.read_text().replace('"clipped": 0', '"clipped": 7'))
    assert first.clipped == 0 and learnt(TINY, 0, given, HERE, 2, tmp_path).clipped == 7
    for seed, images, epochs in ((1, given, 2), (0, stage(1), 2), (0, given, 3)):
        assert learnt(TINY, seed, images, HERE, epochs, tmp_path).clipped == 0
    assert floating(TINY, 0, given, HERE, 2, tmp_path) == floating(TINY, 0, given, HERE, 2, tmp_path)
    assert len(list(tmp_path.glob("float_*.json"))) == 1


def idx(path, images, labels):
    for stem, array in (("images-idx3", images), ("labels-idx1", labels)):
        head = struct.pack(f">I{array.ndim}I", 0x800 | array.ndim, *array.shape)
        with gzip.open(path.with_name(f"{path.name}-{stem}-ubyte.gz"), "wb") as file:
            file.write(head + array.astype(np.uint8).tobytes())


def test_what_is_chosen_on_is_not_learnt_and_the_test_set_is_seen_last(monkeypatch, tmp_path):
    """Every image is its own number. Without it settings could be chosen on images that were learnt, or tested on."""
    monkeypatch.setattr(deep_net, "HELD", 3)
    for name, first, count in (("train", 0, 10), ("t10k", 10, 4)):
        numbers = np.arange(first, first + count)
        idx(tmp_path / name, np.broadcast_to(2 * numbers[:, None, None], (count, 28, 28)), numbers % 10)
    selection, final = (staged(tmp_path, f) for f in (False, True))
    assert [selection.inputs[:, 0].tolist(), selection.asked[:, 0].tolist()] == [[*range(7)], [7, 8, 9]]
    assert [final.inputs[:, 0].tolist(), final.asked[:, 0].tolist()] == [[*range(10)], [10, 11, 12, 13]]
    assert (selection.name, final.name) == ("validation", "test") and selection.digest != final.digest
    assert (selection.targets.argmax(1) == np.arange(7)).all() and selection.targets.max() == 4096


def test_the_tables_hold_what_the_rows_say():
    """300,000 weights at most, every rule of the rows, and every setting fits the machine."""
    for setting in (*WIDE, *SMALL):
        assert setting.weights <= 300_000
        compile_config(configured(setting, HERE, 0))
    assert {s.rule for s in WIDE} == {*LOCAL, "backprop"} and {s.layers for s in SMALL} == {(784, 100, 50, 10)}


def test_rows_stand_beside_their_targets():
    """A mean at the target meets it, that of NITRO-D has to be passed, and backprop has none."""
    finals = {"il": [run("il", 0.981), run("il", 0.983)], "zil": [run("zil", 0.9849)],
              "backprop": [run("backprop", 0.99)]}
    best = {rule: runs[0] for rule, runs in finals.items()}
    found, quick = (list(rows(finals, {"il": (98.0, 98.3), "zil": (98.0, 98.31)}, best, q)) for q in (False, True))
    for table, words in ((found, "10,000 images (mean of 3 seeds"), (quick, "after 100 images (mean of 1 seeds")):
        assert sum(words in row.figure for row in table) == 2
    assert [f.met for f in found] == [True, False, None, False, True, False, None]
    assert [f.value for f in found[:4]] == [98.2, 98.49, 99.0, 98.49] and found[-1].value == 0.25
    assert mnist._row("", [run("il", 0.9736)], 97.36, run("il", 0.9), above=True).met is False


def test_without_images_the_rows_say_so(tmp_path, capsys):
    """Without it the whole bench would end, or the rows would be missed."""
    found = mnist.measure(tmp_path, True, Reporter(), tmp_path / "none")
    assert len(found) == 5 and {(f.value, f.met) for f in found} == {("not measured", None)}
    assert "give the folder of its four idx files with --data" in capsys.readouterr().err
