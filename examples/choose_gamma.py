"""How large may gamma be? The bound 2 / lambda_max, inference on both sides of it, and the machine just below.

    python examples/choose_gamma.py [--samples 100] [--quick]     # draws out/choose_gamma.svg
"""

import argparse
import sys
from pathlib import Path

from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.report.systems import convergence
from hebbar.studies import gamma as bench

STEPS = 32
"""Inference steps of the machine; those of the preset are few enough to hide a gamma that is too large."""


def main() -> str | None:
    """Train a little, ask theory for gamma, try both sides, run the machine, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="20 samples, 4 on the RTL")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    count = 20 if options.quick else options.samples
    replayed = max(1, count // 5)

    e = Experiment("digits", training={"epochs": 1})
    e.train()
    network, weights, some = e.program.layout.network, e.weights, e.data.train.take(range(count))
    clamps = {"x0": some.inputs_float, "x2": some.targets}
    line, real = bench.linear_sides(bench.linear(network), weights, clamps), bench.sides(network, weights, clamps)
    print(f"f linear, {count} samples: 2 / lambda_max from {line}")
    print(f"leaky f, {count} samples: 2 / lambda_max from {real}; "
          f"below, {real.settled} settle, others hop across the kink")

    chosen, runs, left = bench.power_below(real.bounds.min()), {}, []
    for gamma in (chosen, min(bench.ABOVE * real.bounds.max(), bench.MOST)):
        machine = e.config.replace(rule={"gamma": gamma, "steps": STEPS})
        energies = bench.machine_energies(machine, weights, clamps)
        left.append(bench.together(energies, real.least))
        runs[f"gamma {gamma:.3g}"] = bench.shares(energies, real.least)
        print(f"machine, gamma {gamma:.3g}: E - E*, all samples summed, ends at {left[-1]:.2g} of its start")
    rtl = Experiment("digits", rule={"gamma": chosen, "steps": STEPS})
    rtl.set_weights(weights)
    check = rtl.cosimulate(replayed, options.backend, reporter=Reporter())
    cycles, energy = bench.price(rtl.program, check.counters, replayed)
    print(f"training with gamma {chosen:g}, {STEPS} steps: {cycles:,.0f} cycles and {energy:,.1f} nJ a sample; "
          f"RTL: {check.mismatches} mismatches in {check.words:,} words")
    save(convergence({"f linear": line.runs, "leaky f": real.runs, "machine": runs}), Path("out/choose_gamma.svg"))
    held = line.exact and real.apart and left[0] < 1 < left[1]
    return check.first or (None if held else "Inference does not change sides where the bound says.")


if __name__ == "__main__":
    sys.exit(main())
