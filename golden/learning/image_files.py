"""Samples as pictures, whatever format Pillow reads: a folder of them, in a folder for each class where it is known."""

import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.config import DataConfig
from hebbar.contract.errors import BadInput

from ..given import MOST

__all__ = ["image_suffixes", "read_images"]

WIDE = 65535.0
"""The white of a picture of 16 bits."""


def read_images(path: Path, config: DataConfig) -> tuple[NDArray[np.float64], list[str] | None, list[str], list[str]]:
    """Pixels (samples, size) from 0, black, to 1, row by row; labels, the names of the folders they are in, None for
    pictures that are in none; the paths of the pictures; remarks about files that are no pictures.

    ``config.image_size`` is what every picture is scaled to, by means of areas; without it all must be of one size.
    ``config.color``: red, green and blue of every pixel in place of grey. Raises BadInput for a folder without
    pictures or with some beside folders of classes, and for a picture that cannot be read.
    """
    files, classes, others = _listed(path)
    rows: list[NDArray[np.float64]] = []
    for file in files:
        pixels = _pixels(file, config)
        if rows and pixels.shape != rows[0].shape:
            raise BadInput(f"{file} has {_size(pixels)} pixels and {files[0]} {_size(rows[0])}; make them equal, or "
                           "set data.image_size to what all are scaled to.")
        if pixels.size * len(files) > MOST:
            raise BadInput(f"{path}: {len(files):,} pictures of {_size(pixels)} pixels are more than {MOST:,} numbers; "
                           "set data.image_size to fewer pixels.")
        rows.append(pixels)
    left = [f"files in {path} that are no pictures by their names were left out: {len(others)}."] if others else []
    base = path if path.is_dir() else path.parent
    return (np.stack(rows).reshape(len(rows), -1), classes, [str(file.relative_to(base)) for file in files], left)


def image_suffixes() -> set[str]:
    """The suffixes that Pillow reads."""
    from PIL import Image

    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def _listed(path: Path) -> tuple[list[Path], list[str] | None, list[Path]]:
    """The pictures in the order of their names, their classes, and files that are something else."""
    if path.is_file():
        return [path], None, []
    suffixes = image_suffixes()
    try:
        folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
        inside = [file for folder in folders or [path] for file in sorted(folder.iterdir())]
        beside = [p for p in path.iterdir() if p.is_file() and p.suffix.lower() in suffixes] if folders else []
    except OSError as error:
        raise BadInput(f"{path} cannot be read as a folder of pictures ({error.strerror}); give one with a folder for "
                       "each class.") from None
    if beside:
        raise BadInput(f"{path} holds the picture {beside[0].name!r} beside the folder {folders[0].name!r}; put every "
                       "picture into the folder of its class, or take the folders out.")
    seen = [file for file in inside if file.is_file() and not file.name.startswith(".")]
    files = [file for file in seen if file.suffix.lower() in suffixes]
    if not files:
        raise BadInput(f"{path} holds no pictures; put them there, in a folder for each class, in a format such as PNG "
                       "or JPEG.")
    return files, [file.parent.name for file in files] if folders else None, [f for f in seen if f not in set(files)]


def _pixels(file: Path, config: DataConfig) -> NDArray[np.float64]:
    """One picture, (height, width) or (height, width, 3), as it is meant to be seen: turned as its camera says."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture of a few bytes may claim a billion pixels
            with Image.open(file) as opened:
                image = ImageOps.exif_transpose(opened)
            wide = image.mode.startswith("I;16") or image.mode == "I"
            if not wide:
                image = image.convert("RGB" if config.color else "L")
            elif config.color:
                raise BadInput(f"{file} is grey, of 16 bits; set data.color to false.")
            else:
                image = image.convert("F")
            if config.image_size:
                height, width = config.image_size
                image = image.resize((width, height), Image.Resampling.BOX)
            return np.asarray(image, np.float64) / (WIDE if wide else 255.0)
    except BadInput:
        raise
    except Exception as error:  # whatever a damaged file makes of the library
        raise BadInput(f"{os.fspath(file)} is not a readable picture ({error}); replace it or take it out.") from None


def _size(pixels: NDArray[np.float64]) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"
