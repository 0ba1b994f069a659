"""A run and its page from Python, in a folder as the commands leave one."""

import time
from pathlib import Path

from golden.learning.described import save_trained
from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Mismatch
from hebbar.contract.files import occupy, output_folder, release
from hebbar.contract.record import write_record
from hebbar.report import write_report
from sim.experiment import run

__all__ = ["report"]


def report(config: Config, folder: Path, samples: int | None, wave: bool, quick: bool, reporter: Reporter) -> Path:
    """Run ``config`` as ``hebbar run`` does, record it in ``folder``, and return its page. Raises Mismatch, with the
    page written, where RTL and golden machine differ."""
    output_folder(folder)
    occupy(folder)
    try:
        began = time.monotonic()
        outcome = run(config, folder, samples, reporter, quick=quick)
        weights = save_trained(folder / "weights.npz", outcome.task, outcome.fixed_curve.weights)
        write_record(folder, ["Experiment.report"], outcome.result(), outcome.checks(), time.monotonic() - began,
                     config.model_dump(mode="json"), [weights])
        page = write_report(folder, reporter, wave=wave)
    finally:
        release()
    if outcome.first_difference:
        raise Mismatch(f"{outcome.first_difference} The page is {page}.")
    return page
