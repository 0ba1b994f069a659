"""Where an analog macro is narrower than the formats around it: counted, and said in sentences that name the key.

Hardware cannot tell: a converter that is at its end gives its end, a cell that is full stays full. The model can.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.machine import MachineConfig

from ..fixed import Ints

__all__ = ["KINDS", "Limits", "beyond_cells", "said"]

KINDS = ("row_sum", "column_sum", "pulses")
"""Sums of FWD and of TRN outside the range of their converters, errors that ask for more pulses than there are."""


class Limits:
    """Values at a limit, and all that could have been, by KINDS."""

    def __init__(self) -> None:
        self.at, self.of = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)

    def count(self, kind: str, outside: NDArray[np.bool_]) -> None:
        """Count the values that are ``outside``."""
        self.at[kind] += int(np.count_nonzero(outside))
        self.of[kind] += outside.size

    def shares(self) -> dict[str, float]:
        """The share of all values that met a limit, by KINDS."""
        return {kind: self.at[kind] / max(1, self.of[kind]) for kind in KINDS}


def beyond_cells(machine: MachineConfig, codes: Ints) -> int:
    """How many weights no cell can hold: they are programmed at the end of its range."""
    least, most = machine.weight_bounds
    return int(np.count_nonzero((codes < least) | (codes > most)))


def said(machine: MachineConfig, shares: Mapping[str, float], least: float) -> Iterable[str]:
    """Sentences about the shares that are at least ``least``."""
    c = machine.analog.control
    keys = {
        "row_sum": ("sums of FWD were outside the range of their converters and taken for its end; raise "
                    f"machine.analog.control.row_step ({c.row_step}) or row_bits ({c.row_bits})."),
        "column_sum": ("sums of TRN were outside the range of their converters and taken for its end; raise "
                       f"machine.analog.control.column_step ({c.column_step}) or column_bits ({c.column_bits})."),
        "pulses": (f"errors asked for more than all pulses ({c.pulses}) and changed weights by less than they should; "
                   f"raise machine.analog.control.pulse_exponent ({c.pulse_exponent}) or the alpha_shift of the "
                   "edges.")}
    for kind, share in shares.items():
        if share >= least:
            yield f"{100 * share:.2g} % of the {keys[kind]}"
