"""How weak may feedback be? Nudged PC and equilibrium propagation against the gradient, as lambda shrinks.

    python examples/weak_feedback.py [--seeds 3] [--quick]      # draws out/weak_feedback.svg

In float64 the error of an update falls with lambda, or with its square where both signs are used; in fixed
point the signal shrinks with lambda and rounding does not.
"""

from pathlib import Path

import numpy as np

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import nudge
from hebbar.studies.cost import trained_cost
from hebbar.studies.example import Backend, Quick, Samples, Seeds, run


def main(seeds: Seeds = 3, samples: Samples = 20, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Measure updates and trainings by nudge, draw them, replay the presets; what went wrong, or None."""
    samples, seeds, epochs = (2, 1, 1) if quick else (samples, seeds, None)
    reporter, wrong = Reporter(), None
    found = {name: nudge.errors(method, samples) for name, method in nudge.METHODS.items()}
    clamped = nudge.errors(nudge.CLAMPED, samples, nudges=(None,))
    learnt = nudge.accuracies(seeds, reporter, epochs=epochs)
    for name, e in found.items():
        print(f"{name}: {nudge.lines(e, learnt[name])}")
        power, wanted = nudge.order(e.floating), nudge.METHODS[name].order
        if abs(power - wanted) > 0.15 or not np.nanargmin(e.fixed) < len(nudge.NUDGES) - 1:
            wrong = f"{name}: the order is {power:.2f} and not {wanted}, or fixed point has no floor."
    print(f"contrastive Hebbian, target clamped: float64 {clamped.floating[0]:.3f}, fixed point {clamped.fixed[0]:.3f}")
    save(nudge.draw(found, learnt, float(clamped.fixed[0])), Path("out/weak_feedback.svg"))
    for preset in dict.fromkeys(m.preset for m in (*nudge.METHODS.values(), nudge.CLAMPED)):
        cost = trained_cost(load(preset), 4 if quick else 100, reporter, backend)
        print(f"{preset}: {cost}")
        wrong = cost.first or wrong
    return wrong

if __name__ == "__main__":
    run(main)
