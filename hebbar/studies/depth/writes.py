"""The RTL of a deep network against the golden machine: every write in its order, on Amaranth's simulator."""

from pathlib import Path

from golden.trace import Job
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from sim.backends import pysim
from sim.writes import compare_writes

from .deep_net import deep
from .rtl import first

__all__ = ["measure"]

LAYERS = 32
SAMPLES = 1


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """``folder`` is unused; with ``quick`` nothing is measured, a sample takes minutes."""
    if quick:
        return []
    program, given, image = first(deep(images, layers=LAYERS), SAMPLES)
    reporter.say(f"{LAYERS} layers on Amaranth's simulator, every write compared, {SAMPLES} sample ...")
    job = Job(program, "train", image, given)
    with reporter.busy():
        writes = pysim.run(job).writes
    assert writes is not None, "every step is recorded"
    result = compare_writes(job, writes)
    wrong = result.total_mismatches
    told = sum(count for name, count in result.words.items() if name.startswith("writes"))
    return [Figure(f"RTL = golden, depth {LAYERS}, {SAMPLES} sample: writes that differ (Amaranth's simulator; states, "
                   f"errors, activities, integrals, bases and weights in the order of their writes: {told:,} writes, "
                   f"{result.total_words:,} words)", wrong, "0", "writes", wrong == 0)]
