"""Data sets as input codes: what the machine is given, and the same values for the reference.

``digits`` are the 8 x 8 pixels 0..16 of scikit-learn. A code is ``pixel / 16`` with
``activity_frac`` fraction bits, rounded half up and clipped to the largest activity: with Q0.7
``min(8 * pixel, 127)``. ``pool = 2`` averages 2 x 2 pixels first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.config import DataConfig
from hebbar.contract.errors import BadInput

from ..given import first_bad, numbers
from .idx import FILES, read_folder
from .sample_checks import check_labels
from .sample_files import labelled_samples

__all__ = ["MOST_CLASSES", "Samples", "Dataset", "load", "from_arrays", "input_codes", "epoch_order"]

TEST_SIZE = 360
CLASSES = 10
MOST_CLASSES = 4095
"""The largest population."""
BLOCK = 1 << 22
"""Numbers that are converted at a time: a conversion takes five times the memory of its result."""


@dataclass(frozen=True)
class Samples:
    """``codes`` (samples, inputs) int64, ``labels`` (samples,) int64 in 0..classes - 1.

    One unit of an input is ``2**activity_frac`` codes. The arrays are read-only.
    """

    codes: NDArray[np.int64]
    labels: NDArray[np.int64]
    activity_frac: int
    classes: int = CLASSES

    def __post_init__(self) -> None:
        self.codes.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs_float(self) -> NDArray[np.float64]:
        """codes / 2**activity_frac, (samples, inputs)."""
        return self.codes / 2.0**self.activity_frac

    @property
    def targets(self) -> NDArray[np.float64]:
        """One-hot labels, 1 and 0, (samples, classes)."""
        return np.eye(self.classes)[self.labels]

    def take(self, rows: ArrayLike) -> "Samples":
        """The samples with these numbers, in this order."""
        rows = np.asarray(rows)
        return replace(self, codes=self.codes[rows], labels=self.labels[rows])


@dataclass(frozen=True)
class Dataset:
    """A training and a test set. ``split`` says how they were divided; ``remarks`` what was lost in reading them;
    ``names`` of the classes by number, none where the data have numbers."""

    train: Samples
    test: Samples
    split: str
    seed: int
    remarks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def validation(self, fraction: float) -> "Dataset":
        """The training set alone, divided again: ``test`` is now a validation part.

        Choose hyper-parameters here and report the real test set once. The part is taken as the
        test set was: equal class shares for ``stratified``, the last samples for ``last360``.
        """
        count = round(fraction * len(self.train))
        if not 0 < count < len(self.train):
            raise BadInput(f"fraction is {fraction}; it must leave samples on both sides, "
                           "give for example 0.2.")
        first, second = _divide(self.train.labels, count, self.split, self.seed)
        return replace(self, train=self.train.take(first), test=self.train.take(second))


def load(config: DataConfig, activity_frac: int = 7, activity_bits: int = 8,
         classes: int | None = None) -> Dataset:
    """The configured data set; of the digits 1437 samples to train on and 360 to test on.

    ``classes``: length of the one-hot targets; None: ten for the digits, else as many as there are.
    Raises BadInput when the input format cannot hold values of nearly 1, or the file is unusable.
    """
    if config.name in ("npz", "csv", "images"):
        return _from_file(config, activity_frac, activity_bits, classes)
    _check_format(activity_frac, activity_bits)
    if config.name == "idx":
        return _from_idx(config, activity_frac, activity_bits, classes)
    from sklearn.datasets import load_digits  # heavy, and only needed here

    pixels, labels = load_digits(return_X_y=True)
    codes = _codes(pixels, config.pool, activity_frac, activity_bits)
    return _split(Samples(codes, labels.astype(np.int64), activity_frac, classes or CLASSES),
                  TEST_SIZE, config)


def from_arrays(inputs: ArrayLike, labels: ArrayLike, config: DataConfig, activity_frac: int = 7,
                activity_bits: int = 8, classes: int | None = None, where: str = "") -> Dataset:
    """Data of one's own: real ``inputs`` (samples, size) and class numbers ``labels`` (samples,).

    A fifth is held out as ``config`` says, codes and ``classes`` are as in ``load``; ``where`` begins
    the sentence of an error. Raises BadInput for anything but finite numbers in the input format and
    classes from 0.
    """
    given, classed = numbers(f"{where}inputs", inputs), numbers(f"{where}labels", labels)
    if given.ndim != 2 or classed.shape != given.shape[:1] or len(classed) < 2:
        raise BadInput(f"{where}inputs has shape {given.shape} and labels "
                       f"{classed.shape}; give (samples, size) and (samples,), two samples or more.")
    codes = input_codes(given, activity_frac, activity_bits, where)
    most = classes or MOST_CLASSES
    check_labels(f"{where}labels", classed, most)
    count = classes or int(classed.max()) + 1
    data = _split(Samples(codes, classed.astype(np.int64), activity_frac, count), max(1, len(classed) // 5), config)
    return replace(data, remarks=tuple(_lost(given, codes, activity_frac)))


def _lost(given: NDArray[Any], codes: NDArray[np.int64], activity_frac: int) -> Iterator[str]:
    """Say so when rounding to codes moves inputs by half their standard deviation or more."""
    some = slice(max(1, BLOCK // max(1, given.shape[1])))
    reals, rounded = given[some].astype(np.float64), codes[some] / 2.0**activity_frac
    spread, moved = reals.std(), np.sqrt(np.mean((reals - rounded)**2))
    if np.finfo(np.float32).eps * np.abs(reals).max(initial=0) < spread <= 2 * moved:
        yield (f"the inputs vary by {spread:.2g} and a code is {2.0**-activity_frac:g}, so that little of them is "
               "left; scale them to about 1, or raise the input's fraction bits.")


def input_codes(inputs: ArrayLike, activity_frac: int, activity_bits: int, where: str = "") -> NDArray[np.int64]:
    """Real inputs (samples, size) as activity codes: rounded half up, the upper end clipped by one
    code at most. Raises BadInput for a number outside the format, with ``where`` in front."""
    _check_format(activity_frac, activity_bits)
    name = f"{where}inputs"
    given = numbers(name, inputs)
    if given.ndim != 2:
        raise BadInput(f"{name} has shape {given.shape}; give one row per sample, (samples, size).")
    limit, top = 2.0 ** (activity_bits - 1 - activity_frac), 2 ** (activity_bits - 1) - 1
    codes = np.empty(given.shape, np.int64)
    rows = max(1, BLOCK // max(1, given.shape[1]))
    for first in range(0, len(given), rows):
        with np.errstate(over="ignore"):  # of numbers wider than float64: infinity is refused
            some = given[first:first + rows].astype(np.float64)
        first_bad(name, some, ~np.isfinite(some), "is not a number; replace or drop the sample.", first)
        first_bad(name, some, np.abs(some) > limit,
                  f"is outside -{limit:g}..{limit:g}; scale the data or lower the input's fraction bits.", first)
        codes[first:first + rows] = np.minimum(np.floor(some * 2**activity_frac + 0.5), top)
    return codes


def _from_file(config: DataConfig, activity_frac: int, activity_bits: int, classes: int | None) -> Dataset:
    """Samples of a file or folder of one's own; a fifth is held out."""
    found = labelled_samples(config, classes)
    assert found.labels is not None
    data = from_arrays(found.inputs, found.labels, config, activity_frac, activity_bits, classes,
                       f"data.path {config.path!r}: ")
    return replace(data, remarks=(*found.remarks, *data.remarks), names=found.names)


