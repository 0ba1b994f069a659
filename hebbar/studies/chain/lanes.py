"""How busy the lanes are, draining between sweeps that depend on one another, chained, or pipelined too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import Config, load
from hebbar.compiler.cycles import TURNS
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.workload import minimum, sample_cycles
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast, golden
from sim.compare import Comparison, compare
from sim.parts import merged

__all__ = ["Row", "any_job", "builds", "measure", "utilisation"]

SCHEDULES = ("drained", "chained", "pipelined")
ROOM = {"neuron_words": 64}
"""What leaves room for the second places of inputs, so that samples take turns."""
WIDE = {"machine": {"lanes": 32, "row_tiles": 32, "weight_words": 512}}
DEEP: dict[str, Any] = {
    "network": {"layers": [784, *[32] * 31, 10]},
    "rule": {"alpha_shifts": [6] * 32, "init_scales": [0.5] * 32},
    "machine": {"lanes": 8, "row_tiles": 4, "weight_words": 2048, "neuron_words": 256, "max_columns": 100,
                "map_entries": 1024, "blocks": 256, "program_words": 2048}}
IL, IPC = {"name": "il", "steps": 8}, {"name": "ipc", "steps": 12}


@dataclass(frozen=True)
class Row:
    """A ``preset`` with ROOM and ``changes``, and the target where a pass, a sweep without weights, takes as many
    neurons in a cycle as there are row tiles, ``narrow``, or lanes, ``wide``; "": not measured. ``built``: the RTL is
    asked, not the cycle model alone."""

    name: str
    preset: str
    changes: dict[str, Any]
    narrow: str
    wide: str = ""
    built: bool = True

    def config(self, schedule: str, wide: bool) -> Config:
        """The experiment under a schedule."""
        found = load(self.preset).replace(machine=ROOM).replace(**self.changes).replace(rule={"schedule": schedule})
        return found.replace(machine={"neuron_rows": found.machine.lanes}) if wide else found

    def target(self, wide: bool) -> str:
        """The one of a build; "" where it is not measured."""
        return self.wide if wide else self.narrow

    def title(self, wide: bool) -> str:
        """The name of a row with the width of its pass."""
        return f"{self.name}, W = {'C' if wide else 'P'}"

    def machine(self, wide: bool) -> str:
        """The title without the rule that runs on the build."""
        network, *_, width = self.title(wide).split(", ")
        return f"{network}, {width}"


ROWS = (
    Row("mnist on 4 x 32 lanes, IL T 8", "mnist", {"rule": IL}, ">= 86", ">= 94"),
    Row("mnist on 4 x 32 lanes, iPC T 12", "mnist", {"rule": IPC}, "beside it", ">= 98"),
    Row("mnist on 4 x 32 lanes, Z-IL", "mnist", {"rule": {"name": "zil"}}, "beside it", ">= 97"),
    Row("mnist on 4 x 32 lanes, backprop", "mnist", {"rule": {"name": "backprop"}}, "beside it", ">= 97"),
    Row("digits on 2 x 8 lanes, IL T 8", "digits", {"rule": IL}, ">= 65", ">= 77"),
    Row("784 - 32 x 31 - 10 on 4 x 8 lanes, no skips, IL T 8", "mnist", DEEP | {"rule": DEEP["rule"] | IL}, ">= 90",
        built=False),
    Row("mnist's network on 32 x 32 lanes, IL T 8", "mnist", WIDE | {"rule": IL}, ">= 70", built=False))


def builds(quick: bool) -> list[tuple[Row, bool]]:
    """Every row with every pass that is measured, narrow or wide."""
    return [(row, wide) for row, wide in product(ROWS[4:5] if quick else ROWS, (False, True)) if row.target(wide)]


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Each row under every schedule, those of the first networks on the RTL, and whether its weights, outputs and
    counters are the models'. ``folder`` is unused."""
    found: list[Figure] = []
    compared: list[Comparison] = []
    for row, wide in builds(quick):
        name, target = row.title(wide), row.target(wide)
        reporter.say(f"{name} ...")
        made = [compile_config(row.config(schedule, wide)) for schedule in SCHEDULES]
        if row.built:
            pairs = [_measured(program) for program in made]
            found += _row(name, target, [busy for busy, _ in pairs], "on the RTL")
            compared += [comparison for _, comparison in pairs]
        else:
            found += _row(name, target, [utilisation(program) for program in made], "by the cycle model")
    whole = merged(compared)
    return [*found, Figure("weights, outputs and counters of the RTL that differ from the models under each schedule "
                           f"({len(compared)} programs, {whole.total_words:,} words)", whole.total_mismatches, "0",
                           "words", whole.total_mismatches == 0)]


def _row(name: str, target: str, busy: Sequence[float], how: str) -> Iterator[Figure]:
    """The target is that of the last schedule."""
    *others, best = (round(share, 1) for share in busy)
    limit = float(target.removeprefix(">= ")) if target.startswith(">=") else None
    for schedule, share in zip(SCHEDULES, others):
        yield Figure(f"lanes busy, {name}, {schedule}, {how}", share, "beside it", "%", None)
    yield Figure(f"lanes busy, {name}, {SCHEDULES[-1]}, {how}", best, target, "%",
                 None if limit is None else best >= limit)


def utilisation(program: Program) -> float:
    """Visits of the rule, every block padded, in percent of all cycles of a training sample in the steady state, by the
    cycle model."""
    found = sample_cycles(program)
    assert found.padded is not None, "these rules say what they visit"
    return 100 * found.padded / found.total


def _busy(program: Program, two: dict[str, int], four: dict[str, int]) -> float:
    least = minimum(program)
    assert least is not None, "these rules say what they visit"
    return 100 * TURNS * least.padded / sum(four[cause] - two[cause] for cause in CYCLES)


def _measured(program: Program) -> tuple[float, Comparison]:
    """Utilisation by the counters of the Verilated RTL; its weights and outputs at the end and its counters against
    those of the golden machine, cycle model included."""
    library, found = fast.prepare(program, BUILD), []
    job, runs = any_job(program, 2 + TURNS), []
    for samples in (2, 2 + TURNS):
        part = replace(job, samples={key: values[:samples] for key, values in job.samples.items()}, steps=False)
        rtl = fast.run(part, library)
        found.append(compare(program, golden.run(part), rtl))
        runs.append(rtl.counters)
    return _busy(program, *runs), merged(found)


def any_job(program: Program, samples: int) -> Job:
    """A job of samples that need no data: cycles do not depend on them."""
    given = {t.key: np.tile(np.arange(t.population.size) % 64, (samples, 1)) for t in program.inputs["train"]}
    return Job(program, "train", initial_image(program), given)
