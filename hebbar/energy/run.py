"""The energy of a configuration: counts of the golden machine on its own data, times a table."""

from dataclasses import replace
from typing import Any

from golden.learning.tasks import task_of
from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from sim.backends import golden
from sim.simulate import job_of

from .estimate import Estimate, estimate
from .technology import Range, load_technology

__all__ = ["estimate_run", "record"]


def estimate_run(config: Config, samples: int, technology: str, reporter: Reporter) -> Estimate:
    """Energy of training on the first ``samples`` samples from the seeded start.

    ``technology``: a name that ships with Hebbar or the path of a TOML file.
    """
    table, program = load_technology(technology), compile_config(config)
    task = task_of(program)
    job = replace(job_of(program, task, "train", samples, task.image()), steps=False)
    reporter.say(f"counting the work of {job.count} samples on the golden machine ...")
    trace = golden.run(job)
    return estimate(program, trace.counters, job.count, table, exits=trace.decisions.tolist())


def record(found: Estimate) -> dict[str, Any]:
    """The estimate as plain data: pJ, low, typical and high."""
    return {"technology": found.technology.name, "samples": found.samples, "passes": found.passes,
            "pj_sample": _three(found.sample), "pj_step": _three(found.step), "pj_weight_read": _three(found.weight),
            "shares": found.shares, "left_out": list(found.left_out),
            "unverified": found.unverified,
            "rows": [{"component": r.component, "group": r.group, "count": r.count, "pj_each": _three(r.each),
                      "pj_sample": _three(r.sample), "source": r.source} for r in found.rows]}


def _three(value: Range) -> list[float]:
    return [value.low, value.typical, value.high]
