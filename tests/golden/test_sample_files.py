"""Samples in CSV files and pictures: what is read is what was written, or a sentence says what is wrong."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from golden.learning.class_names import class_numbers
from golden.learning.datasets import load
from golden.learning.sample_files import labelled_samples, samples_to_answer
from hebbar.compiler.config import Config, DataConfig, load as load_config
from hebbar.contract.errors import BadInput


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def csv_data(path, **keys):
    return DataConfig(name="csv", path=str(path), **keys)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [None, ["a", "b", "kind"], ["a", "label", "b"]])
def test_a_csv_file_comes_back_as_it_was_written(tmp_path, delimiter, header):
    """Without it a column could be lost, the class taken for an input, or the first sample for a header."""
    inputs, labels = np.random.default_rng(0).uniform(-1, 1, (20, 2)), np.arange(20) % 3
    at = header.index("label") if header and "label" in header else 2
    with open(tmp_path / "a.csv", "w", newline="", encoding="utf-8-sig") as file:
        out = csv.writer(file, delimiter=delimiter)
        if header:
            out.writerow(header)
        for row, label in zip(inputs.tolist(), labels.tolist()):
            cells = [repr(cell) for cell in row]
            cells.insert(at, str(label))
            out.writerow(cells)
            out.writerow([])
    found = labelled_samples(csv_data(tmp_path / "a.csv"))
    assert np.array_equal(found.inputs, inputs) and np.array_equal(found.labels, labels) and found.names == ()
    asked = samples_to_answer(tmp_path / "a.csv", 2, DataConfig())
    assert np.array_equal(asked.inputs, inputs) and np.array_equal(asked.labels, labels)
    data = load(csv_data(tmp_path / "a.csv"))
    assert len(data.train) == 16 and len(data.test) == 4 and data.train.classes == 3


def test_classes_may_have_names(tmp_path):
    """Without it a file of names would need a program before it could be learnt from, or names would change places."""
    path = written(tmp_path / "a.csv", "0.5,dog\n0.25,cat\n-0.5,dog\n0,cow\n")
    found = labelled_samples(csv_data(path))
    assert found.names == ("cat", "cow", "dog") and found.labels.tolist() == [2, 0, 2, 1]
    again = samples_to_answer(path, 1, DataConfig(), names=("dog", "cow", "cat"))
    assert again.labels.tolist() == [0, 2, 0, 1] and again.called[2] == "line 3"
    with pytest.raises(BadInput, match="say no names of theirs"):
        samples_to_answer(path, 1, DataConfig())
    with pytest.raises(BadInput, match="'cow' is none of the classes 'cat', 'dog'"):
        samples_to_answer(path, 1, DataConfig(), names=("cat", "dog"))
    with pytest.raises(BadInput, match=r"names 3 classes.*tells 2 apart"):
        labelled_samples(csv_data(path), classes=2)
    assert class_numbers("x", ["10", "9"])[0].tolist() == [10, 9]
    assert class_numbers("x", ["-1", "1"])[1] == ("-1", "1")


def test_a_unit_scales_and_labels_may_be_missing(tmp_path):
    """Without it pixels of 0 to 255 would have to be rewritten by a program, or a sample without label be cut."""
    path = written(tmp_path / "a.csv", "255,0,51\n0,102,255\n")
    found = samples_to_answer(path, 3, csv_data(path, unit=255.0))
    assert found.labels is None and np.array_equal(found.inputs, [[1, 0, 0.2], [0, 0.4, 1]])
    np.savez(tmp_path / "a.npz", inputs=np.array([[255, 51]], np.uint8))
    found = samples_to_answer(tmp_path / "a.npz", 2, DataConfig(name="npz", path="a.npz", unit=255.0))
    assert found.labels is None and np.array_equal(found.inputs, [[1, 0.2]])


@pytest.mark.parametrize("text, words", [
    ("", "holds no samples"), ("a,b\n", "of columns and no samples"),
    ("1,2,0\n1,2\n", "line 2 has 2 cells and the first line 3"),
    ("x,y,label\n1,2,0\n1,z,0\n", "line 3, column 2 is 'z', which is no number"),
    ("label,x\n0,1\n1,\n", "line 3, column 2 is '', which is no number"),
    ("1_0,2,0\n1,2,0\n", "line 1, column 1 is '1_0'"), ("1,2,\n", "line 1 has no class"),
    ("label,x,class\n0,1,0\n", "has the columns 'label' and 'class'"), ('"1,2,0\n', "not a readable CSV"),
    ("1,nan,0\n1,2,1\n", "inputs: sample 0, input 1 is nan, which is not a number"),
    ("1,300,0\n1,2,1\n", "sample 0, input 1 is 300, which is outside"), ("0.1,7\n0.1,1.5\n", "named 2")])
def test_a_wrong_csv_file_is_a_sentence(tmp_path, text, words):
    """Without it the error would be NumPy's or Python's, without file, line and cure."""
    path = written(tmp_path / "a.csv", text)
    if words == "named 2":
        assert len(load(csv_data(path, split="last360")).names) == 2
        return
    with pytest.raises(BadInput, match=words.replace("(", r"\(")):
        load(csv_data(path, split="last360"))


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"1,2\x00,0\n", b"\x00" * 50, bytes(range(256)) * 9])
def test_bytes_that_are_no_text_are_a_sentence(tmp_path, raw):
    """Without it a spreadsheet file of that name would be a stack trace."""
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(BadInput, match=r"a\.csv"):
        load(csv_data(tmp_path / "a.csv", split="last360"))


def picture(path, pixels, mode=None, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels), mode=None).save(path, **how)


@pytest.fixture
def folder(tmp_path):
    """Two pictures of a class "ab" and one of "cd", 2 high and 3 wide."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (3, 2, 3)).astype(np.uint8)
    for name, one in zip(("ab/2.png", "ab/1.bmp", "cd/x.PNG"), pixels):
        picture(tmp_path / "set" / name, one)
    (tmp_path / "set" / "cd" / "read.me").write_text("no picture")
    (tmp_path / "set" / "cd" / ".hidden.png").write_text("")
    return tmp_path / "set", pixels