def _from_idx(config: DataConfig, activity_frac: int, activity_bits: int, classes: int | None) -> Dataset:
    """Grey images of 256 levels, divided as their files are."""
    top, parts = 2 ** (activity_bits - 1) - 1, []
    for part in FILES:
        images, labels = read_folder(config.path, part)
        codes = images.astype(np.int64)
        codes <<= activity_frac
        codes += 128
        codes >>= 8
        np.minimum(codes, top, out=codes)
        parts.append(Samples(codes, labels, activity_frac, classes or CLASSES))
    return Dataset(parts[0], parts[1], "files", config.seed)


def _check_format(activity_frac: int, activity_bits: int) -> None:
    if not 0 <= activity_frac < activity_bits:
        raise BadInput(f"network.input_frac is {activity_frac} with activities of {activity_bits} "
                       f"bits; inputs reach 1, so give 0 to {activity_bits - 1}.")


def _split(samples: Samples, held: int, config: DataConfig) -> Dataset:
    """``held`` samples become the test set, divided as configured."""
    first, second = _divide(samples.labels, held, config.split, config.seed)
    return Dataset(samples.take(first), samples.take(second), config.split, config.seed)


def _codes(pixels: NDArray[np.float64], pool: int, activity_frac: int, activity_bits: int) -> NDArray[np.int64]:
    side = 8 // pool
    blocks = pixels.astype(np.int64).reshape(-1, side, pool, side, pool)
    total = blocks.sum(axis=(2, 4)).reshape(len(pixels), -1)
    unit = 16 * pool * pool
    rounded = (2 * (total << activity_frac) + unit) // (2 * unit)
    return np.minimum(rounded, 2 ** (activity_bits - 1) - 1)


def _divide(labels: NDArray[Any], count: int, split: str, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample numbers of the two parts, ``count`` in the second."""
    rows = np.arange(len(labels))
    if split == "last360":
        return rows[:-count], rows[-count:]
    from sklearn.model_selection import train_test_split  # heavy, and only needed here

    try:
        first, second = train_test_split(rows, test_size=count, stratify=labels, random_state=seed)
    except ValueError as error:
        raise BadInput(f"data.split 'stratified' is not possible ({error}); use 'last360' or give "
                       "every class more samples.") from None
    return first, second


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of ``count`` samples in ``epoch``; any epoch can be repeated by itself."""
    return np.random.default_rng([seed, epoch]).permutation(count)
