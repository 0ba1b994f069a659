"""Universal Hopfield networks: random bits on the RTL, then similarities by separations on noisy digits.

    python examples/hopfield_family.py [--noise 0.4] [--quick]     # draws out/hopfield_family.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from golden.reference.hopfield import SEPARATIONS
from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.recall import TABLE_BETAS, bits, float_answers, hopfield_recall, images, similar, wrong


def main() -> str | None:
    """Recall bits and images, print the table, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--noise", type=float, default=0.4, help="standard deviation, of pixels from 0 to 1")
    parser.add_argument("--quick", action="store_true", help="one query a pattern of bits")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    reporter, failed = Reporter(), None

    patterns, queries, wanted = bits(queries=1 if options.quick else 20)
    for how, name in (("softmax", "modern, softmax"), ("max", "max"), ("activation", "classical, sign afterwards")):
        asked = hopfield_recall(how, patterns, queries, reporter, options.backend)
        z = asked.outputs["z"]
        print(f"{name}: {100 * ((z >= 0) != (wanted > 0)).mean():.2f} % of bits wrong; {asked}")
        inexact = how != "activation" and (z != wanted).any()
        failed = failed or asked.first or ("A pattern is not recalled exactly." if inexact else None)

    stored = images(100)
    noisy = stored + np.random.default_rng(0).normal(0, options.noise, stored.shape)
    rows = {"stored": stored, "asked with": noisy}
    print(f"{'images taken for another, %':30}" + "".join(f"{s:>12}" for s in SEPARATIONS)
          + "    on the machine: softmax, max")
    for kind in TABLE_BETAS:
        line = "".join(f"{100 * wrong(float_answers(kind, s, stored, noisy), stored):12.0f}" for s in SEPARATIONS)
        machine = ""
        for how in () if kind == "manhattan" else ("softmax", "max"):
            asked = similar(kind, how, stored, noisy, reporter, options.backend)
            machine += f"{100 * wrong(asked.outputs['z'], stored):6.0f}"
            failed, rows[kind] = failed or asked.first, 8 * asked.outputs["z"]
        print(f"{kind:30}{line}    {machine or 'no matrix product: float only'}")
    save(gallery(rows), Path("out/hopfield_family.svg"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
