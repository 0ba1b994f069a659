"""Four values of a grid learnt together; a new motivation revalues every place at once, TD learning starts anew.

    python examples/reward_bases.py [--steps 20000] [--quick]     # draws out/reward_bases.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.report.systems import value_maps
from hebbar.studies import reward


def main() -> str | None:
    """Learn, revalue, compare with float, with TD from scratch and with the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--quick", action="store_true", help="2000 steps")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    path = reward.walk(2000 if options.quick else options.steps, seed=1)
    asked, e = reward.replay(path, Reporter(), options.backend), reward.learn(path)
    bound, learnt, code = reward.rounding_bound(reward.RATE), e.weights["features", "values"], reward.WEIGHT
    print(f"{len(path.places)} steps, {asked.cycles:,.0f} cycles and {asked.energy:,.1f} nJ a step; RTL: "
          + (asked.missing or f"{asked.mismatches} mismatches in {asked.words:,} words"))
    off = np.abs(learnt - reward.floating(path, reward.RATE)).max()
    print(f"values: at most {off / code:.1f} weight codes from float64, rounding allows {bound / code:.1f}")
    failed, rows = asked.first, {"bases": dict(zip(reward.RESOURCES, learnt))}
    failed = failed or ("Fixed point is off by more than rounding allows." if off > bound else None)

    for name, motivation in reward.MOTIVATIONS.items():
        found = reward.revalued(e, path, motivation)
        later = ", ".join(f"{found.rms[n]:.3f} after {n}" for n in found.scratch)
        ends = ", ".join(f"{found.ends.count(n)} x {n or 'nowhere'}" for n in dict.fromkeys(found.ends))
        print(f"{name}: rms error {found.rms[0]:.3f} at once; TD from scratch {later}, then {found.gap / code:.1f} "
              f"codes apart; agent ends {ends}")
        rows[name] = {"at once": found.at_once, **{f"TD, {n} steps": v for n, v in found.scratch.items()}}
        if not found.right:
            failed = failed or f"{name}: the values are not what TD learning on the summed reward gives."
    save(value_maps(rows, reward.RESOURCES.values(), reward.WALLS), Path("out/reward_bases.svg"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
