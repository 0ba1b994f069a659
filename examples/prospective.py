"""Inference learning against backprop where prospective configuration is said to win, on one machine.

    python examples/prospective.py [--seeds 10] [--quick]

Rates of both rules are chosen on validation data, lesson by lesson; draws out/prospective_NETWORK.svg and
out/alignment.svg, and replays the beginning of every lesson on the RTL.
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.comparisons import alignment, draw, rules
from hebbar.studies.example import Quick, Seeds, run


def main(seeds: Seeds = 10, quick: Quick = False) -> str | None:
    """Learn all lessons, print, draw and replay them; what went wrong, or None."""
    reporter = Reporter()
    found = rules.study(2 if quick else seeds, reporter, **(rules.QUICK if quick else {}))
    for one, other in zip(found[::2], found[1::2]):
        print(*(f"{f.figure}: {f.value:+.2f} {f.unit}" for f in rules.differences(one, other)), sep="\n")
    for network in dict.fromkeys(f.case.network for f in found):
        mine = [f for f in found if f.case.network == network]
        save(draw.lessons(mine), Path(f"out/prospective_{network}.svg"))
        for case in (f.case for f in mine[:2]):
            cycles, energy = rules.price_of(case)
            print(f"{network}, {case.rule}: {cycles:,.0f} cycles and {energy:,.1f} nJ a sample")

    words, wrong = np.array([rules.replay(f.case, reporter) for f in found]).sum(axis=0)
    print(f"RTL: {wrong} mismatches in {words:,} words of {len(found)} beginnings")
    aligned = alignment.alignments(100 if quick else 1000)
    save(draw.alignment(aligned), Path("out/alignment.svg"))
    gap, error = alignment.paired(aligned["IL"][:, 0], aligned["backprop"][:, 0])
    whole, last, others = aligned["IL"].mean(axis=0)
    print(f"target alignment: IL at equilibrium {whole:.3f}, less backprop {gap:.3f} +- {error:.3f}; of IL's last "
          f"layer alone {last:.3f}, of all others {others:.3f}")
    if wrong:
        return "RTL and golden model differ."
    return None if gap > 2 * error else "IL at equilibrium does not align better than backprop."

if __name__ == "__main__":
    run(main)
