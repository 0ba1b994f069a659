"""Chained and pipelined programs against the golden machine: every write of digits, and random programs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from golden.learning.training import data_of
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load
from hebbar.compiler.pipelining import pipelined
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.verify import random_programs
from sim.backends import pysim
from sim.experiment import replay_job
from sim.writes import compare_writes

__all__ = ["OPERATIONS", "job_of", "measure"]

OPERATIONS = {True: 400, False: 10_000}
"""Random micro-operations, quick or not."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The writes of digits on Amaranth's simulator under each schedule; random programs on Verilator. ``folder`` is
    unused."""
    reporter.say("digits on Amaranth's simulator, every write compared ...")
    return [*_writes(1 if quick else 3), *(random_programs.agreement(BUILD, OPERATIONS[quick], reporter, make)
                                            for make in (chained, pipelined))]


def job_of(program: Program, samples: int) -> Job:
    """Samples of a program's own data, from the weights that it begins with."""
    return replay_job(program, data_of(program), initial_image(program), samples)


def _writes(samples: int) -> Iterator[Figure]:
    for schedule in ("drained", "chained", "pipelined"):
        job = job_of(compile_config(load("digits").replace(rule={"schedule": schedule})), samples)
        trace = pysim.run(replace(job, stall=0.1))  # which raises where a sweep overtakes another
        assert trace.writes is not None, "every step is recorded"
        result = compare_writes(job, trace.writes)
        words = sum(count for name, count in result.words.items() if name.startswith("writes"))
        yield Figure(f"writes that differ, digits {schedule}, {samples} samples ({words:,} writes, "
                     f"{result.total_words:,} words), no sweep overtakes another", result.total_mismatches, "0",
                     "writes", result.total_mismatches == 0)
