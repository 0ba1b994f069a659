"""One generative network, one set of weights: classify, generate and complete digits by what is clamped.

    python examples/query.py [--epochs 30] [--quick]     # draws out/query_generated.svg and out/query_completed.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.recall import ask, digits, one_network, relative, upper_half

ACCURACY = 85
"""Percent of test images that the network has to classify."""


def main() -> str | None:
    """Train once, ask in three ways on the golden machine and the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="6 epochs, 40 test images")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    reporter, data = Reporter(), digits()
    e = one_network(6 if options.quick else options.epochs)
    test = data.test.take(np.arange(40 if options.quick else len(data.test)))
    count, given = len(test), upper_half(test.inputs_float)

    def asked(v, held, y, known):
        return ask(e, "query", {"v": v, "v.clamp": held, "y": y, "y.clamp": known}, reporter, options.backend)

    nothing, ten = np.zeros((count, 10)), np.zeros((10, 64))
    classified = asked(test.inputs_float, np.ones((count, 64)), nothing, nothing)
    accuracy = 100 * (classified.outputs["y"].argmax(axis=1) == test.labels).mean()
    generated = asked(ten, ten, np.eye(10), np.ones((10, 10)))
    made = generated.outputs["v"]
    recognised = asked(made, np.ones((10, 64)), np.zeros((10, 10)), np.zeros((10, 10))).outputs["y"].argmax(axis=1)
    completed = asked(given["v"], given["v.clamp"], nothing, nothing)
    share = 100 * relative(completed.outputs["v"], test.inputs_float, data.train.inputs_float.mean(axis=0))
    print(f"classify: {accuracy:.1f} % of {count} test images; {classified}")
    print(f"generate: classified as {recognised.tolist()}; {generated}")
    print(f"complete: {share:.1f} % of the squared error of the mean image; {completed}")
    save(gallery({"generated": made}), Path("out/query_generated.svg"))
    save(gallery({"test image": test.inputs_float, "given": given["v"], "completed": completed.outputs["v"]}),
         Path("out/query_completed.svg"))
    wrong = next((a.first for a in (classified, generated, completed) if a.first), None)
    if wrong or ((recognised == np.arange(10)).all() and accuracy >= ACCURACY and share < 100):
        return wrong
    return f"Accuracy is below {ACCURACY} %, a digit is not recognised, or the mean image completes better."


if __name__ == "__main__":
    sys.exit(main())
