"""The energy of a configuration: counts of the golden machine on its own data, times a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from golden.learning.datasets import Dataset
from golden.learning.tasks import task_of
from golden.trace import Job, Trace
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from sim.backends import golden
from sim.simulate import job_of

from .area import area
from .estimate import Estimate, estimate
from .in_memory import InMemory, in_memory
from .macro import MacroRow, macro_rows
from .operation import Operation, leakage_w, operation
from .registers import register_bits
from .splits import cross
from .technology import Range, load_technology

__all__ = ["Priced", "estimate_run", "job_for", "priced_runs", "record", "record_priced"]


@dataclass(frozen=True)
class Priced:
    """A run's energy, its operation at a clock, and the area of its machine by block in um2.

    ``macro``: the parts of an analog macro, which ``estimate`` leaves out. ``arrays``: what the products of FWD and TRN
    would take in other arrays.
    """

    estimate: Estimate
    operation: Operation
    area: dict[str, Range]
    macro: tuple[MacroRow, ...] = ()
    arrays: tuple[InMemory, ...] = ()

    @property
    def places(self) -> dict[tuple[str, str], Range]:
        """pJ a sample by block and verb."""
        digital = [(row.component, row.sample) for row in self.estimate.rows]
        return cross([*digital, *((row.component, row.sample) for row in self.macro)])

    @property
    def whole(self) -> Range:
        """pJ a sample, the analog macro included."""
        return sum((row.sample for row in self.macro), self.estimate.sample)

    @property
    def area_um2(self) -> Range:
        return sum(self.area.values(), Range(0.0, 0.0, 0.0))


def priced_runs(config: Config, samples: int, technologies: Sequence[str], clock_mhz: float, reporter: Reporter,
                data: Dataset | None = None) -> list[Priced]:
    """Cost of training on the first ``samples`` samples from the seeded start, in every technology.

    ``technologies``: names that ship with Hebbar or paths of TOML files. The work is counted once. ``data``: samples in
    place of the configured ones.
    """
    tables = [load_technology(name) for name in technologies]
    program, trace, count = _counted(config, samples, reporter, data)
    reporter.say("counting the registers of the Verilog ...")
    registers = register_bits(program.machine)
    leakage = leakage_w(program.machine, registers)
    macro = macro_rows(program, "train", count, clock_mhz, trace.decisions.tolist())
    arrays = tuple(in_memory(program.machine, trace.counters, count))
    found = []
    for table in tables:
        made = estimate(program, trace.counters, count, table, exits=trace.decisions.tolist())
        whole = sum((row.sample for row in macro), made.sample)
        found.append(Priced(made, operation(whole, trace.counters, count, clock_mhz, leakage),
                            area(program.machine, registers, table.node_nm), macro, arrays))
    return found


def estimate_run(config: Config, samples: int, technology: str, reporter: Reporter) -> Estimate:
    """The energy alone, in one technology; see ``priced_runs``."""
    table = load_technology(technology)
    program, trace, count = _counted(config, samples, reporter)
    return estimate(program, trace.counters, count, table, exits=trace.decisions.tolist())


def job_for(config: Config, samples: int, data: Dataset | None = None) -> Job:
    """The training job that is priced; ``data``: samples in place of the configured ones."""
    program = compile_config(config)
    task = task_of(program, data)
    return replace(job_of(program, task, "train", samples, task.image()), steps=False)


def _counted(config: Config, samples: int, reporter: Reporter, data: Dataset | None = None
             ) -> tuple[Program, Trace, int]:
    """The program, what the golden machine did, and how many samples there were."""
    job = job_for(config, samples, data)
    reporter.say(f"counting the work of {job.count} samples on the golden machine ...")
    return job.program, golden.run(job), job.count


def record_priced(found: Priced) -> dict[str, Any]:
    """Energy, operation and area as plain data."""
    op = found.operation
    return record(found.estimate) | {
        "tier": "A: exact counts times a table", "pj_sample_with_macro": _three(found.whole),
        "macro": [{"component": r.component, "count": r.count, "pj_each": _three(r.each), "pj_sample": _three(r.sample),
                   "source": r.source} for r in found.macro],
        "pj_sample_products_in_other_arrays": {a.array.name: _three(a.sample) for a in found.arrays},
        "pj_sample_by_block_and_verb": {f"{block}, {verb}": _three(e) for (block, verb), e in found.places.items()},
        "clock_hz": op.clock_hz, "cycles_sample": op.cycles, "latency_s": op.latency_s, "samples_s": op.throughput,
        "power_w": _three(op.power_w), "leakage_w": _three(op.leakage_w),
        "area_um2": _three(found.area_um2), "area_um2_by_block": {b: _three(a) for b, a in found.area.items()}}


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
