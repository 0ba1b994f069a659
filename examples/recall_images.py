"""Associative memories complete digits from their upper halves: PC, covPCN implicit and dendritic, one RTL.

    python examples/recall_images.py [--images 32] [--quick]     # draws out/recall_images.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from golden.reference.covpcn import Recall
from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.recall import complete, covpcn_ends, images, relative, upper_half

LIMIT = 60
"""Percent of the squared error of the mean image that a recalled half may have."""
KINDS: dict[str, tuple[str, bool, Recall | None]] = {
    "PC": ("memory", True, None), "implicit": ("covpcn", True, "implicit"), "dendritic": ("covpcn", False, "dendritic")}


def main() -> str | None:
    """Store, complete, compare with closed forms and the RTL, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--quick", action="store_true", help="8 images")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    stored, failed = images(8 if options.quick else options.images), None
    rows = {"stored": stored, "given": upper_half(stored)["v"]}

    for name, (preset, feedback, kind) in KINDS.items():
        e, asked = complete(preset, stored, Reporter(), options.backend, feedback=feedback)
        share, rows[name] = 100 * relative(asked.outputs["v"], stored), asked.outputs["v"]
        print(f"{name}: {share:.1f} % of the squared error of the mean image; {asked}")
        if kind:
            ends = covpcn_ends(e, stored, kind)
            print(f"    closed form {100 * relative(ends, stored):.1f} %; a pixel after {e.config.rule.query_steps} "
                  f"steps in fixed point differs by {np.abs(ends - asked.outputs['v']).max():.3f} at most")
        missed = f"{name} recalls at {share:.1f} %, above {LIMIT} %." if share > LIMIT else None
        failed = failed or asked.first or missed
    rows["mean image"] = np.repeat(stored.mean(axis=0)[None], len(stored), axis=0)
    save(gallery(rows), Path("out/recall_images.svg"))
    return failed


if __name__ == "__main__":
    sys.exit(main())
