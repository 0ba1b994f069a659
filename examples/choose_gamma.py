"""How large may gamma be? The bound 2 / lambda_max, inference on both sides of it, and the machine just below.

    python examples/choose_gamma.py [--samples 100] [--quick]     # draws out/choose_gamma.svg
"""

from pathlib import Path

from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import gamma as study
from hebbar.studies.example import Backend, Quick, Samples, run

STEPS = 32
"""Inference steps of the machine; those of the preset are few enough to hide a gamma that is too large."""


def main(samples: Samples = 100, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Train a little, ask theory for gamma, try both sides, run the machine, draw; what went wrong, or None."""
    count = 20 if quick else samples
    e = Experiment("digits", training={"epochs": 1})
    e.train()
    network, weights, some = e.program.layout.network, e.weights, e.data.train.take(range(count))
    clamps = {"x0": some.inputs_float, "x2": some.targets}
    line, real = study.linear_sides(study.linear(network), weights, clamps), study.sides(network, weights, clamps)
    print(f"f linear, {count} samples: 2 / lambda_max from {line}")
    print(f"leaky f, {count} samples: 2 / lambda_max from {real}; "
          f"below, {real.settled} settle, others hop across the kink")

    chosen, above = study.power_below(real.bounds.min()), min(study.ABOVE * real.bounds.max(), study.MOST)
    machine = [study.on_machine(e.config, gamma, STEPS, weights, clamps, real.least) for gamma in (chosen, above)]
    print(*machine, sep="\n")
    rtl = Experiment("digits", rule={"gamma": chosen, "steps": STEPS})
    rtl.set_weights(weights)
    check = rtl.cosimulate(max(1, count // 5), backend, reporter=Reporter())
    cycles, energy = study.price(rtl.program, check.counters, max(1, count // 5))
    print(f"training with gamma {chosen:g}, {STEPS} steps: {cycles:,.0f} cycles and {energy:,.1f} nJ a sample; "
          f"RTL: {check.mismatches} mismatches in {check.words:,} words")
    runs = {f"gamma {m.gamma:.3g}": m.shares for m in machine}
    save(study.draw({"f linear": line.runs, "leaky f": real.runs, "machine": runs}), Path("out/choose_gamma.svg"))
    held = line.exact and real.apart and machine[0].left < 1 < machine[1].left
    return check.first or (None if held else "Inference does not change sides where the bound says.")

if __name__ == "__main__":
    run(main)
