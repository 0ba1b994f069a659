"""Universal Hopfield networks: random bits on the RTL, then similarities by separations on noisy digits.

    python examples/hopfield_family.py [--noise 0.4] [--quick]     # draws out/hopfield_family.svg
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.example import Backend, Noise, Quick, run
from hebbar.studies.memories.hopfield import NAMES, TABLE_BETAS, bits, compared, heading, hopfield_recall
from hebbar.studies.memories.stored import images


def main(noise: Noise = 0.4, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Recall bits and images, print the table, draw; what went wrong, or None."""
    reporter, failed = Reporter(), None
    patterns, queries, wanted = bits(queries=1 if quick else 20)
    for how, name in NAMES.items():
        asked = hopfield_recall(how, patterns, queries, reporter, backend)
        z = asked.outputs["z"]
        print(f"{name}: {100 * ((z >= 0) != (wanted > 0)).mean():.2f} % of bits wrong; {asked}")
        inexact = how != "activation" and (z != wanted).any()
        failed = failed or asked.first or ("A pattern is not recalled exactly." if inexact else None)

    stored = images(100)
    noisy = stored + np.random.default_rng(0).normal(0, noise, stored.shape)
    rows = {"stored": stored, "asked with": noisy}
    print(heading())
    for kind in TABLE_BETAS:
        found = compared(kind, stored, noisy, reporter, backend)
        print(found)
        failed = failed or found.first
        if found.machine:
            rows[kind] = 8 * found.machine["max"].outputs["z"]
    save(gallery(rows), Path("out/hopfield_family.svg"))
    return failed

if __name__ == "__main__":
    run(main)
