"""How weak may feedback be? Nudged PC and equilibrium propagation against the gradient, as lambda shrinks.

    python examples/weak_feedback.py [--seeds 3] [--quick]      # draws out/weak_feedback.svg

In float64 the error of an update falls with lambda, or with its square where both signs are used; in fixed
point the signal shrinks with lambda and rounding does not.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.cost import trained_cost
from hebbar.studies.drawings.learning import weak_feedback
from hebbar.studies.nudge import CLAMPED, METHODS, NUDGES, accuracies, errors, order, usable


def main() -> str | None:
    """Measure updates and trainings by nudge, draw them, replay the presets; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two samples, one seed, one epoch")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    samples, seeds = (2, 1) if options.quick else (options.samples, options.seeds)
    reporter, wrong = Reporter(), None

    found = {name: errors(method, samples) for name, method in METHODS.items()}
    clamped = errors(CLAMPED, samples, nudges=(None,))
    learnt = accuracies(seeds, reporter, epochs=1 if options.quick else None)
    for name, e in found.items():
        power, wanted = order(e.floating), METHODS[name].order
        print(f"{name}: error of an update ~ lambda^{power:.2f} in float64; usable: "
              + ", ".join(f"2^-{k}" for k in usable(learnt[name])))
        for k in NUDGES:
            ended = "the machine cannot shift by alpha / lambda" if np.isnan(learnt[name][k]) else \
                f"trained {learnt[name][k]:.1f} %"
            print(f"  lambda 2^-{k}: float64 {e.floating[k]:.5f}, fixed point {e.fixed[k]:.4f}; {ended}")
        if abs(power - wanted) > 0.15 or not np.nanargmin(e.fixed) < len(NUDGES) - 1:
            wrong = f"{name}: the order is {power:.2f} and not {wanted}, or fixed point has no floor."
    print(f"contrastive Hebbian, target clamped: float64 {clamped.floating[0]:.3f}, fixed point {clamped.fixed[0]:.3f}")
    save(weak_feedback(found, learnt, float(clamped.fixed[0])), Path("out/weak_feedback.svg"))
    for preset in dict.fromkeys(m.preset for m in (*METHODS.values(), CLAMPED)):
        cost = trained_cost(load(preset), 4 if options.quick else 100, reporter, options.backend)
        print(f"{preset}: {cost}")
        wrong = cost.first or wrong
    return wrong


if __name__ == "__main__":
    sys.exit(main())
