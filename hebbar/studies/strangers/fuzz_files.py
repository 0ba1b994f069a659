"""Damaged and made-up files of data and weights: right numbers, or a sentence.

What a file holds is known because the case wrote it: where reading succeeds the numbers must be those of the undamaged
file, and changed ones may come only from a file that says no hash or was written so.
"""

import gzip
import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import safetensors.numpy

from golden.image import from_image
from golden.learning.datasets import Dataset
from golden.learning.training import data_of
from golden.learning.weights import load_image, save_weights
from golden.reference.state import initial_weights
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .cases import figures, run_cases
from .odd import odd

__all__ = ["measure"]

COUNT = {False: 500, True: 60}
Call = tuple[str, Callable[[], str]]
JUNK = (b"", b"x", bytes(100), b"PK\x03\x04", struct.pack("<Q", 1 << 40) + b"{}", struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 75 << 30) + b"{}", np.lib.format.magic(1, 0) + b"\xff\xff", b'\x08\0\0\0\0\0\0\0{"a:b":1',
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x1f\x8b" + bytes(50))
IDX_NAMES = ("{part}-{what}-{kind}-ubyte", "{part}-{what}.{kind}-ubyte", "x-{part}-{what}-{kind}-ubyte")


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Files read in a process of at most 4 GB, each in at most 60 s."""
    return figures(run_cases(__name__, COUNT[quick], 1, "damaged files", reporter), "damaged files")


def prepare() -> None:
    _program()


@cache
def _program() -> Program:
    return compile_config(load("tiny"))


def _data(name: str, path: Path) -> Dataset:
    """The samples of a file or folder, as a training takes them."""
    return data_of(compile_config(load("tiny").replace(data={"name": name, "path": str(path),
                                                             "split": "last360"})))


def case(rng: Random, folder: Path) -> Call:
    """One file, or one folder of four."""
    return rng.choice([_weights, _weights, _samples, _images])(rng, folder)


def _weights(rng: Random, folder: Path) -> Call:
    suffix, kind, hashed = rng.choice([".npz", ".safetensors"]), rng.randrange(10), rng.random() < 0.7
    path, want = folder / f"w{suffix}", _weights_of(rng.randrange(99))
    arrays: dict[str, Any] = {":".join(key): matrix for key, matrix in want.items()}
    name, said, same = rng.choice(list(arrays)), "whole", True
    if kind == 0:
        said, arrays[name] = odd(rng, np.round(arrays[name] * 8) / 8)
        arrays[name], hashed, same = _array(arrays[name]), False, False
    elif kind == 1:
        arrays.pop(name)
        said, hashed = f"no {name}", False
    elif kind == 2:
        said, hashed = rng.choice(["x", "a:b", "é:ü", ":", "a:b:c", "meta", "sha256", "x0:x1:"]), False
        arrays[said] = rng.choice([np.zeros((2, 2)), np.array("x"), np.array("{}"), np.array("[1"),
                                   np.array('{"sha256": 1}')])
    if hashed:
        save_weights(path, want)
        raw = path.read_bytes()
    else:
        raw = _packed(rng, arrays) if suffix == ".npz" else _safe(arrays)
    how, raw = _damage(rng, raw, kind)

    def call() -> str:
        path.write_bytes(raw)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            got = from_image(_program().layout, load_image(_program().layout, path))
        equal = all(np.array_equal(got[key], matrix) for key, matrix in want.items())
        said_so = any("says no hash" in str(w.message) for w in found)
        return "" if equal or not same or (said_so and how) else "other weights were read in silence"
    return f"weights {suffix}, {'hashed, ' * hashed}{said}, {how or 'undamaged'}", call


def _weights_of(seed: int) -> dict[tuple[str, str], np.ndarray]:
    """Weights that are codes: what comes back must be these numbers."""
    network, scale = _program().layout.network, _program().machine.formats.weight.scale
    return {key: np.round(matrix * scale) / scale for key, matrix in initial_weights(network, seed).items()}


def _samples(rng: Random, folder: Path) -> Call:
    inputs, labels = np.random.default_rng(rng.getrandbits(32)).integers(0, 129, (50, 16)) / 128, np.arange(50) % 10
    arrays: dict[str, Any] = {"inputs": inputs, "labels": labels}
    kind, said = rng.randrange(10), "whole"
    if kind == 0:
        said, given = odd(rng, inputs)
        arrays["inputs"] = _array(given)
    elif kind == 1:
        arrays["labels"], said = rng.choice([labels + 0.5, labels - 1, labels.astype(str), labels.astype(object),
                                             labels[:3],
                                             labels[:, None], labels * 10**9, np.full(50, np.nan), np.full(50, 2**62),
                                             labels
                                             + 1, labels.astype(complex), labels.astype(">i2")]), "other labels"
    elif kind == 2:
        said = rng.choice(list(arrays))
        arrays.pop(said)
    how, raw = _damage(rng, _packed(rng, arrays), kind)

    def call() -> str:
        (folder / "samples.npz").write_bytes(raw)
        data = _data("npz", folder / "samples.npz")
        got, want = np.vstack([data.train.codes, data.test.codes]), np.minimum(inputs * 128, 127)
        return "" if said != "whole" or np.array_equal(got, want) else "other samples were read in silence"
    return f"samples, {said}, {how or 'undamaged'}", call


def _images(rng: Random, folder: Path) -> Call:
    drawn, kind, packed = np.random.default_rng(rng.getrandbits(32)), rng.randrange(10), rng.random() < 0.5
    place, form, said = folder / f"idx{rng.getrandbits(40)}", rng.choice(IDX_NAMES), ""
    parts = {part: (drawn.integers(0, 256, (count, 4, 4), np.uint8), np.arange(count, dtype=np.uint8) % 10)
             for part, count in (("train", 40), ("t10k", 20))}
    place.mkdir(exist_ok=True)
    for part, pair in parts.items():
        for array, what, number in zip(pair, ("images", "labels"), ("idx3", "idx1")):
            raw, hit = _idx(array), part == "train" and what == "images"
            if hit and kind == 0:
                raw, said = _idx(array, rng.choice([9, 11, 12, 13, 14, 0, 255])), "another type"
            elif hit and kind == 1:
                raw = struct.pack(">HBBIII", 0, 8, 3, 1 << 31, 1 << 15, 1 << 15) + raw[16:]
                said = "a claim of 2^61 bytes"
            elif hit and kind == 2:
                raw, said = _idx(array[:rng.choice([0, 37])]), "too few images"
            elif what == "labels" and kind == 3:
                raw, said = raw[:-1] + bytes([rng.choice([10, 255])]), "a label too high"
            elif hit and kind == 4:
                raw, said = raw + b"x", "a byte more"
            raw = gzip.compress(raw) if packed else raw
            if hit and kind == 5:
                raw, said = raw[:rng.randrange(len(raw))], "cut off"
            if hit and kind == 6 and packed:
                raw, said = _flip(rng, raw), "flipped"
            name = form.format(part=part, what=what, kind=number) + ".gz" * packed
            (place / name).write_bytes(raw)

    def call() -> str:
        data = _data("idx", place)
        want = [np.minimum((images.reshape(len(images), -1).astype(int) + 1) >> 1, 127) for images, _ in parts.values()]
        right = all(np.array_equal(got.codes, codes) for got, codes in zip((data.train, data.test), want))
        return "" if right else "other images were read in silence"
    return f"images, {'packed, ' * packed}{said or 'undamaged'}", call


def _damage(rng: Random, raw: bytes, kind: int) -> tuple[str, bytes]:
    """How, and what is left; kinds below 4 are of what the file says, 9 is no damage."""
    if kind == 4:
        for _ in range(rng.randint(1, 6)):
            raw = _flip(rng, raw)
        return "flipped bytes", raw
    if kind == 5:
        return "a flipped byte", _flip(rng, raw)
    if kind == 6:
        return "cut off", raw[:rng.randrange(len(raw))]
    if kind == 7:
        return "junk", rng.choice([*JUNK, raw * 2, _packed(rng, {})])
    if kind == 8:
        return "a claim", _claiming(rng)
    return "", raw


def _flip(rng: Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1:]


def _claiming(rng: Random) -> bytes:
    """An archive whose arrays claim what does not follow, 80 GB say."""
    buffer, shape = io.BytesIO(), rng.choice(["(100000, 100000)", "(-1, -1)", "(1 << 40,)", "()", "(0, 16)"])
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x0:x1", "x1:x2", "inputs", "labels"):
            header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00v\x00" + header.encode())
    return buffer.getvalue()


def _packed(rng: Random, arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if rng.random() < 0.3 else np.savez)(buffer, **arrays or {"file_": np.zeros(1)})
    return buffer.getvalue()


def _safe(arrays: dict[str, Any]) -> bytes:
    """The arrays that safetensors can hold."""
    kept = {}
    for name, array in arrays.items():
        try:
            safetensors.numpy.save({name: np.ascontiguousarray(array)})
            kept[name] = np.ascontiguousarray(array)
        except Exception:  # a type that the format lacks
            continue
    return safetensors.numpy.save(kept)


def _array(given: Any) -> np.ndarray:
    """An odd array as NumPy would save it; of what it cannot, and of what is enormous, an object."""
    try:
        array = np.asarray(given)
        return array if array.size < 1 << 20 else np.array({"an": "object"})
    except Exception:
        return np.array({"another": "object"})


def _idx(array: np.ndarray, code: int = 8) -> bytes:
    sizes = b"".join(struct.pack(">I", n) for n in array.shape)
    return struct.pack(">HBB", 0, code, array.ndim) + sizes + array.tobytes()
