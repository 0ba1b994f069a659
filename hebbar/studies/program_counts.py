"""Counters of one training sample from the program alone, as the machine counts them in the steady state."""

from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program
from hebbar.contract.counters import CYCLES
from hebbar.energy.accesses import accesses

__all__ = ["counted"]


def counted(program: Program) -> dict[str, int]:
    """Counters of one training sample in the steady state, from the program alone; for programs without EXIT."""
    events, model = accesses(program, "train", 1), Cycles(program)
    two, three = (model.run("train", samples) for samples in (2, 3))
    work = {name: events[name] for name in ("mac_fwd", "mac_trn", "mac_upd", "steps", "activations", "separations",
                                            "exits")}
    return work | {cause: three[cause] - two[cause] for cause in CYCLES} | {"weight_reads": max(1, events["mac_fwd"])}
