"""The energy sum, compiled. ``golden.energy_sum`` defines it."""

import numpy as np

from hebbar.contract.memories import Mem
from hebbar.contract.registers import ENERGY_BITS

from .jit import part

__all__ = ["add_energy", "leaves"]

MOST = (1 << ENERGY_BITS) - 1
ERROR = int(Mem.ERROR)


@part
def add_energy(memory, row, rows):
    """Account for the errors of a sweep."""
    error, first, squares = memory.values[ERROR], np.uint64(row), 0
    for r in range(np.uint64(rows)):
        squares += np.int64(error[first + r]) * np.int64(error[first + r])
    memory.energy[0] = min(memory.energy[0] + squares, MOST)


@part
def leaves(memory, arm, tolerance):
    """Execute an EXIT; True when it leaves."""
    energy = memory.energy[0]
    memory.energy[0] = 0
    if not arm and memory.energy[1] - energy < tolerance:
        return True
    memory.energy[1] = energy
    return False
