"""``hebbar bench spine``: every figure the first capability is judged by."""

from pathlib import Path

import numpy as np

from golden.reference.rules import backprop, zil
from golden.reference.state import initial_weights
from golden.reference.training import sample_clamps
from hebbar.compiler.config import RuleConfig
from hebbar.compiler.network import layered
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure

from . import accuracy, planting, rtl

__all__ = ["SEEDS", "measure", "zil_equals_backprop", "planted"]


NETWORKS = 20
SEEDS = {False: 5, True: 1}
"""Seeds of weights, order and split behind the accuracies, in full and with --quick."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` uses fewer samples and seeds; ``data`` is unused."""
    figures = list(rtl.agreement(BUILD, 10 if quick else 100, reporter))
    figures += accuracy.measure(SEEDS[quick], reporter)
    figures.append(zil_equals_backprop())
    figures.append(rtl.cycle_model(BUILD, 2 if quick else 10, reporter))
    figures += rtl.issue_rates(BUILD, reporter)
    figures += rtl.weight_reads(BUILD, reporter)
    figures += rtl.cycles(BUILD, reporter)
    figures.append(planted(folder, quick, reporter))
    return figures


def zil_equals_backprop() -> Figure:
    """Largest difference of a weight update on random nets of 2 to 5 layers, float64."""
    rng, worst = np.random.default_rng(0), 0.0
    for seed in range(NETWORKS):
        depth = int(rng.integers(2, 6))
        sizes = [int(n) for n in rng.integers(2, 20, depth + 1)]
        activation = ["tanh", "sigmoid", "relu", "leaky"][seed % 4]
        network = layered(sizes, activation, [0] * depth, [1.0] * depth, bias=seed % 2 == 0)
        weights = initial_weights(network, seed)
        clamps = sample_clamps(network, rng.normal(size=(8, sizes[0])),
                               rng.normal(size=(8, sizes[-1])))
        one, other = (rule(network, weights, clamps, RuleConfig(name=name)).weights
                      for rule, name in ((zil, "zil"), (backprop, "backprop")))
        worst = max(worst, *(float(np.abs(one[k] - other[k]).max()) for k in weights))
    return Figure(f"Z-IL against backprop, {NETWORKS} random nets, largest difference", worst,
                  "<= 1e-12", "", worst <= 1e-12)


def planted(folder: Path, quick: bool, reporter: Reporter) -> Figure:
    """Planted defects of every package that the tests catch; needs a checkout with the tests."""
    defects = planting.planted("DEFECTS")
    tried = defects[::len(defects) // 3] if quick else defects
    caught = len(tried) - len(planting.survivors(tried, folder / "planted", reporter))
    return Figure(f"planted defects caught, of {len(tried)}", caught, f"all {len(tried)}", "defects",
                  caught == len(tried))
