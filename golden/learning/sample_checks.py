"""Input codes and labels that fit a network, or a sentence about the first that does not."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.network import Network, Role
from hebbar.contract.errors import BadInput

from ..given import first_bad, numbers

__all__ = ["check_labels", "check_samples"]


def check_samples(inputs: ArrayLike, labels: ArrayLike | None, network: Network, lo: int = -128,
                  hi: int = 127) -> None:
    """Raise BadInput unless ``inputs`` (samples, input size) are whole codes in lo..hi and
    ``labels`` (samples,) are class numbers of the network's one target; None: no labels."""
    given = numbers("inputs", inputs)
    size = _one_size(network, Role.INPUT)
    if given.ndim != 2 or given.shape[1] != size:
        raise BadInput(f"inputs has shape {given.shape}; give one row per sample and {size} columns.")
    if given.dtype.kind == "f":
        first_bad("inputs", given, ~np.isfinite(given), "is not a number; replace or drop the sample.")
        first_bad("inputs", given, given != np.floor(given),
                  "is not whole; multiply by 2**activity_frac and round to get codes.")
    first_bad("inputs", given, (given < lo) | (given > hi), f"is outside {lo}..{hi}; scale or clip the data.")
    if labels is None:
        return
    classes, classed = _one_size(network, Role.TARGET), numbers("labels", labels)
    if classed.shape != given.shape[:1]:
        raise BadInput(f"labels has shape {classed.shape} for {len(given)} samples; "
                       "give one label for each.")
    check_labels("labels", classed, classes)


def check_labels(name: str, labels: NDArray[Any], classes: int) -> None:
    """Raise BadInput unless every label is a whole number in 0..classes - 1."""
    wrong = ~((labels >= 0) & (labels < classes) & (labels == np.floor(labels)))
    low, high = (labels.min(), labels.max()) if len(labels) and np.isfinite(labels).all() else (0, 0)
    counted = " They go from 1: subtract 1." if (low, high) == (1, classes) else ""
    first_bad(name, labels, wrong, f"is no class; give whole numbers 0..{classes - 1}.{counted}")


def _one_size(network: Network, role: Role) -> int:
    found = network.with_role(role)
    if len(found) != 1:
        raise BadInput(f"network.populations has {len(found)} of role {role.value!r}; "
                       "labelled samples need exactly one.")
    return found[0].size
