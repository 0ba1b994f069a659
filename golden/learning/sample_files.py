"""Samples of one's own in files: ``.npz``, CSV and pictures, with their classes where those are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hebbar.compiler.config import DataConfig
from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import shown

from ..archive import read_npz
from ..given import numbers
from .class_names import class_numbers
from .csv_files import CSV_SUFFIXES, read_csv
from .image_files import image_suffixes, read_images

__all__ = ["FileSamples", "labelled_samples", "samples_to_answer"]


@dataclass(frozen=True)
class FileSamples:
    """``inputs`` (samples, size) in real numbers; ``labels`` (samples,) class numbers, None where none are known;
    ``names`` of the classes by number, none where the file has numbers; ``called``: what each sample is called in its
    file; ``remarks`` about what was left out."""

    inputs: NDArray[Any]
    labels: NDArray[Any] | None
    names: tuple[str, ...]
    called: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def labelled_samples(config: DataConfig, classes: int | None = None) -> FileSamples:
    """The samples of ``config.path``, of the kind ``config.name``, for a network that tells ``classes`` apart.

    Raises BadInput for a file or folder that cannot be read, and for samples without classes.
    """
    where = f"data.path {config.path!r}"
    if not config.path or "\0" in config.path:
        raise BadInput(f"{where} names no file; give the file or folder of the data.")
    found = _read(Path(config.path), config.name, config, None, (), classes)
    if found.labels is None:
        raise BadInput(f"{where} holds pictures without classes; put every one into a folder of the name of its class.")
    return found


def samples_to_answer(path: Path, size: int, config: DataConfig, names: Sequence[str] = (), classes: int | None = None
                      ) -> FileSamples:
    """Samples of ``size`` inputs that a trained network is asked about, with labels where the file has them.

    The suffix says what ``path`` is, a folder is one of pictures; scaling, picture size and color are those of
    ``config``, ``names`` those of the classes that the network has learnt. Raises BadInput for what cannot be read.
    """
    suffix = path.suffix.lower()
    kind = "npz" if suffix == ".npz" else "csv" if suffix in CSV_SUFFIXES else "images"
    if kind == "images" and not path.is_dir() and suffix not in image_suffixes():
        raise BadInput(f"{path} is no file of samples by its name; give .npz, {', '.join(CSV_SUFFIXES)}, a picture or "
                       "a folder of pictures.")
    found = _read(path, kind, config, size, names, classes)
    if found.names and not names:
        raise BadInput(f"{path} names its classes, and the weights say no names of theirs; give numbers from 0 "
                       "instead, or leave the labels out.")
    if found.inputs.ndim != 2 or found.inputs.shape[1] != size:
        raise BadInput(f"{path} holds inputs of shape {found.inputs.shape}, and the network takes {size} numbers a "
                       f"sample; {'set data.image_size' if kind == 'images' else 'make them equal'}.")
    return found


def _read(path: Path, kind: str, config: DataConfig, size: int | None, known: Sequence[str], classes: int | None
          ) -> FileSamples:
    if kind == "npz":
        return _from_npz(path, config, needed=size is None)
    if kind == "csv":
        inputs, texts, called = read_csv(path, size)
        inputs, remarks = inputs / config.unit, list[str]()
    else:
        inputs, texts, called, remarks = read_images(path, config)
    labels, names = (None, tuple(known)) if texts is None else class_numbers(str(path), texts, known, classes)
    return FileSamples(inputs, labels, names, tuple(called), tuple(remarks))


def _from_npz(path: Path, config: DataConfig, needed: bool) -> FileSamples:
    """The arrays ``inputs`` and ``labels`` as they are, where no unit is given."""
    where = f"data.path {str(path)!r}" if needed else str(path)
    data = read_npz(path, ".npz with inputs and labels", "write it with numpy.savez")
    wanted = ("inputs", "labels") if needed else ("inputs",)
    if missing := [name for name in wanted if name not in data]:
        raise BadInput(f"{where} holds no {' and no '.join(missing)}, only {', '.join(map(_name, data)) or 'nothing'}; "
                       "name the arrays inputs, (samples, size), and labels, (samples,).")
    inputs = data["inputs"] if config.unit == 1 else numbers(f"{where}: inputs", data["inputs"]) / config.unit
    count = len(inputs) if inputs.ndim else 0
    return FileSamples(inputs, data.get("labels"), (), tuple(f"sample {i}" for i in range(count)))


def _name(name: str) -> str:
    return shown(name, quotes=False)
