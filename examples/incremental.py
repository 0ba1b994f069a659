"""iPC learns in every state step and ends where backprop does: curves of iPC, IL and backprop, and what they cost.

    python examples/incremental.py [--seeds 5] [--quick]      # draws out/incremental.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from golden.learning.training import data_of, train_fixed
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.cost import trained_cost
from hebbar.studies.drawings.learning import by_epoch
from hebbar.studies.parameter_sweep import in_parallel
from hebbar.studies.replays import FLAGSHIP

RULES = {"iPC": "digits_ipc", "IL": "digits", "backprop": "backprop"}
CLOSE = 1.0
"""Points between the means of iPC and backprop that are no difference."""


def curve(preset: str, seed: int, epochs: int | None) -> list[float]:
    """Percent right on the held-out part after every epoch, in fixed point."""
    config = load(preset).replace(training={"seed": seed} | ({"epochs": epochs} if epochs else {}), data={"seed": seed})
    program = compile_config(config)
    return [100 * a for a in train_fixed(program, data_of(program)).accuracy]


def main() -> str | None:
    """Train, replay on the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two seeds, six epochs")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    reporter, seeds, epochs = Reporter(), 2 if options.quick else options.seeds, 6 if options.quick else None

    work = [(preset, seed, epochs) for preset in RULES.values() for seed in range(seeds)]
    found = np.array(in_parallel(curve, work, 2, reporter, "trainings", lambda c: f"{c[-1]:.1f} %"))
    curves, failed = dict(zip(RULES, found.reshape(len(RULES), seeds, -1))), None
    for name, preset in RULES.items():
        config = load(preset).replace(machine=load(FLAGSHIP).machine.model_dump())  # one machine for all
        cost = trained_cost(config, 5 if options.quick else 100, reporter, options.backend)
        print(f"{name}: {curves[name][:, -1].mean():.2f} % ({curves[name][:, -1].min():.1f} to "
              f"{curves[name][:, -1].max():.1f}); {cost}")
        failed = failed or cost.first
    save(by_epoch(curves), Path("out/incremental.svg"))
    gap = curves["iPC"][:, -1].mean() - curves["backprop"][:, -1].mean()
    print(f"iPC less backprop: {gap:+.2f} points")
    return failed or (f"iPC and backprop are {abs(gap):.2f} points apart." if abs(gap) > CLOSE else None)


if __name__ == "__main__":
    sys.exit(main())
