"""A categorical output and precise hidden layers: are the probabilities right, what are they worth, what does pi do?

    python examples/categorical.py [--seeds 5] [--quick]      # draws out/categorical.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import categorical as bench
from hebbar.studies.cost import trained_cost
from hebbar.studies.drawings.gradients import categorical


def main() -> str | None:
    """Compare probabilities, score trainings, sweep the precision, replay and draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch, few samples")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    quick, reporter, failed = options.quick, Reporter(), None
    seeds, epochs = (1, 1) if quick else (options.seeds, None)

    shares = bench.shares(20 if quick else 360)
    print(f"{shares.off.size} probabilities: at most {np.abs(shares.off).max():.2f} codes from softmax in float64, "
          f"{np.max(np.abs(shares.machine - shares.floating) / shares.bound):.0%} of what arithmetic allows")
    curves = {}
    for system, scores in bench.worth(seeds, reporter, epochs).items():
        labels = np.concatenate([s.labels for s in scores])
        for how in ("own", "fitted") if system == "categorical" else ("fitted",):
            probabilities = np.concatenate([getattr(s, how) for s in scores])
            name = f"{system}, " + ("as it comes" if how == "own" else "beta from validation")
            curves[name] = bench.reliability(probabilities, labels)
            print(f"{name}: {np.mean([s.accuracy for s in scores]):.2f} %, cross entropy "
                  f"{bench.entropy(probabilities, labels):.4f} nats, calibration error "
                  f"{bench.miscalibration(probabilities, labels):.2f} points")
        cost = trained_cost(bench.config(system), 4 if quick else 100, reporter, options.backend)
        print(f"  {cost}")
        failed = failed or cost.first
    updates, learnt = bench.effects(2 if quick else 20, 1 if quick else 3, reporter, epochs)
    for power, (floating, fixed), accuracy in zip(bench.PRECISIONS, updates, learnt):
        print(f"hidden precision 2^{power}: update off by {floating:.4f} in float64, {fixed:.4f} in fixed point; "
              f"trained {accuracy:.1f} %")
    print(f"update less gradient ~ precision^-{bench.order(updates[:, 0]):.2f} in float64")
    save(categorical(shares, curves, bench.PRECISIONS, updates, learnt), Path("out/categorical.svg"))
    if not shares.within or abs(bench.order(updates[:, 0]) - 1) > bench.SLACK:
        failed = failed or "The probabilities are off by more than rounding allows, or the order is not 1."
    return failed


if __name__ == "__main__":
    sys.exit(main())
