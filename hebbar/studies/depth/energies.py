"""The energy of a training sample, in the one technology that the studies of depth are priced in."""

from hebbar.compiler.program import Program
from hebbar.energy.estimate import estimate
from hebbar.energy.technology import load_technology

__all__ = ["TECHNOLOGY", "nanojoules"]

TECHNOLOGY = "cmos45"


def nanojoules(program: Program, counters: dict[str, int], samples: int) -> tuple[float, float, float]:
    """Low, typical and high nJ a sample, of a run of ``samples`` with these counters."""
    spent = estimate(program, counters, samples, load_technology(TECHNOLOGY)).sample
    return spent.low / 1e3, spent.typical / 1e3, spent.high / 1e3
