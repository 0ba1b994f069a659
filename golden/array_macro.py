"""The array macro: all rows fire at once, one array read for FWD and one for TRN."""

from hebbar.isa import Sweep

from .row_engine import work
from .tile import Plan, Tile, Visits

__all__ = ["ArrayMacro"]


class ArrayMacro(Tile):
    """Twin of ``hw.array_macro``: same numbers as the row engine; UPD happens in place."""

    identities = False

    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        fwd, trn, upd = work(plan, flags)
        fires = bool(flags & Sweep.FWD) + bool(flags & Sweep.TRN)
        return Visits(fwd, trn, upd, int(plan.count * plan.used.sum()) * fires, upd)
