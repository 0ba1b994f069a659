"""Work counters: one number per name of ``hebbar.contract.counters.WORK`` plus sweeps by flag set."""

from hebbar.contract.counters import WORK
from hebbar.contract.isa import Sweep

from .neuron import Saturations
from .tile import Visits

__all__ = ["Counters"]


class Counters:
    """Accumulates the work of every sweep; ``read`` gives the totals by name."""

    def __init__(self, saturations: Saturations) -> None:
        self._saturations = saturations
        self._work = dict.fromkeys(WORK, 0)

    def sweep(self, visits: Visits, rows: int, flags: Sweep) -> None:
        """Account for one sweep over ``rows`` rows in use."""
        add = {"mac_fwd": visits.fwd, "mac_trn": visits.trn, "mac_upd": visits.upd,
               "weight_reads": visits.reads, "weight_writes": visits.writes,
               "steps": rows * bool(flags & (Sweep.STEP | Sweep.DELTA)),
               "activations": rows * bool(flags & Sweep.ACT)}
        for name, amount in add.items():
            self._work[name] += amount

    def separate(self, rows: int) -> None:
        """Account for one SEPARATE of ``rows`` rows."""
        self._work["separations"] += rows

    def exit(self) -> None:
        """Account for one EXIT that left a loop."""
        self._work["exits"] += 1

    def read(self) -> dict[str, int]:
        """All work counters, saturations included."""
        s = self._saturations
        return self._work | {"sat_error": s.error.count, "sat_state": s.state.count,
                             "sat_feedback": s.feedback.count, "sat_weight": s.weight.count}
