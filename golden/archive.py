"""Arrays in ``.npz`` files that may come from anybody: read without trust, and known again by their hash.

A damaged or made-up archive can claim any size, name an array twice, or hold Python objects that would run code when
they are read. The header of every array is compared with the bytes that are there before anything is made of them.
"""

import hashlib
import json
import warnings
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput

from .given import MOST

__all__ = ["HASH", "Damaged", "arrays_of", "check_file", "digest", "read_npz"]

HASH = "sha256"
"""The key under which a file says its own ``digest``."""
MOST_BYTES = 8 * MOST
CHUNK = 1 << 20
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

Arrays = dict[str, NDArray[Any]]


class Damaged(ValueError):
    """A file is not what it says, in a few words."""


def read_npz(path: Path, what: str, cure: str = "", most: int = MOST_BYTES) -> Arrays:
    """Every array of an ``.npz`` by name, of at most ``most`` bytes together.

    Raises BadInput, "... is not a readable ``what`` (why); ``cure``." for a file that is missing, damaged, too large or
    holds anything but arrays of numbers and text.
    """
    try:
        check_file(path, most)
        return arrays_of(path, most)
    except Exception as error:  # whatever a damaged file makes zipfile, zlib and the reader of headers raise
        why = error if isinstance(error, Damaged | OSError | zipfile.BadZipFile) else f"damaged, {error}"
        raise BadInput(f"{path} is not a readable {what} ({why}){'; ' * bool(cure)}{cure}.") from None


def check_file(path: Path, most: int = MOST_BYTES) -> None:
    """Raise Damaged unless ``path`` is a file of at most ``most`` bytes, a little more for its headers."""
    if not path.is_file():
        raise Damaged("it is a folder" if path.is_dir() else "it is no file" if path.exists() else
                      "there is no such file")
    if path.stat().st_size > most + most // 8:
        raise Damaged(f"it has {path.stat().st_size:,} bytes, more than the {most:,} that are read")


def arrays_of(path: Path, most: int = MOST_BYTES) -> Arrays:
    """The arrays of an archive; raises Damaged, or what ``zipfile`` and ``zlib`` raise."""
    with open(path, "rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise Damaged("it holds one array without a name")
    arrays: Arrays = {}
    with zipfile.ZipFile(path) as archive:
        if (claimed := sum(info.file_size for info in archive.infolist())) > most:
            raise Damaged(f"it says it holds {claimed:,} bytes, more than the {most:,} that are read")
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in arrays:
                raise Damaged(f"it holds {name!r} twice")
            with archive.open(info) as member:
                arrays[name] = _array(name, member)
    return arrays


def _array(name: str, member: IO[bytes]) -> NDArray[Any]:
    """One array; what its header says must be what follows."""
    header = HEADERS.get(np.lib.format.read_magic(member))
    if header is None:
        raise Damaged(f"{name!r} holds records, not numbers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about headers that Python 2 wrote
        shape, fortran, dtype = header(member)
    if dtype.hasobject or dtype.kind == "V":
        raise Damaged(f"{name!r} holds {'objects' if dtype.hasobject else 'records'}, not numbers")
    raw = bytearray()
    while chunk := member.read(CHUNK):
        raw += chunk
    size = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size != len(raw):
        raise Damaged(f"{name!r} says it holds {size:,} bytes of shape {shape} and has {len(raw):,}")
    if not size:
        return np.zeros(shape, dtype)
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")


def digest(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, str]) -> str:
    """SHA-256 over names, types, shapes and numbers, and over ``meta`` but for its own ``HASH``."""
    said = json.dumps({key: value for key, value in meta.items() if key != HASH}, sort_keys=True)
    total = hashlib.sha256(said.encode())
    for name in sorted(arrays):
        dtype = arrays[name].dtype.newbyteorder("<")
        total.update(f"\0{name}\0{dtype.str}\0{arrays[name].shape}\0".encode())
        total.update(np.ascontiguousarray(arrays[name], dtype).tobytes())
    return total.hexdigest()
