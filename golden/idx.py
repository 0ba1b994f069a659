"""Images and labels in the idx files of MNIST and its relatives (yann.lecun.com/exdb/mnist)."""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbar.errors import BadInput

__all__ = ["FILES", "read_folder"]

FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
BYTES = 0x08
"""The idx type of unsigned bytes, the only one these files use."""


def read_folder(folder: str, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (samples, pixels) and labels (samples,) of ``part``, a key of FILES; .gz or plain.

    Raises BadInput when a file is missing, cut off or not of this kind.
    """
    names = FILES[part]
    images, labels = (_read(Path(folder), name, axes) for name, axes in zip(names, (3, 1)))
    if len(images) != len(labels):
        raise BadInput(f"data.path {folder!r} has {len(images)} images and {len(labels)} labels to {part}; use files "
                       "that belong together.")
    return images.reshape(len(images), -1), labels.astype(np.int64)


def _read(folder: Path, name: str, axes: int) -> NDArray[np.uint8]:
    packed, plain = folder / f"{name}.gz", folder / name
    path = packed if packed.exists() else plain
    try:
        raw = gzip.decompress(path.read_bytes()) if path is packed else path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"data.path {str(folder)!r} holds no {name}.gz; put the four idx files of MNIST there or give "
                       "their folder with --data.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read ({error}); fetch it again.") from None
    shape = np.frombuffer(raw[4:4 + 4 * axes], ">u4").astype(np.int64)
    if raw[:4] != bytes((0, 0, BYTES, axes)) or len(raw) != 4 + 4 * axes + shape.prod():
        raise BadInput(f"{path} is not an idx file of {axes}-dimensional bytes, or a part of it is missing; fetch it "
                       "again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)
