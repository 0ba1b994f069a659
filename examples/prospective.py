"""Inference learning against backprop where prospective configuration is said to win, on one machine.

    python examples/prospective.py [--seeds 10] [--quick]

Rates of both rules are chosen on validation data, lesson by lesson; draws out/prospective_NETWORK.svg and
out/alignment.svg, and replays the beginning of every lesson on the RTL.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import comparisons
from hebbar.studies.drawings import learning

QUICK: dict[str, Any] = {"lessons": ("two tasks in turns", "online, first 800 samples"), "networks": ("64-64-10",),
         "grid": ((4, 2), (5, 5))}


def main() -> str | None:
    """Learn all lessons, print, draw and replay them; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="two lessons, two seeds, one network, few rates")
    options = parser.parse_args()
    reporter = Reporter()

    found = comparisons.study(2 if options.quick else options.seeds, reporter, **(QUICK if options.quick else {}))
    for one, other in zip(found[::2], found[1::2]):
        print(*(f"{f.figure}: {f.value:+.2f} {f.unit}" for f in comparisons.differences(one, other)), sep="\n")
    for network in dict.fromkeys(f.case.network for f in found):
        mine = [f for f in found if f.case.network == network]
        save(learning.lessons(mine), Path(f"out/prospective_{network}.svg"))
        for case in (f.case for f in mine[:2]):
            cycles, energy = comparisons.price_of(case)
            print(f"{network}, {case.rule}: {cycles:,.0f} cycles and {energy:,.1f} nJ a sample")

    words, wrong = np.array([comparisons.replay(f.case, reporter) for f in found]).sum(axis=0)
    print(f"RTL: {wrong} mismatches in {words:,} words of {len(found)} beginnings")
    aligned = comparisons.alignments(100 if options.quick else 1000)
    save(learning.alignment(aligned), Path("out/alignment.svg"))
    gap, error = comparisons.paired(aligned["IL"][:, 0], aligned["backprop"][:, 0])
    print(f"target alignment: IL at equilibrium {aligned['IL'][:, 0].mean():.3f}, less backprop {gap:.3f} +- "
          f"{error:.3f}; of IL's last layer alone {aligned['IL'][:, 1].mean():.3f}, of all others "
          f"{aligned['IL'][:, 2].mean():.3f}")
    if wrong:
        return "RTL and golden model differ."
    return None if gap > 2 * error else "IL at equilibrium does not align better than backprop."


if __name__ == "__main__":
    sys.exit(main())
