"""A categorical output and precise hidden layers: are the probabilities right, what are they worth, what does pi do?

    python examples/categorical.py [--seeds 5] [--quick]      # draws out/categorical.svg
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.categorical import precision, probabilities
from hebbar.studies.categorical.draw import draw
from hebbar.studies.cost import trained_cost
from hebbar.studies.example import Backend, Quick, Seeds, run


def main(seeds: Seeds = 5, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Compare probabilities, score trainings, sweep the precision, replay and draw; what went wrong, or None."""
    seeds, epochs = (1, 1) if quick else (seeds, None)
    reporter, failed, calibrated = Reporter(), None, []
    shares = probabilities.shares(20 if quick else 360)
    print(shares)
    for system, scores in probabilities.worth(seeds, reporter, epochs).items():
        found = probabilities.calibrations(system, scores)
        cost = trained_cost(probabilities.config(system), 4 if quick else 100, reporter, backend)
        print(*found, f"  {cost}", sep="\n")
        calibrated += found
        failed = failed or cost.first
    effects = precision.effects(2 if quick else 20, 1 if quick else 3, reporter, epochs)
    print(effects)
    save(draw(shares, calibrated, effects), Path("out/categorical.svg"))
    if not shares.within or abs(effects.order - 1) > precision.SLACK:
        failed = failed or "The probabilities are off by more than rounding allows, or the order is not 1."
    return failed

if __name__ == "__main__":
    run(main)
