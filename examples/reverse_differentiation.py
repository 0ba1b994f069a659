"""Predictive coding as reverse differentiation: Z-IL against differentiation of another kind, and against backprop.

    python examples/reverse_differentiation.py [--seeds 5] [--quick]     # draws out/reverse_differentiation.svg

On 64-64-10, on a residual network, and on one with a skip edge that needs an identity node.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import reverse
from hebbar.studies.cost import trained_cost
from hebbar.studies.drawings.gradients import wavefronts


def main() -> str | None:
    """Compare updates, train both rules, replay on the RTL and draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two samples, two seeds, one epoch")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    samples, seeds = (2, 2) if options.quick else (options.samples, options.seeds)
    reporter, failed = Reporter(), None

    for case, (gaps, twins) in reverse.study(seeds, samples, reporter, 1 if options.quick else None).items():
        print(f"{case}: {samples} updates in float64, at most {max(gaps):.1e} from the slopes by complex steps")
        zil, backprop = np.mean([[t.zil, t.backprop] for t in twins], axis=0)
        same, clipped = sum(not t.different[-1] for t in twins), [t for t in twins if t.clipped[-1]]
        print(f"  fixed point, {seeds} seeds: Z-IL {zil:.2f} %, backprop {backprop:.2f} %; weights bit for bit the "
              f"same in {same}"
              + "".join(f"; {t.clipped[-1]} states clipped, {t.different[-1]} weights differ" for t in clipped))
        if max(gaps) > reverse.EXACT or not all(t.bit_exact for t in twins):
            failed = failed or f"{case}: Z-IL does not learn what backprop learns."
        cost = trained_cost(reverse.config(case), 4 if options.quick else 100, reporter, options.backend)
        print(f"  {cost}")
        failed = failed or cost.first
    save(wavefronts({case: reverse.wavefront(case) for case in reverse.CASES}), Path("out/reverse_differentiation.svg"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
