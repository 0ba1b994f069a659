"""``hebbar bench rules``: every learning system on one export, random programs, recall, accuracies, studies."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.verify import random_programs

from . import early_exit, nudge, replays, reward, rules_accuracy, spiking
from .comparisons import rules as comparisons
from .memories import measure as memories

__all__ = ["SEEDS", "OPERATIONS", "measure"]

SEEDS = {False: 5, True: 1}
"""Seeds of weights, order and split behind the accuracies, in full and with --quick."""

OPERATIONS = {False: 10_000, True: 1_000}
"""Random micro-operations, in full and with --quick."""

PAIRS = 10
"""Seeds of the comparisons with backprop, paired."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` trains one epoch of one seed and leaves the studies out that
    cannot be shortened (comparisons with backprop, range of lambda, early exit); ``data`` is unused."""
    figures = replays.measure(quick, reporter)
    figures.append(random_programs.agreement(BUILD, OPERATIONS[quick], reporter))
    for system in (memories, reward, spiking):
        figures += system.measure(reporter)
    figures += rules_accuracy.measure(SEEDS[quick], reporter, 1 if quick else None)
    if quick:
        return figures
    return [*figures, *early_exit.measure(SEEDS[quick], reporter), *nudge.measure(SEEDS[quick], reporter),
            *comparisons.measure(PAIRS, reporter)]
