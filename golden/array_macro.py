"""The array macro: all rows fire at once, one array read for FWD and one for TRN."""

from hebbar.contract.isa import Sweep

from .row_engine import work
from .tile import DigitalTile, Plan, Visits

__all__ = ["ArrayMacro", "array_visits"]


def array_visits(plan: Plan, flags: Sweep) -> Visits:
    """The work of a sweep on an array: it is read once for FWD and once for TRN."""
    fwd, trn, upd = work(plan, flags)
    fires = bool(flags & Sweep.FWD) + bool(flags & Sweep.TRN)
    return Visits(fwd, trn, upd, int(plan.count * plan.used.sum()) * fires, upd)


class ArrayMacro(DigitalTile):
    """Twin of ``hw.array_macro``: same numbers as the row engine; UPD happens in place."""

    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        return array_visits(plan, flags)
