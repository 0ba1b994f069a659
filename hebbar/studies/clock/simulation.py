"""Cycles a second of the Verilated machines, in turn with those of e9c8550, by processor time."""

import statistics
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .earlier import AGAINST, asked, lacking, trees

__all__ = ["measure"]

LEAST = 0.9
ROUNDS, SAMPLES = 5, {"digits": 200, "mnist": 10}
BARE = """\
import time
import numpy as np
from pathlib import Path
time.perf_counter = time.process_time  # what else the computer does must not count
try:
    from hebbar.studies.throughput import Job, bare, fast, initial_image
except ModuleNotFoundError:
    from sim.bench.pace import Job, _bare as bare, fast, initial_image
rng, count = np.random.default_rng(0), int(sys.argv[3])
given = {t.key: rng.integers(0, 64, (count, t.population.size)) for t in program.inputs["train"]}
library = fast.prepare(program, Path(sys.argv[4]))
print(json.dumps(bare(Job(program, "train", initial_image(program), given), library)))
"""
"""The bare C++ loop over the training of random samples."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """A row for each preset; ``quick``: digits, one round of few samples."""
    presets, rounds = (["digits"], 1) if quick else (list(SAMPLES), ROUNDS)
    if why := lacking(AGAINST):
        return [Figure(_title(preset), f"not measured: {why}", f">= {LEAST}", "", None) for preset in presets]
    figures = []
    with trees() as places, reporter.task("Verilated machines in turn", len(presets) * rounds) as task:
        for number, preset in enumerate(presets):
            pace: dict[str, list[float]] = {name: [] for name in places}
            for turn in range(rounds):
                for name, tree in places.items():
                    task.advance(number * rounds + turn, f"{preset}, {name}")
                    count = str(SAMPLES[preset] // (10 if quick else 1))
                    pace[name].append(asked(tree, BARE, preset, count, str(folder.absolute() / name)))
            figures.append(_figure(preset, pace))
        task.advance(len(presets) * rounds)
    return figures


def _title(preset: str) -> str:
    return f"cycles a second of {preset} on Verilator against {AGAINST}, processor time"


def _figure(preset: str, pace: dict[str, list[float]]) -> Figure:
    now, before = (statistics.median(pace[name]) for name in ("now", AGAINST))
    return Figure(f"{_title(preset)} ({now:,.0f}; {before:,.0f}; median of {len(pace['now'])})", now / before,
                  f">= {LEAST}", "x", now / before >= LEAST)
