"""Choose the hyper-parameters of the mnist preset on validation data.

    python benchmarks/select_mnist.py FOLDER      # MNIST's idx files; writes results/select_mnist.json

Every candidate is trained on the compiled golden machine, fixed point, two epochs on the first 55,000
training images (the rate halved for the second), and judged on the last 5,000. The test set is never
looked at.
"""

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from golden.learning.datasets import load as load_data
from golden.learning.training import train_fixed
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import versions, write_json

HELD = 5000
SHIFTS = [(4, 6, 8), (4, 5, 7), (5, 6, 8)]
GAMMAS = [0.25, 0.5]
ACTIVATIONS = ("relu", "leaky")
SCALES = [(0.5, 0.5, 0.25), (1.0, 0.5, 0.25)]
RESULT = Path(__file__).parent / "results" / "select_mnist.json"


def judge(folder: str, shifts, gamma: float, activation: str, scales) -> dict:
    """Validation accuracy of one candidate."""
    config = load("mnist").replace(
        network={"activation": activation}, training={"epochs": 2, "halve_alpha_at": [1]}, data={"path": folder},
        rule={"gamma": gamma, "alpha_shifts": shifts, "init_scales": scales})
    program, data = compile_config(config), load_data(config.data)
    first, last = np.arange(len(data.train) - HELD), np.arange(len(data.train) - HELD, len(data.train))
    divided = replace(data, train=data.train.take(first), test=data.train.take(last))
    curve = train_fixed(program, divided).accuracy
    return {"activation": activation, "gamma": gamma, "alpha_shifts": shifts, "init_scales": scales,
            "validation": curve[-1], "curve": curve}


def main() -> None:
    """Judge the whole grid, keep it, print the best."""
    folder, results, reporter = str(Path(sys.argv[1]).resolve()), [], Reporter()
    jobs = list(product(SHIFTS, GAMMAS, ACTIVATIONS, SCALES))
    with reporter.task("candidates", len(jobs)) as task:
        for one in Parallel(n_jobs=2, return_as="generator")(delayed(judge)(folder, *j) for j in jobs):
            results.append(one)
            task.advance(len(results), f"{one['validation']:.4f}")
    results.sort(key=lambda r: -r["validation"])
    write_json(RESULT, {"held": HELD, "seed": load("mnist").training.seed, "versions": versions(),
                        "candidates": results})
    reporter.say(str(results[0]))


if __name__ == "__main__":
    main()
