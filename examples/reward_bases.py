"""Four values of a grid learnt together; a new motivation revalues every place at once, TD learning starts anew.

    python examples/reward_bases.py [--steps 20000] [--quick]     # draws out/reward_bases.svg
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import reward
from hebbar.studies.example import Backend, Quick, Samples, run


def main(steps: Samples = 20000, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Learn, revalue, compare with float, with TD from scratch and with the RTL, draw; what went wrong, or None."""
    path = reward.walk(2000 if quick else steps, seed=1)
    asked, e = reward.replay(path, Reporter(), backend), reward.learn(path)
    bound, learnt, code = reward.rounding_bound(reward.RATE), e.weights["features", "values"], reward.WEIGHT
    print(f"{len(path.places)} steps, {asked.cycles:,.0f} cycles and {asked.energy:,.1f} nJ a step; RTL: "
          + (asked.missing or f"{asked.mismatches} mismatches in {asked.words:,} words"))
    off = np.abs(learnt - reward.floating(path, reward.RATE)).max()
    print(f"values: at most {off / code:.1f} weight codes from float64, rounding allows {bound / code:.1f}")
    failed = asked.first or ("Fixed point is off by more than rounding allows." if off > bound else None)

    rows = {"bases": dict(zip(reward.RESOURCES, learnt))}
    for name, motivation in reward.MOTIVATIONS.items():
        found = reward.revalued(e, path, motivation)
        print(f"{name}: {found}")
        rows[name] = found.maps
        if not found.right:
            failed = failed or f"{name}: the values are not what TD learning on the summed reward gives."
    save(reward.draw(rows, reward.RESOURCES.values(), reward.WALLS), Path("out/reward_bases.svg"))
    return failed

if __name__ == "__main__":
    run(main)
