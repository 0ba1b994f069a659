"""Choose the hyper-parameters of the digits presets on validation data.

    python benchmarks/select_digits.py            # writes benchmarks/results/select_digits.json

Every candidate is trained in float64 on 80 % of the stratified training part and judged on the
other 20 %, mean of two seeds (of weights, order and split). The test set is never looked at.
"""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from golden.learning.datasets import load as load_data
from golden.learning.training import train_float
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import versions, write_json

SEEDS = 2
FRACTION = 0.2
GRID: dict[str, dict[str, list[Any]]] = {
    "il": {"shifts": [(2, 3), (2, 4), (3, 4)], "gamma": [0.25, 0.5]},
    "ipc": {"shifts": [(5, 6), (5, 7), (6, 7)], "gamma": [0.5, 1.0]},
    "zil": {"shifts": [(2, 4), (3, 4), (4, 5)], "gamma": [1.0]}}
ACTIVATIONS = ("relu", "leaky")
SCALES = [(0.5, 0.5), (1.0, 0.25)]
RESULT = Path(__file__).parent / "results" / "select_digits.json"


def judge(rule: str, shifts, gamma: float, activation: str, scales) -> dict:
    """Validation accuracy of one candidate."""
    found = []
    for seed in range(SEEDS):
        config = load("digits").replace(
            network={"activation": activation}, data={"seed": seed}, training={"seed": seed},
            rule={"name": rule, "gamma": gamma, "alpha_shifts": shifts, "init_scales": scales})
        data = load_data(config.data).validation(FRACTION)
        with np.errstate(all="ignore"):
            found.append(train_float(compile_config(config), data).accuracy[-1])
    return {"rule": rule, "activation": activation, "gamma": gamma, "alpha_shifts": shifts,
            "init_scales": scales, "validation": float(np.mean(found)), "seeds": found}


def main() -> None:
    """Judge the whole grid, print and keep the best of every rule."""
    jobs = [(rule, s, g, a, c) for rule, grid in GRID.items()
            for s, g, a, c in product(grid["shifts"], grid["gamma"], ACTIVATIONS, SCALES)]
    results = []
    reporter = Reporter()
    with reporter.task("candidates", len(jobs)) as task:
        for one in Parallel(n_jobs=2, return_as="generator")(delayed(judge)(*j) for j in jobs):
            results.append(one)
            task.advance(len(results), f"{one['rule']} {one['validation']:.4f}")
    results.sort(key=lambda r: (r["rule"], -r["validation"]))
    write_json(RESULT, {"fraction": FRACTION, "seeds": SEEDS, "versions": versions(),
                        "candidates": results})
    for rule in GRID:
        reporter.say(str(next(r for r in results if r["rule"] == rule)))


if __name__ == "__main__":
    main()
