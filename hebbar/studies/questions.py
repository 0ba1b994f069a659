"""Questions to a network, on the golden machine and on the RTL, which must agree; what an answer costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.streams import to_codes, to_reals
from golden.trace import Job
from hebbar.api import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import MissingTool
from hebbar.contract.files import BUILD
from hebbar.energy import estimate, load_technology
from sim.backends import golden
from sim.compare import compare
from sim.simulate import run_backend

__all__ = ["Asked", "Reals", "ask"]

Reals = NDArray[np.float64]

RECORDED = 2
"""Queries that are compared at every barrier; of all others the outputs are, and the counters."""
TECHNOLOGY = "cmos45"


@dataclass(frozen=True)
class Asked:
    """The answers to queries, real numbers by population; words compared with the RTL and mismatches, cycles and
    typical nJ a query. ``missing``: why there was no RTL, empty when there was."""

    outputs: Mapping[str, Reals]
    words: int
    mismatches: int
    first: str | None
    cycles: float
    energy: float
    missing: str

    def __str__(self) -> str:
        rtl = f"{self.missing} The answers are the golden machine's." if self.missing else \
            f"RTL: {self.mismatches} mismatches in {self.words:,} words"
        return f"{self.cycles:,.0f} cycles and {self.energy:,.1f} nJ a query; {rtl}"


def ask(e: Experiment, entry: str, samples: Mapping[str, ArrayLike], reporter: Reporter, backend: str = "fast",
        build: Path = BUILD) -> Asked:
    """Run ``entry`` with the current weights of ``e`` on the golden machine and, where its tools are, on the RTL."""
    program = e.program
    codes = to_codes(program, entry, samples)
    job = Job(program, entry, e.image, codes, steps=False)
    beginning = Job(program, entry, e.image, {key: values[:RECORDED] for key, values in codes.items()})
    want = golden.run(job)
    words, wrong, first, missing = 0, 0, None, ""
    try:
        for part, trace in ((beginning, golden.run(beginning)), (job, want)):
            found = compare(program, trace, run_backend(part, backend, build, reporter))
            words, wrong = words + found.total_words, wrong + found.total_mismatches
            first = first or (str(found.first) if found.first else None)
    except MissingTool as error:
        missing = str(error)
    price = estimate(program, want.counters, job.count, load_technology(TECHNOLOGY), entry)
    return Asked(to_reals(program, entry, want.outputs), words, wrong, first,
                 sum(want.counters[c] for c in CYCLES) / job.count, price.sample.typical / 1000, missing)
