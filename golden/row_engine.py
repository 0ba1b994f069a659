"""The row engine: every word is read once a sweep, whatever the flags."""

from hebbar.contract.isa import Sweep

from .tile import DigitalTile, Plan, Visits

__all__ = ["RowEngine", "work"]


def work(plan: Plan, flags: Sweep) -> tuple[int, int, int]:
    """Multiply-accumulates of FWD, TRN and UPD on weights in use."""
    rows, used = plan.count, plan.used
    return (int(rows * used.sum()) * bool(flags & Sweep.FWD),
            int(rows * (used & plan.feedback).sum()) * bool(flags & Sweep.TRN),
            int(rows * (used & plan.plastic).sum()) * bool(flags & Sweep.UPD))


class RowEngine(DigitalTile):
    """Twin of ``hw.row_engine``: one read of each weight serves FWD, TRN and UPD."""

    def visits(self, plan: Plan, flags: Sweep) -> Visits:
        fwd, trn, upd = work(plan, flags)
        reads = int(plan.count * plan.used.sum()) * flags.weights
        return Visits(fwd, trn, upd, reads, upd)
