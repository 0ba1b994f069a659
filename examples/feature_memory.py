"""Memory in feature space: the same array with and without a fixed encoder, asked with noisy images.

    python examples/feature_memory.py [--noise 0.4] [--quick]     # draws out/feature_memory.svg
"""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.report.images import gallery
from hebbar.report.svg import save
from hebbar.studies.example import Backend, Noise, Quick, run
from hebbar.studies.memories.features import GAIN, SLOTS, feature_recall
from hebbar.studies.memories.stored import images


def main(noise: Noise = 0.4, quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Store images under codes and under themselves, retrieve, draw; what went wrong, or None."""
    stored, rng = images(SLOTS), np.random.default_rng(0)
    wanted = np.tile(stored, (1 if quick else 10, 1))
    queries = np.clip(wanted + rng.normal(0, noise, wanted.shape), -2, 2)
    rows, right = {"stored": stored, "asked with": queries}, {}

    for kind in ("pixels", "features"):
        asked = feature_recall(kind, stored, queries, Reporter(), backend)
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
    run(main)
