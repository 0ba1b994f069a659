"""Predictive coding as reverse differentiation: Z-IL against differentiation of another kind, and against backprop.

    python examples/reverse_differentiation.py [--seeds 5] [--quick]     # draws out/reverse_differentiation.svg

On 64-64-10, on a residual network, and on one with a skip edge that needs an identity node.
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import reverse
from hebbar.studies.cost import trained_cost
from hebbar.studies.example import Backend, Quick, Samples, Seeds, run


def main(seeds: Seeds = 5, samples: Samples = 20, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Compare updates, train both rules, replay on the RTL and draw; what went wrong, or None."""
    samples, seeds, epochs = (2, 2, 1) if quick else (samples, seeds, None)
    reporter, failed = Reporter(), None
    for case, (gaps, twins) in reverse.study(seeds, samples, reporter, epochs).items():
        print(f"{case}: {samples} updates in float64, at most {max(gaps):.1e} from the slopes by complex steps")
        zil, backprop = np.mean([[t.zil, t.backprop] for t in twins], axis=0)
        same, clipped = sum(not t.different[-1] for t in twins), [t for t in twins if t.clipped[-1]]
        print(f"  fixed point, {seeds} seeds: Z-IL {zil:.2f} %, backprop {backprop:.2f} %; weights bit for bit the "
              f"same in {same}", *clipped, sep="; ")
        if max(gaps) > reverse.EXACT or not all(t.bit_exact for t in twins):
            failed = failed or f"{case}: Z-IL does not learn what backprop learns."
        cost = trained_cost(reverse.config(case), 4 if quick else 100, reporter, backend)
        print(f"  {cost}")
        failed = failed or cost.first
    waves = {case: reverse.wavefront(case) for case in reverse.CASES}
    save(reverse.draw(waves), Path("out/reverse_differentiation.svg"))
    return failed

if __name__ == "__main__":
    run(main)
