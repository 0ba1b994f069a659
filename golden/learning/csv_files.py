"""Samples in a text file: a line each, its numbers and its class between commas, semicolons or tabs.

A first line in which no cell is a number names the columns. The class is in the column ``label``, ``class`` or
``target`` of those names, else in the last one.
"""

import csv
from array import array
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import shown

from ..archive import Damaged, check_file
from ..given import MOST

__all__ = ["CSV_SUFFIXES", "read_csv"]

CSV_SUFFIXES = (".csv", ".tsv", ".txt")
LABEL_NAMES = ("label", "class", "target")
DELIMITERS = ",;\t"
Texts = list[str]


def read_csv(path: Path, size: int | None = None) -> tuple[NDArray[np.float64], Texts | None, Texts]:
    """Inputs (samples, size), the texts of the labels (samples,) and what each sample is called, "line 2" say.

    ``size``: inputs of a sample where labels may be missing, in which case they are None; without it there must be
    some. Raises BadInput for a file that cannot be read, lines of different lengths and cells that are no numbers.
    """
    try:
        check_file(path)
        with open(path, encoding="utf-8-sig", newline="") as file:
            return _samples(str(path), _lines(file), size)
    except (OSError, UnicodeDecodeError, csv.Error, Damaged) as error:
        raise BadInput(f"{path} is not a readable CSV file ({error}); write one in UTF-8 with a line for each "
                       "sample.") from None


def _lines(file: TextIO) -> Iterator[tuple[int, Texts]]:
    """Every line that is not empty, with its number, as cells without blanks around them."""
    first = next((line for line in file if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    file.seek(0)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _samples(where: str, lines: Iterator[tuple[int, Texts]], size: int | None
             ) -> tuple[NDArray[np.float64], Texts | None, Texts]:
    start, first = next(lines, (0, []))
    if not first:
        raise BadInput(f"{where} holds no samples; give a line for each, numbers first and its class last.")
    headed = not any(map(_is_number, first))
    width, at = len(first), _label_column(where, first if headed else [], len(first), size)
    numbers, labels, called = array("d"), Texts(), Texts()
    for number, cells in lines if headed else chain([(start, first)], lines):
        if len(cells) != width:
            raise BadInput(f"{where}: line {number} has {len(cells)} cells and the first line {width}; give every "
                           "sample as many.")
        if len(numbers) + width > MOST:
            raise BadInput(f"{where} holds more than {MOST:,} numbers; give fewer samples at a time.")
        if at is not None:
            labels.append(_label(where, number, cells.pop(at)))
        try:
            numbers.extend(map(_float, cells))
        except ValueError:
            wrong = next(i for i, cell in enumerate(cells) if not _is_number(cell))
            column = wrong + 1 + (at is not None and wrong >= at)
            raise BadInput(f"{where}: line {number}, column {column} is {shown(cells[wrong])}, which is no number; "
                           "give one, or drop the sample.") from None
        called.append(f"line {number}")
    if not called:
        raise BadInput(f"{where} holds names of columns and no samples; give a line for each.")
    return np.array(numbers).reshape(len(called), -1), labels if at is not None else None, called


def _label_column(where: str, names: Texts, width: int, size: int | None) -> int | None:
    """The column of the labels, None for a file without them."""
    found = [i for i, name in enumerate(names) if name.lower() in LABEL_NAMES]
    if len(found) > 1:
        raise BadInput(f"{where} has the columns {names[found[0]]!r} and {names[found[1]]!r}, of which only one can "
                       "hold the classes; rename or drop the other.")
    if size is not None and width not in (size, size + 1):
        raise BadInput(f"{where} has {width} columns; give {size} numbers for each sample, and its class last where it "
                       "is known.")
    if size == width and found:
        raise BadInput(f"{where} has {size} columns with {names[found[0]]!r} among them, and the network takes {size} "
                       "numbers; give a number more, or rename the column.")
    return None if size == width else found[0] if found else width - 1


def _label(where: str, line: int, text: str) -> str:
    if not text:
        raise BadInput(f"{where}: line {line} has no class; give one, or drop the sample.")
    return text


def _float(text: str) -> float:
    """The number in a cell; Python's own 1_000 is none. Raises ValueError."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _is_number(text: str) -> bool:
    try:
        _float(text)
    except ValueError:
        return False
    return True
