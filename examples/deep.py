"""What depth does to three rules, and where credit is while a deep network infers.

    python examples/deep.py [--seeds 3] [--quick]      # draws out/deep.svg

Residual networks of 32 neurons a layer learn digits in fixed point. Predictive coding loses with every doubling of
the depth; PC-ALM, whose errors are integrated, does not.
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.depth import by_depth
from hebbar.studies.example import Quick, Seeds, run


def main(seeds: Seeds = 3, quick: Quick = False) -> str | None:
    """Train by depth, count layer-steps that are exactly zero, draw both; what went wrong, or None."""
    seeds, epochs, depths = (1, 1, (4, 16)) if quick else (seeds, by_depth.EPOCHS, by_depth.DEPTHS)
    found = by_depth.accuracies(seeds, Reporter(), depths, epochs)
    for rule, values in found.items():
        print(f"{rule}: " + ", ".join(f"{depth} layers {v.mean():.2f} %" for depth, v in zip(depths, values)))
    zero = by_depth.quiet(depths[-1])
    print(f"{depths[-1]} layers: {100 * zero.mean():.1f} % of {zero.size:,} layer-steps are exactly zero")
    save(by_depth.draw(found, zero, depths), Path("out/deep.svg"))
    behind = found["backprop"][-1].mean() - found["pc_alm"][-1].mean()
    ahead = found["pc_alm"][-1].mean() - found["il"][-1].mean()
    if behind > 5 or ahead < 10:
        return f"at {depths[-1]} layers PC-ALM is {behind:.1f} points behind backprop and {ahead:.1f} ahead of IL."
    return None


if __name__ == "__main__":
    run(main)
