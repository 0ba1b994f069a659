"""The golden machine compiled with Numba, for long runs; ``golden.machine`` remains the definition."""

from .machine import CompiledMachine, Fences, prepare
from .support import unsupported

__all__ = ["CompiledMachine", "Fences", "prepare", "unsupported"]
