"""MNIST's idx files: read right, or refused with the reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from golden.datasets import load
from golden.idx import FILES, read_folder
from hebbar.config import DataConfig
from hebbar.errors import BadInput

MNIST = Path(__file__).parent.parent.parent / "shared" / "data" / "mnist"


def idx(array) -> bytes:
    """An array of bytes in the idx format, written from its description."""
    return bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 30), ("test", 10)):
        for name, array in zip(FILES[part], (rng.integers(0, 256, (count, 4, 4), np.uint8),
                                             np.arange(count, dtype=np.uint8) % 10)):
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


def test_pixels_become_codes_by_rounding(folder):
    """Without it a pixel of 255 could wrap to a negative activity."""
    images, labels = read_folder(str(folder), "train")
    data = load(DataConfig(name="idx", path=str(folder)))
    assert data.train.codes.shape == (30, 16) and len(data.test) == 10
    assert np.array_equal(data.train.codes, np.minimum((images.astype(int) + 1) >> 1, 127))
    assert np.array_equal(data.train.labels, labels) and data.split == "files"


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda raw: b"", "not an idx file"), (lambda raw: raw[:-20], "cannot be read"),
    (lambda raw: gzip.compress(gzip.decompress(raw)[:-3]), "a part of it is missing"),
    (lambda raw: gzip.compress(b"\0\0\x0d\3" + gzip.decompress(raw)[4:]), "not an idx file")])
def test_a_spoilt_file_is_refused(folder, spoil, words):
    """Without it half a data set would be trained on."""
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadInput, match=words):
        read_folder(str(folder), "train")


def test_files_that_do_not_belong_together_are_refused(folder):
    """Without it labels would be shifted against images."""
    (folder / "train-labels-idx1-ubyte.gz").write_bytes((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(BadInput, match="30 images and 10 labels"):
        read_folder(str(folder), "train")


@pytest.mark.skipif(not MNIST.exists(), reason="MNIST is not beside this checkout")
def test_mnist_is_what_everybody_knows():
    """Without it the reader could be right about files it wrote itself only."""
    images, labels = read_folder(str(MNIST), "test")
    assert images.shape == (10000, 784)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
