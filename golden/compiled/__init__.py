"""The golden machine compiled with Numba, for long runs; ``golden.machine`` remains the definition."""

from hebbar.contract.collector import uncollected

with uncollected():  # heavy: Numba
    from .machine import Barriers, CompiledMachine, prepare
    from .support import unsupported

__all__ = ["CompiledMachine", "Barriers", "prepare", "unsupported"]
