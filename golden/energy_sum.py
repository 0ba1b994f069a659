"""The energy sum: the errors of a run squared, and whether they still fall."""

from hebbar.contract.registers import ENERGY_BITS

from .fixed import Ints

__all__ = ["EnergySum"]


class EnergySum:
    """``sum = min(sum + sum_r e_r**2, 2**ENERGY_BITS - 1)``; EXIT compares it with the one before.

    EXIT takes E, the sum, and starts it anew. Armed it remembers E. Otherwise, when ``previous - E <
    tolerance`` it leaves and remembers nothing, else it remembers E. A run starts with both zero.
    """

    def __init__(self) -> None:
        self.sum = self.previous = 0

    def add(self, error: Ints) -> None:
        """Account for error codes, shape (rows,)."""
        self.sum = min(self.sum + int((error * error).sum()), (1 << ENERGY_BITS) - 1)

    def exit(self, arm: bool, tolerance: int) -> bool:
        """Execute an EXIT; True when it leaves."""
        energy, self.sum = self.sum, 0
        if not arm and self.previous - energy < tolerance:
            return True
        self.previous = energy
        return False
