"""One generative network, one set of weights: classify, generate and complete digits by what is clamped.

    python examples/query.py [--epochs 30] [--quick]     # draws out/query_generated.svg and out/query_completed.svg
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.example import Backend, Epochs, Quick, run
from hebbar.studies.memories.query import ACCURACY, one_network
from hebbar.studies.memories.stored import digits, relative, upper_half
from hebbar.studies.questions import ask


def main(epochs: Epochs = 30, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Train once, ask in three ways on the golden machine and the RTL, draw; what went wrong, or None."""
    reporter, data, e = Reporter(), digits(), one_network(6 if quick else epochs)
    test = data.test.take(np.arange(40 if quick else len(data.test)))
    images, given = test.inputs_float, upper_half(test.inputs_float)

    def asked(v, held, y, known):
        return ask(e, "query", {"v": v, "v.clamp": held, "y": y, "y.clamp": known}, reporter, backend)

    nothing, ten, no = np.zeros((len(test), 10)), np.zeros((10, 64)), np.zeros((10, 10))
    classified = asked(images, np.ones_like(images), nothing, nothing)
    accuracy = 100 * (classified.outputs["y"].argmax(axis=1) == test.labels).mean()
    generated = asked(ten, ten, np.eye(10), np.ones((10, 10)))
    made = generated.outputs["v"]
    recognised = asked(made, np.ones_like(made), no, no).outputs["y"].argmax(axis=1)
    completed = asked(given["v"], given["v.clamp"], nothing, nothing)
    share = 100 * relative(completed.outputs["v"], images, data.train.inputs_float.mean(axis=0))
    print(f"classify: {accuracy:.1f} % of {len(test)} test images; {classified}")
    print(f"generate: classified as {recognised.tolist()}; {generated}")
    print(f"complete: {share:.1f} % of the squared error of the mean image; {completed}")
    save(gallery({"generated": made}), Path("out/query_generated.svg"))
    save(gallery({"test image": images, "given": given["v"], "completed": completed.outputs["v"]}),
         Path("out/query_completed.svg"))
    wrong = next((a.first for a in (classified, generated, completed) if a.first), None)
    if wrong or ((recognised == np.arange(10)).all() and accuracy >= ACCURACY and share < 100):
        return wrong
    return f"Accuracy is below {ACCURACY} %, a digit is not recognised, or the mean image completes better."

if __name__ == "__main__":
    run(main)
