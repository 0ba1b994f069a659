"""Memory in feature space: the same array with and without a fixed encoder, asked with noisy images.

    python examples/feature_memory.py [--noise 0.4] [--quick]     # draws out/feature_memory.svg
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.recall import feature_recall, images

SLOTS = 60
GAIN = 20
"""Points by which the encoder has to better retrieval by dot products."""


def main() -> str | None:
    """Store images under codes and under themselves, retrieve, draw; what went wrong, or None."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--noise", type=float, default=0.4, help="standard deviation, of pixels from 0 to 1")
    parser.add_argument("--quick", action="store_true", help="one query an image")
    parser.add_argument("--backend", default="fast", help="as for hebbar simulate, but not golden")
    options = parser.parse_args()
    stored, rng = images(SLOTS), np.random.default_rng(0)
    wanted = np.tile(stored, (1 if options.quick else 10, 1))
    queries = np.clip(wanted + rng.normal(0, options.noise, wanted.shape), -2, 2)
    rows, right = {"stored": stored, "asked with": queries}, {}

    for kind in ("pixels", "features"):
        _, asked = feature_recall(kind, stored, queries, Reporter(), options.backend)
        answers = asked.outputs["z"]
        right[kind], rows[f"by {kind}"] = 100 * (answers == wanted).all(axis=1).mean(), answers
        strays = (answers[:, None] != stored).any(axis=2).all(axis=1).sum()
        print(f"keys of {kind}: {right[kind]:.1f} % of images retrieved bit for bit; {asked}")
        if asked.first or strays:
            return asked.first or f"{strays} answers by {kind} are no stored image."
    save(gallery(rows), Path("out/feature_memory.svg"))
    gain = right["features"] - right["pixels"]
    return None if gain >= GAIN else f"The encoder betters retrieval by {gain:.1f} points, less than {GAIN}."


if __name__ == "__main__":
    sys.exit(main())
