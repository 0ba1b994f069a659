"""Pair STDP: its window, and spiking neurons that learn without labels to tell orders of spikes apart.

    python examples/spiking.py [--quick]     # draws out/stdp_window.svg and out/spiking.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.report.systems import spikes, window
from hebbar.studies import spiking


def main() -> str | None:
    """Measure the window, learn, compare with the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 seeds, 20 waves on the RTL")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    reporter = Reporter()

    pair = spiking.window(reporter, options.backend)
    asked = spiking.replay(reporter, options.backend, count=20 if options.quick else spiking.WAVES)
    rtl = asked.missing or (f"{asked.mismatches + pair.asked.mismatches} mismatches in "
                            f"{asked.words + pair.asked.words:,} words")
    print(f"window: at most {100 * pair.used:.0f} % of what rounding allows away from its closed form")
    print(f"{asked.cycles:,.0f} cycles and {asked.energy:,.1f} nJ a step of learning; RTL: {rtl}")
    save(window(spiking.LAGS, pair.measured, pair.closed), Path("out/stdp_window.svg"))

    studies = [spiking.study(seed) for seed in spiking.SEEDS[:2 if options.quick else None]]
    for seed, s in zip(spiking.SEEDS, studies):
        print(f"seed {seed}: {s.before.accuracy:.1f} % of waves told apart before, {s.after.accuracy:.1f} after "
              f"(learnt from random orders {s.control.accuracy:.1f}); first spike at step {s.before.latency:.0f}, then "
              f"{s.after.latency:.0f}; {s.before.count:.1f} spikes a wave, then {s.after.count:.1f}")
    first = studies[0]
    shown = [int(np.flatnonzero(first.which == k)[0]) for k in range(spiking.ORDERS)]
    rows = {"before": first.before.fired, "learnt": first.after.fired}
    bounds = [n * spiking.PERIOD for n in range(len(shown))]
    save(spikes({name: np.concatenate(fired[shown]) for name, fired in rows.items()}, bounds,
                [f"order {first.which[i] + 1}" for i in shown]), Path("out/spiking.svg"))
    if asked.first or pair.asked.first or pair.used > 1:
        return asked.first or pair.asked.first or "The window is off by more than rounding allows."
    return None if spiking.reached(studies) else "The orders are not told apart as they should be."


if __name__ == "__main__":
    sys.exit(main())