def images(path, **keys):
    return DataConfig(name="images", path=str(path), **keys)


def test_pictures_are_pixels_row_by_row_and_folders_classes(folder):
    """Without it pictures could be turned, ordered as the disk has them, or scaled to something else than 0..1."""
    path, pixels = folder
    found = labelled_samples(images(path))
    assert np.array_equal(found.inputs, pixels[[1, 0, 2]].reshape(3, 6) / 255)
    assert found.labels.tolist() == [0, 0, 1] and found.names == ("ab", "cd")
    assert found.called == ("ab/1.bmp", "ab/2.png", "cd/x.PNG") and "left out: 1" in found.remarks[0]
    one = samples_to_answer(path / "ab" / "2.png", 6, DataConfig())
    assert np.array_equal(one.inputs, pixels[:1].reshape(1, 6) / 255) and one.labels is None
    several = samples_to_answer(path / "ab", 6, DataConfig())
    assert len(several.inputs) == 2 and several.labels is None and several.called == ("1.bmp", "2.png")


def test_pictures_are_scaled_colored_and_turned_as_they_say(tmp_path):
    """Without it a photograph would lie on its side, and sixteen bits would be read as eight."""
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    picture(tmp_path / "g" / "a.png", grey)
    found = samples_to_answer(tmp_path / "g", 4, images("x", image_size=[2, 2]))
    means = grey.reshape(2, 2, 2, 2).mean(axis=(1, 3)).ravel()
    assert np.abs(found.inputs * 255 - means).max() <= 0.5
    color = np.random.default_rng(0).integers(0, 256, (2, 3, 3)).astype(np.uint8)
    picture(tmp_path / "c" / "a.png", color)
    found = samples_to_answer(tmp_path / "c", 18, images("x", color=True))
    assert np.array_equal(found.inputs, color.reshape(1, 18) / 255)
    picture(tmp_path / "w" / "a.png", np.array([[0, 65535], [13107, 256]], np.uint16))
    assert np.array_equal(samples_to_answer(tmp_path / "w", 4, DataConfig()).inputs, [[0, 1, 0.2, 256 / 65535]])
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the first column from below is the first row
    picture(tmp_path / "e" / "a.png", np.array([[1, 2], [3, 4], [5, 6]], np.uint8), exif=exif)
    turned = samples_to_answer(tmp_path / "e", 6, DataConfig()).inputs
    assert np.array_equal(turned * 255, [[5, 3, 1, 6, 4, 2]])


def test_wrong_pictures_are_sentences(folder, tmp_path):
    """Without it one damaged file in a thousand would be a stack trace that does not name it."""
    path, _ = folder
    for keys, words in (({"image_size": [5, 5]}, "set data.image_size"), ({}, "takes 5 numbers")):
        with pytest.raises(BadInput, match=words):
            samples_to_answer(path, 5, images("x", **keys), names=("ab", "cd"))
    (path / "ab" / "3.png").write_bytes((path / "ab" / "2.png").read_bytes()[:40])
    with pytest.raises(BadInput, match=r"3\.png is not a readable picture"):
        labelled_samples(images(path))
    (path / "ab" / "3.png").unlink()
    picture(path / "ab" / "3.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(BadInput, match=r"3\.png has 4 x 4 pixels and .*1\.bmp 2 x 3"):
        labelled_samples(images(path))
    picture(path / "beside.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(BadInput, match=r"'beside.png' beside the folder 'ab'"):
        labelled_samples(images(path))
    with pytest.raises(BadInput, match="pictures without classes"):
        labelled_samples(images(path / "ab", image_size=[2, 2]))
    (tmp_path / "empty").mkdir()
    for place, words in (("empty", "holds no pictures"), ("nowhere", "cannot be read as a folder")):
        with pytest.raises(BadInput, match=words):
            labelled_samples(images(tmp_path / place))
    with pytest.raises(BadInput, match="no file of samples by its name"):
        samples_to_answer(tmp_path / "a.docx", 5, DataConfig())


@pytest.mark.parametrize("data, words", [
    ({"unit": 255.0}, "data.unit is 255"), ({"color": True}, "are of pictures"), ({"image_size": [2, 2]}, "pictures"),
    ({"name": "images", "path": "x", "image_size": [28]}, "give height and width"),
    ({"name": "csv"}, "data.path is empty; give the file"), ({"name": "images"}, "give the folder"),
    ({"name": "images", "path": "x", "unit": 2.0}, "has values of 0 to 1")])
def test_keys_that_do_not_belong_together_are_refused(data, words):
    """Without it a key would be left out in silence."""
    with pytest.raises(BadInput, match=words):
        load_config("digits").replace(data=data)


def test_pillow_is_imported_for_pictures_alone():
    """Without it every command would wait for a library that few need."""
    code = "import sys, golden.learning.sample_files; print('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    assert isinstance(load_config("digits"), Config)
