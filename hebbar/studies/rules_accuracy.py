"""Accuracy on the digits of every rule that classifies: float and fixed point, seed by seed.

Every preset with the constants that ``benchmarks/select_digits.py`` and ``benchmarks/select_rules.py`` chose on
validation data; final epoch, stratified split, one seed for weights, order and split.
"""

import numpy as np

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .parameter_sweep import Row
from .sweeps import sweep

__all__ = ["TARGETED", "BESIDE", "measure", "figures"]

TARGETED = {"IL": "digits", "iPC": "digits_ipc", "Z-IL": "digits_zil", "backprop": "backprop"}
BESIDE = {"IL with early exit": "early_exit", "IL, categorical output": "categorical", "IL on a graph": "graph",
          "Z-IL, residual": "residual", "nudged PC": "nudged_pc", "equilibrium propagation": "eqprop",
          "contrastive Hebbian": "chl"}
TARGET, GAP_POINTS = 97.5, 0.5
PROCESSES = 2


def measure(seeds: int, reporter: Reporter, epochs: int | None = None) -> list[Figure]:
    """Means over seeds of every rule; ``epochs`` instead of those configured, to try it."""
    names = TARGETED | BESIDE
    configs = [load(preset) for preset in names.values()]
    if epochs:
        configs = [c.replace(training={"epochs": epochs}) for c in configs]
    rows = sweep(configs, list(range(seeds)), PROCESSES, reporter)
    return [f for n, name in enumerate(names) for f in figures(name, rows[n * seeds:(n + 1) * seeds])]


def figures(name: str, rows: list[Row]) -> list[Figure]:
    """Accuracy in fixed point and its distance from float, beside their targets where ``name`` has one."""
    fixed, floating = (100 * np.array([getattr(r, a) for r in rows]) for a in ("accuracy_fixed", "accuracy_float"))
    mean, gap, held = float(fixed.mean()), abs(float(fixed.mean() - floating.mean())), name in TARGETED
    spread = f"seeds {', '.join(f'{v:.1f}' for v in fixed)}; float {floating.mean():.2f}"
    return [Figure(f"accuracy {name}, fixed point ({spread})", round(mean, 2), f">= {TARGET}" if held else "reported",
                   "%", mean >= TARGET if held else None),
            Figure(f"{name}: fixed against float, means", round(gap, 2), f"<= {GAP_POINTS}", "points",
                   gap <= GAP_POINTS if held else None)]
