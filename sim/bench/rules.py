"""``hebbar bench rules``: every learning system on one export, random programs, accuracies."""

from pathlib import Path

from hebbar.console import Reporter
from hebbar.files import BUILD

from ..report import Figure
from . import random_programs, replays, rules_accuracy

__all__ = ["SEEDS", "OPERATIONS", "measure"]

SEEDS = {False: 5, True: 1}
"""Seeds of weights, order and split behind the accuracies, in full and with --quick."""

OPERATIONS = {False: 10_000, True: 1_000}
"""Random micro-operations, in full and with --quick."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` trains one epoch of one seed; ``data`` is unused."""
    figures = replays.measure(quick, reporter)
    figures.append(random_programs.agreement(BUILD, OPERATIONS[quick], reporter))
    return figures + rules_accuracy.measure(SEEDS[quick], reporter, 1 if quick else None)
