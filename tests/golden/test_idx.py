"""MNIST's idx files: read right, or refused with the reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from golden.learning.datasets import load
from golden.learning.idx import FILES, read_folder
from hebbar.compiler.config import DataConfig
from hebbar.contract.errors import BadInput

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


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


@pytest.mark.parametrize("name", [
    "{part}-{what}-{kind}-ubyte", "{part}-{what}.{kind}-ubyte", "{part}-{what}.{kind}-ubyte.gz",
    "emnist-letters-{part}-{what}-{kind}-ubyte.gz", "Train-{what}-{kind}-ubyte"])
def test_files_go_by_several_names(folder, name):
    """Without it unpacked files, named with a dot by some programs, would not be found."""
    want = read_folder(str(folder), "train")
    for file, kind, what in zip(FILES["train"], ("idx3", "idx1"), ("images", "labels")):
        raw, to = (folder / f"{file}.gz").read_bytes(), name.format(part="train", what=what, kind=kind)
        (folder / f"{file}.gz").unlink()
        (folder / file).mkdir(exist_ok=True)  # some archives unpack to a folder of the very name beside the file
        (folder / file).rmdir() if to == file else None
        (folder / to).write_bytes(raw if to.endswith(".gz") else gzip.decompress(raw))
    for found, wanted in zip(read_folder(str(folder), "train"), want):
        assert np.array_equal(found, wanted)


def test_two_data_sets_in_a_folder_are_not_mixed(folder):
    """Without it images of one could meet labels of the other."""
    for prefix in ("kmnist", "fashion"):
        name = FILES["train"][0]
        (folder / f"{prefix}-{name}.gz").write_bytes((folder / f"{name}.gz").read_bytes())
    with pytest.raises(BadInput, match="only one can be meant"):
        read_folder(str(folder), "train")


def test_a_header_that_claims_too_much_reserves_nothing(folder):
    """Without it sixteen bytes could ask for 75 GB; what follows is read, up to what the header says, and no more."""
    claims = {2**31: "at most", 5000: "ends after 480 of", 20: r"holds more than the 320 bytes", 0: "holds no sample"}
    for count, words in claims.items():
        raw = bytes((0, 0, 8, 3)) + b"".join(n.to_bytes(4, "big") for n in (count, 4, 4)) + bytes(480)
        (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(raw))
        with pytest.raises(BadInput, match=words):
            read_folder(str(folder), "train")


def test_every_cut_and_every_flipped_byte_is_refused_or_reads_the_same(folder):
    """Without it a damaged download would train on other pixels: gzip has a checksum, a plain file its length."""
    path = folder / "t10k-images-idx3-ubyte.gz"
    good, want = path.read_bytes(), read_folder(str(folder), "test")[0]
    spoilt = [good[:n] for n in range(len(good))] + [good[:n] + bytes([good[n] ^ 0x55]) + good[n + 1:]
                                                     for n in range(len(good))]
    refused = 0
    for raw in spoilt:
        path.write_bytes(raw)
        try:
            assert np.array_equal(read_folder(str(folder), "test")[0], want)
        except BadInput as error:
            refused += 1
            assert str(error).endswith("."), error
    assert refused > len(spoilt) - 12  # name and time in the header of gzip are free


@pytest.mark.parametrize("spoil, words", [
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
