"""``hebbar bench chain``: how busy the lanes are, and what overlapping sweeps without draining would make of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.workload import minimum
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.results import Figure
from sim.backends import pysim
from sim.experiment import replay_job
from sim.writes import compare_writes

__all__ = ["SEEDS", "measure", "utilisation"]

SEEDS = {False: 0, True: 0}
"""Nothing is drawn: cycles do not depend on values."""
WIDE = {"machine": {"lanes": 32, "row_tiles": 32, "weight_words": 512}}
DEEP: dict[str, Any] = {
    "network": {"layers": [784, *[32] * 31, 10]},
    "rule": {"alpha_shifts": [6] * 32, "init_scales": [0.5] * 32},
    "machine": {"lanes": 8, "row_tiles": 4, "weight_words": 2048, "neuron_words": 256, "max_columns": 100,
                "map_entries": 1024, "blocks": 256, "program_words": 2048}}
ROWS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("mnist on 4 x 32 lanes, IL T 8", "mnist", {"rule": {"name": "il", "steps": 8}}, ">= 86"),
    ("mnist on 4 x 32 lanes, iPC T 12", "mnist", {"rule": {"name": "ipc", "steps": 12}}, "beside it"),
    ("mnist on 4 x 32 lanes, Z-IL", "mnist", {"rule": {"name": "zil"}}, "beside it"),
    ("mnist on 4 x 32 lanes, backprop", "mnist", {"rule": {"name": "backprop"}}, "beside it"),
    ("digits on 2 x 8 lanes, IL T 8", "digits", {"rule": {"name": "il", "steps": 8}}, ">= 65"),
    ("784 - 32 x 31 - 10 on 4 x 8 lanes, no skips, IL T 8", "mnist", DEEP | {
        "rule": DEEP["rule"] | {"name": "il", "steps": 8}}, ">= 90"),
    ("mnist's network on 32 x 32 lanes, IL T 8", "mnist", WIDE | {"rule": {"name": "il", "steps": 8}}, ">= 70"))
"""Preset, changes and the target of the lanes' utilisation; W, the neurons of a pass, is P in all of them."""
OPEN = (
    ("mnist, W = C: IL T 8 / iPC T 12 / Z-IL and backprop", ">= 94 / >= 98 / >= 97 %"),
    ("digits IL T 8, W = C", ">= 77 %"),
    ("what gaps, wide pass and buffers buy, each alone and together", "table"),
    ("LUT of chaining itself; Fmax against the drained build", "<= 300 on digits; >= .97x"),
    ("samples a second against e9c8550", ">= 4.5x"),
    ("cycle model = RTL counter, chained", "always"),
    ("final bits chained = drained = golden", "0 differences"),
    ("every gap shortened by 1 on the RTL", "caught, or proved slack"),
    ("no dispatch violates a dependence, by k-induction", "proved"),
    ("fast shell with comparison by writes against a bare loop", ">= 80 %"))
"""Figures that need what is not built: a WAIT that does not drain, the neuron pass of its own, the buffers."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``folder`` and ``data`` are unused."""
    found: list[Figure] = []
    for name, preset, changes, target in ROWS:
        reporter.say(f"{name} ...")
        found += _row(name, load(preset).replace(**changes), target)
    reporter.say("digits on Amaranth's simulator, every write compared ...")
    found += _writes(1 if quick else 3)
    return found + [Figure(name, "not measured: not built", target, "", None) for name, target in OPEN]


def _row(name: str, config: Config, target: str) -> Iterator[Figure]:
    program = compile_config(config)
    drained, chained = utilisation(program, chained=False), utilisation(program, chained=True)
    limit = float(target.removeprefix(">= ")) if target.startswith(">=") else None
    yield Figure(f"lanes busy, {name}, W = P, drained, as the machine is", round(drained, 1), target, "%",
                 None if limit is None else drained >= limit)
    yield Figure(f"lanes busy, {name}, W = P, chained, by the model alone", round(chained, 1), "not built", "%",
                 None)


def utilisation(program: Program, chained: bool) -> float:
    """Visits of the rule, every block padded, in percent of all cycles of a training sample in the steady state; with
    the gaps in place of WAITs that drain, or as the machine is."""
    least, model, distances = minimum(program), Cycles(program), gaps(program) if chained else None
    assert least is not None, "these rules say what they visit"
    two, three = (model.run("train", samples, None, gaps=distances) for samples in (2, 3))
    return 100 * least.padded / sum(three[cause] - two[cause] for cause in CYCLES)


def _writes(samples: int) -> Iterator[Figure]:
    program = compile_config(load("digits"))
    job = replay_job(program, data_of(program), initial_image(program), samples)
    trace = pysim.run(replace(job, stall=0.1))  # which raises where a sweep overtakes another
    assert trace.writes is not None, "every step is recorded"
    result = compare_writes(job, trace.writes)
    words = sum(count for name, count in result.words.items() if name.startswith("writes"))
    yield Figure(f"writes that differ, digits, {samples} samples ({words:,} writes, {result.total_words:,} words), no "
                 "sweep overtakes another", result.total_mismatches, "0", "writes", result.total_mismatches == 0)
