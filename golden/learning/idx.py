"""Images and labels in the idx files of MNIST and its relatives (yann.lecun.com/exdb/mnist).

The files go by several names: ``train-images-idx3-ubyte`` as they are published, ``train-images.idx3-ubyte`` as
some programs unpack them, either with ``.gz``, and with a prefix (``emnist-letters-``). Any of them is taken.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput

from ..given import MOST

__all__ = ["FILES", "read_folder"]

FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
OTHER_NAMES = {"t10k": "(?:t10k|test)"}
"""EMNIST and others call the second part test."""
BYTES = 0x08
"""The idx type of unsigned bytes, the only one these files use."""
CHUNK = 1 << 20


def read_folder(folder: str, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (samples, pixels) and labels (samples,) of ``part``, a key of FILES; .gz or plain.

    Raises BadInput when a file is missing, cut off or not of this kind, and for a part without samples.
    """
    images, labels = (_read(_found(Path(folder), name), axes) for name, axes in zip(FILES[part], (3, 1)))
    if len(images) != len(labels):
        raise BadInput(f"data.path {folder!r} has {len(images)} images and {len(labels)} labels to {part}; use files "
                       "that belong together.")
    return images.reshape(len(images), -1), labels.astype(np.int64)


def _found(folder: Path, name: str) -> Path:
    """The one file of this name, however it is written; of a packed and a plain one the packed."""
    stem, kind, _ = name.rsplit("-", 2)
    first, rest = stem.split("-")
    pattern = re.compile(rf"(?P<prefix>.*?){OTHER_NAMES.get(first, first)}-{rest}[-.]{kind}[-.]ubyte(?P<packed>\.gz)?",
                         re.IGNORECASE)
    try:
        matches = [m for m in map(pattern.fullmatch, sorted(os.listdir(folder))) if m and (folder / m[0]).is_file()]
    except (OSError, ValueError) as error:
        raise BadInput(f"data.path {str(folder)!r} cannot be read as a folder ({error}); give the folder with the four "
                       "idx files of MNIST, with --data for example.") from None
    if not matches:
        raise BadInput(f"data.path {str(folder)!r} holds no {name}.gz; put the four idx files of MNIST there or give "
                       "their folder with --data.")
    if len({m["prefix"] for m in matches}) > 1:
        raise BadInput(f"data.path {str(folder)!r} holds {matches[0][0]} and {matches[-1][0]}, of which only one can "
                       "be meant; keep one data set in a folder.")
    return folder / min(matches, key=lambda m: (m["packed"] is None, m[0]))[0]


def _read(path: Path, axes: int) -> NDArray[np.uint8]:
    """The array in a file; no more of it is read than its header says, and nothing when that cannot be held."""
    try:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            head = file.read(4 + 4 * axes)
            shape = tuple(np.frombuffer(head[4:4 + 4 * axes], ">u4").tolist())
            whole = head[:4] == bytes((0, 0, BYTES, axes)) and len(shape) == axes
            size = int(np.prod(shape, dtype=object)) if whole else 0
            _check_shape(path, shape, size, whole)
            raw = b"".join(_chunks(file, size + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read ({error}); fetch it again.") from None
    if len(raw) != size:
        more = "holds more than" if len(raw) > size else f"ends after {len(raw):,} of"
        raise BadInput(f"{path} {more} the {size:,} bytes that its header gives to {shape}, a part of it is missing or "
                       "it was changed; fetch it again.")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _check_shape(path: Path, shape: tuple[int, ...], size: int, whole: bool) -> None:
    if not whole:
        raise BadInput(f"{path} is not an idx file of bytes with the right number of dimensions; fetch it again.")
    if size > MOST:
        raise BadInput(f"{path} says it holds {size:,} bytes of shape {shape}; at most {MOST:,} are read, give fewer "
                       "samples.")
    if not size:
        raise BadInput(f"{path} holds no sample, its shape is {shape}; fetch it again.")


def _chunks(file: gzip.GzipFile | IO[bytes], most: int) -> Iterator[bytes]:
    """What is left of ``file``, at most ``most`` bytes, chunk by chunk: nothing is reserved for what is missing."""
    while most > 0 and (chunk := file.read(min(most, CHUNK))):
        most -= len(chunk)
        yield chunk
