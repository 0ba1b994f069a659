"""Data sets as input codes: what the machine is given, and the same values for the reference.

``digits`` are the 8 x 8 pixels 0..16 of scikit-learn. A code is ``pixel / 16`` with
``activity_frac`` fraction bits, rounded half up and clipped to the largest activity: with Q0.7
``min(8 * pixel, 127)``. ``pool = 2`` averages 2 x 2 pixels first.
"""

from dataclasses import dataclass, replace
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.config import DataConfig
from hebbar.errors import BadInput
from hebbar.network import Network, Role

from .idx import FILES, read_folder

__all__ = ["Samples", "Dataset", "load", "from_arrays", "input_codes", "check_samples", "epoch_order"]

TEST_SIZE = 360
CLASSES = 10


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
    """A training and a test set. ``split`` says how they were divided."""

    train: Samples
    test: Samples
    split: str
    seed: int

    def validation(self, fraction: float) -> "Dataset":
        """The training set alone, divided again: ``test`` is now a validation part.

        Choose hyper-parameters here and report the real test set once. The part is taken as the
        test set was: equal class shares for ``stratified``, the last samples for ``last360``.
        """
        count = int(round(fraction * len(self.train)))
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
    if config.name == "npz":
        return from_arrays(*_read(config.path), config, activity_frac, activity_bits, classes,
                           f"data.path {config.path!r}: ")
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
    given, numbers = _numbers("inputs", inputs), _numbers("labels", labels)
    if given.ndim != 2 or numbers.shape != given.shape[:1] or len(numbers) < 2:
        raise BadInput(f"{where}inputs has shape {given.shape} and labels "
                       f"{numbers.shape}; give (samples, size) and (samples,), two samples or more.")
    codes = input_codes(given, activity_frac, activity_bits)
    _first_bad("labels", numbers, ~((numbers >= 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers)),
               "is no class; give whole numbers from 0.")
    count = classes or int(numbers.max()) + 1
    return _split(Samples(codes, numbers.astype(np.int64), activity_frac, count),
                  max(1, len(numbers) // 5), config)


def input_codes(inputs: ArrayLike, activity_frac: int, activity_bits: int) -> NDArray[np.int64]:
    """Real inputs (samples, size) as activity codes: rounded half up, the upper end clipped by one
    code at most. Raises BadInput for a number outside the format."""
    _check_format(activity_frac, activity_bits)
    given = _numbers("inputs", inputs)
    if given.ndim != 2:
        raise BadInput(f"inputs has shape {given.shape}; give one row per sample, (samples, size).")
    _first_bad("inputs", given, ~np.isfinite(given), "is not a number; replace or drop the sample.")
    limit = 2.0 ** (activity_bits - 1 - activity_frac)
    _first_bad("inputs", given, np.abs(given) > limit,
               f"is outside -{limit:g}..{limit:g}; scale the data or lower the input's fraction bits.")
    top = 2 ** (activity_bits - 1) - 1
    return np.minimum(np.floor(given * 2**activity_frac + 0.5), top).astype(np.int64)


def _from_idx(config: DataConfig, activity_frac: int, activity_bits: int, classes: int | None) -> Dataset:
    """Grey images of 256 levels, divided as their files are."""
    top, parts = 2 ** (activity_bits - 1) - 1, []
    for part in FILES:
        images, labels = read_folder(config.path, part)
        codes = np.minimum(((images.astype(np.int64) << activity_frac) + 128) >> 8, top)
        parts.append(Samples(codes, labels, activity_frac, classes or CLASSES))
    return Dataset(parts[0], parts[1], "files", config.seed)


def _check_format(activity_frac: int, activity_bits: int) -> None:
    if not 0 <= activity_frac < activity_bits:
        raise BadInput(f"network.input_frac is {activity_frac} with activities of {activity_bits} "
                       f"bits; inputs reach 1, so give 0 to {activity_bits - 1}.")


def _split(samples: Samples, held: int, config: DataConfig) -> Dataset:
    """``held`` samples become the test set, divided as configured."""
    try:
        first, second = _divide(samples.labels, held, config.split, config.seed)
    except ValueError as error:
        raise BadInput(f"data.split 'stratified' is not possible ({error}); use 'last360' or give "
                       "every class more samples.") from None
    return Dataset(samples.take(first), samples.take(second), config.split, config.seed)


def _read(path: str) -> tuple[NDArray, NDArray]:
    """Inputs and labels of a user's file as they are."""
    try:
        with np.load(path) as data:
            return np.asarray(data["inputs"], np.float64), np.asarray(data["labels"])
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise BadInput(f"data.path {path!r} is no .npz with numbers in inputs and labels "
                       f"({error}).") from None


def _codes(pixels: NDArray, pool: int, activity_frac: int, activity_bits: int) -> NDArray[np.int64]:
    side = 8 // pool
    blocks = pixels.astype(np.int64).reshape(-1, side, pool, side, pool)
    total = blocks.sum(axis=(2, 4)).reshape(len(pixels), -1)
    unit = 16 * pool * pool
    rounded = (2 * (total << activity_frac) + unit) // (2 * unit)
    return np.minimum(rounded, 2 ** (activity_bits - 1) - 1)


def _divide(labels: NDArray, count: int, split: str, seed: int) -> tuple[NDArray, NDArray]:
    """Sample numbers of the two parts, ``count`` in the second."""
    rows = np.arange(len(labels))
    if split == "last360":
        return rows[:-count], rows[-count:]
    from sklearn.model_selection import train_test_split  # heavy, and only needed here

    first, second = train_test_split(rows, test_size=count, stratify=labels, random_state=seed)
    return first, second


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of ``count`` samples in ``epoch``; any epoch can be repeated by itself."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def check_samples(inputs: ArrayLike, labels: ArrayLike | None, network: Network, lo: int = -128,
                  hi: int = 127) -> None:
    """Raise BadInput unless ``inputs`` (samples, input size) are whole codes in lo..hi and
    ``labels`` (samples,) are class numbers of the network's one target; None: no labels."""
    given = _numbers("inputs", inputs)
    size = _one_size(network, Role.INPUT)
    if given.ndim != 2 or given.shape[1] != size:
        raise BadInput(f"inputs has shape {given.shape}; give one row per sample and {size} columns.")
    _first_bad("inputs", given, ~np.isfinite(given), "is not a number; replace or drop the sample.")
    _first_bad("inputs", given, given != np.floor(given),
               "is not whole; multiply by 2**activity_frac and round to get codes.")
    _first_bad("inputs", given, (given < lo) | (given > hi),
               f"is outside {lo}..{hi}; scale or clip the data.")
    if labels is None:
        return
    classes, numbers = _one_size(network, Role.TARGET), _numbers("labels", labels)
    if numbers.shape != given.shape[:1]:
        raise BadInput(f"labels has shape {numbers.shape} for {len(given)} samples; "
                       "give one label for each.")
    wrong = ~np.isin(numbers, np.arange(classes))
    _first_bad("labels", numbers, wrong, f"is no class; give whole numbers 0..{classes - 1}.")


def _numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} is no array of numbers ({error}); give rows of equal length.") from None


def _one_size(network: Network, role: Role) -> int:
    found = network.with_role(role)
    if len(found) != 1:
        raise BadInput(f"network.populations has {len(found)} of role {role.value!r}; "
                       "labelled samples need exactly one.")
    return found[0].size


def _first_bad(name: str, values: NDArray, bad: NDArray[np.bool_], complaint: str) -> None:
    places = np.argwhere(bad)
    if len(places):
        where = [int(i) for i in places[0]]
        value = float(values[tuple(where)])
        column = f", input {where[1]}" if len(where) > 1 else ""
        raise BadInput(f"{name}: sample {where[0]}{column} is {value:g}, which {complaint}")
