"""Classes as files write them, in texts, and the numbers that a network answers with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import shown

__all__ = ["class_numbers"]

LISTED = 8
"""Names that a sentence lists."""


def class_numbers(where: str, texts: Sequence[str], known: Sequence[str] = (), classes: int | None = None
                  ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Class numbers (samples,) of what is written, and the names of the classes by number, none where numbers are
    written.

    Where every text is a whole number it is the class. Names are numbered in the order of the alphabet, or as ``known``
    ones are. Raises BadInput, beginning with ``where``, for a name that is not known and for more names than
    ``classes``.
    """
    written = sorted(set(texts))
    if not known and all(text.isascii() and text.isdigit() for text in written):
        return np.array([float(text) for text in texts]), ()
    names = tuple(known) or tuple(written)
    if unknown := [text for text in written if text not in names]:
        raise BadInput(f"{where}: {shown(unknown[0])} is none of the classes {_listed(names)}; correct it, or leave "
                       "the labels out.")
    if classes is not None and len(names) > classes:
        raise BadInput(f"{where} names {len(names)} classes ({_listed(names)}), and the network tells {classes} apart; "
                       "give it as many outputs as there are classes.")
    number = {name: float(i) for i, name in enumerate(names)}
    return np.array([number[text] for text in texts]), names


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:LISTED]) + ", .." * (len(names) > LISTED)
