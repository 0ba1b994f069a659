"""Inference that stops when the energy stops falling: what it saves, what it costs, and that the RTL does the same.

    python examples/early_exit.py [--seeds 5] [--quick]      # draws out/early_exit.svg
"""

import argparse
import sys
from pathlib import Path

from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.drawings.learning import early_exit
from hebbar.studies.early_exit import LOSS, sweep


def main() -> str | None:
    """Sweep the tolerance, draw it, replay trained weights on the RTL; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    reporter, epochs = Reporter(), 2 if options.quick else None

    points = sweep(1 if options.quick else options.seeds, reporter, epochs)
    for p in points:
        print(f"tolerance {p.tolerance:<6g}: {p.accuracy:.2f} %, {p.steps:.2f} state steps a sample "
              f"({p.last_steps:.2f} in the last epoch, {p.cycles:,.0f} cycles, {p.energy:.0f} nJ)")
    save(early_exit(points), Path("out/early_exit.svg"))

    e = Experiment("early_exit", training={"epochs": epochs} if epochs else {})
    e.train()
    check = e.cosimulate(10 if options.quick else 100, options.backend, reporter=reporter)
    print(f"RTL with trained weights: {check.mismatches} mismatches in {check.words:,} words, cycles among them; "
          f"inference stopped early {check.counters['exits']} times")
    if check.first:
        return check.first
    chosen, whole = (next(p for p in points if p.tolerance == t) for t in (e.config.rule.tolerance, 0.0))
    if chosen.steps >= whole.steps or (not options.quick and chosen.accuracy < whole.accuracy - LOSS):
        return f"Early exit at {chosen.tolerance:g} saves no steps or costs more than {LOSS} points."
    return None


if __name__ == "__main__":
    sys.exit(main())
