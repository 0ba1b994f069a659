"""iPC learns in every state step and ends where backprop does: curves of iPC, IL and backprop, and what they cost.

    python examples/incremental.py [--seeds 5] [--quick]      # draws out/incremental.svg
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.cost import trained_cost
from hebbar.studies.example import Backend, Quick, Seeds, run
from hebbar.studies.incremental import CLOSE, config, curves, draw


def main(seeds: Seeds = 5, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Train, replay on the RTL, draw; what went wrong, or None."""
    reporter, failed = Reporter(), None
    found = curves(2 if quick else seeds, reporter, 6 if quick else None)
    last = {name: curve[:, -1] for name, curve in found.items()}
    for name, percent in last.items():
        cost = trained_cost(config(name), 5 if quick else 100, reporter, backend)
        print(f"{name}: {percent.mean():.2f} % ({percent.min():.1f} to {percent.max():.1f}); {cost}")
        failed = failed or cost.first
    save(draw(found), Path("out/incremental.svg"))
    gap = last["iPC"].mean() - last["backprop"].mean()
    print(f"iPC less backprop: {gap:+.2f} points")
    return failed or (f"iPC and backprop are {abs(gap):.2f} points apart." if abs(gap) > CLOSE else None)

if __name__ == "__main__":
    run(main)
