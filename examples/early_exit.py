"""Inference that stops when the energy stops falling: what it saves, what it costs, and that the RTL does the same.

    python examples/early_exit.py [--seeds 5] [--quick]      # draws out/early_exit.svg
"""

from pathlib import Path

from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies.early_exit import LOSS, draw, sweep
from hebbar.studies.example import Backend, Quick, Seeds, run


def main(seeds: Seeds = 5, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Sweep the tolerance, draw it, replay trained weights on the RTL; what went wrong, or None."""
    reporter, epochs = Reporter(), 2 if quick else None
    points = sweep(1 if quick else seeds, reporter, epochs)
    print(*points, sep="\n")
    save(draw(points), Path("out/early_exit.svg"))

    e = Experiment("early_exit", training={"epochs": epochs} if epochs else {})
    e.train()
    check = e.cosimulate(10 if quick else 100, backend, reporter=reporter)
    print(f"RTL with trained weights: {check.mismatches} mismatches in {check.words:,} words, cycles among them; "
          f"inference stopped early {check.counters['exits']} times")
    chosen, whole = (next(p for p in points if p.tolerance == t) for t in (e.config.rule.tolerance, 0.0))
    saves = chosen.steps < whole.steps and (quick or chosen.accuracy >= whole.accuracy - LOSS)
    return check.first or (None if saves else
                           f"Early exit at {chosen.tolerance:g} saves no steps or costs more than {LOSS} points.")

if __name__ == "__main__":
    run(main)
