"""The fast shell with every write compared by hashes, against a bare loop around the same model, in processor time."""

import time
from dataclasses import replace
from pathlib import Path

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast

from ..throughput import against, paces
from .lanes import any_job

__all__ = ["measure"]

SAMPLES = {"digits": (1024, 64), "mnist": (32, 4)}
"""Samples of a round by preset, and quick."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """IL of each preset, drained and chained; an input has no zeros, which the golden machine would pass over. Raises
    Mismatch at a write that differs. ``folder`` is unused."""
    figures: list[Figure] = []
    for preset, samples in list(SAMPLES.items())[:1 if quick else None]:
        for schedule in ("drained", "chained"):
            name, config = f"{preset} IL, {schedule}", load(preset).replace(rule={"schedule": schedule})
            program = compile_config(config)
            job = replace(any_job(program, samples[quick]), steps=False, hashes=True)
            loop, compared = paces(job, fast.prepare(program, BUILD), name, reporter, time.process_time)
            figures.append(against(f"fast shell with comparison by writes against a bare loop, {name} "
                                   f"({compared:,.0f} of {loop:,.0f} cycles a processor second)", loop, compared))
    return figures
