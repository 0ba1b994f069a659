"""Four values of a grid learnt together; a new motivation revalues every place at once, TD learning starts anew.

    python examples/reward_bases.py [--steps 20000] [--quick]     # draws out/reward_bases.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.console import Reporter
from sim.bench import reward
from sim.bench.recall import Memory, ask
from sim.html.svg import save
from sim.html.systems import value_maps

MOTIVATIONS = {"thirsty": (1.0, 0.0, 0.0, 0.0), "hungry, no salt": (0.0, 1.0, -1.0, 0.0), "mixed": (0.5, 0.25, -0.5, 0.25)}


def main() -> str | None:
    """Learn, revalue, compare with float, with TD from scratch and with the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--quick", action="store_true", help="2000 steps")
    parser.add_argument("--backend", default="fast", help="fast, verilator, icarus or pysim")
    options = parser.parse_args()
    path, exact, places = reward.walk(2000 if options.quick else options.steps, seed=1), reward.exact(), list(reward.STARTS)
    e, rate = reward.learn(path), 2.0**-4
    bound, learnt = reward.rounding_bound(rate), e.weights["features", "values"]

    asked = ask(Memory("reward_bases"), "train", path.samples(), Reporter(), options.backend)
    print(f"{len(path.places)} steps, {asked.cycles:,.0f} cycles and {asked.energy:,.1f} nJ a step; RTL: {asked.missing} "
          f"{asked.mismatches} mismatches in {asked.words:,} words")
    floating = reward.floating(path, rate)
    off = np.abs(learnt - floating).max()
    print(f"values: at most {off / reward.WEIGHT:.1f} weight codes from float64, rounding allows {bound / reward.WEIGHT:.1f}")
    failed, rows = asked.first, {"bases": dict(zip(reward.RESOURCES, learnt))}
    failed = failed or ("Fixed point is off by more than rounding allows." if off > bound else None)

    for name, motivation in MOTIVATIONS.items():
        total, truth = reward.revalue(e, motivation), np.array(motivation) @ exact
        scratch = {n: reward.from_scratch(path.first(n), motivation) for n in (100, 1000, len(path.places))}
        rms = {n: float(np.sqrt(((v - truth)[places] ** 2).mean())) for n, v in {0: total, **scratch}.items()}
        gap = np.abs(np.array(motivation) @ learnt - scratch[len(path.places)]).max()
        ends = [reward.destination(total, motivation, p) for p in places]
        bad = sum(m < 0 and n in ends for n, m in zip(reward.RESOURCES, motivation))
        print(f"{name}: rms error {rms[0]:.3f} at once; TD from scratch " + ", ".join(
            f"{v:.3f} after {n}" for n, v in rms.items() if n) + f", then {gap / reward.WEIGHT:.1f} codes apart; agent ends "
            + ", ".join(f"{ends.count(n)} x {n or 'nowhere'}" for n in dict.fromkeys(ends)))
        rows[name] = {"at once": total, **{f"TD, {n} steps": v for n, v in scratch.items()}}
        if bad or gap > (sum(map(abs, motivation)) + 1) * bound or rms[0] > rms[100]:
            failed = failed or f"{name}: the values are not what TD learning on the summed reward gives."
    save(value_maps(rows, reward.RESOURCES.values(), reward.WALLS), Path("out/reward_bases.svg"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
