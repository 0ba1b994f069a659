"""What a sample of training costs, and whether the RTL learns the same from it."""

from dataclasses import dataclass
from pathlib import Path

from golden.fixed import Ints
from golden.learning.training import data_of, train_fixed
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.contract.files import BUILD
from sim.compare import compare
from sim.simulate import job_of, run_backend

from .gamma import price

__all__ = ["Cost", "cost", "trained_cost"]


@dataclass(frozen=True)
class Cost:
    """Cycles and typical nJ of a sample of training; words compared with the RTL, mismatches and the first of them.
    ``missing``: why there was no RTL, empty when there was."""

    cycles: float
    energy: float
    words: int = 0
    mismatches: int = 0
    first: str | None = None
    missing: str = ""

    def __str__(self) -> str:
        rtl = self.missing or f"RTL: {self.mismatches} mismatches in {self.words:,} words"
        return f"{self.cycles:,.0f} cycles and {self.energy:,.1f} nJ a sample; {rtl}"


def cost(program: Program, image: Ints, count: int, reporter: Reporter, backend: str = "fast",
         build: Path = BUILD) -> Cost:
    """Learn from the first ``count`` training samples on the golden machine and, where its tools are, on the RTL."""
    job = job_of(program, data_of(program), "train", count, image)
    want = run_backend(job, "golden")
    cycles, energy = price(program, want.counters, job.count)
    try:
        found = compare(program, want, run_backend(job, backend, build, reporter))
    except MissingTool as error:
        return Cost(cycles, energy, missing=str(error))
    first = str(found.first) if found.first else None
    return Cost(cycles, energy, found.total_words, found.total_mismatches, first)


def trained_cost(config: Config, count: int, reporter: Reporter, backend: str = "fast") -> Cost:
    """The cost with weights that one epoch has trained."""
    program = compile_config(config.replace(training={"epochs": 1}))
    image = train_fixed(program, data_of(program)).weights
    return cost(program, image, count, reporter, backend)
