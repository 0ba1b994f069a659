"""Associative memories complete digits from their upper halves: PC, covPCN implicit and dendritic, one RTL.

    python examples/recall_images.py [--images 32] [--quick]     # draws out/recall_images.svg
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.example import Backend, Quick, Samples, run
from hebbar.studies.memories.completion import KINDS, LIMIT, complete
from hebbar.studies.memories.stored import images as digits, upper_half


def main(images: Samples = 32, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Store, complete, compare with closed forms and the RTL, draw; what went wrong, or None."""
    stored, failed = digits(8 if quick else images), None
    rows = {"stored": stored, "given": upper_half(stored)["v"]}
    for name in KINDS:
        found = complete(name, stored, Reporter(), backend)
        print(f"{name}: {found}")
        rows[name] = found.images
        missed = f"{name} recalls at {found.share:.1f} %, above {LIMIT} %." if found.share > LIMIT else None
        failed = failed or found.asked.first or missed
    rows["mean image"] = np.repeat(stored.mean(axis=0)[None], len(stored), axis=0)
    save(gallery(rows), Path("out/recall_images.svg"))
    return failed

if __name__ == "__main__":
    run(main)
