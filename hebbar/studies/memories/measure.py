"""What memories recall, in fixed point and on the RTL: random bits, noisy images, halves of images."""

from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure

from ..questions import Asked, Reals
from .completion import LIMIT, complete, memory
from .hopfield import bits, hopfield_recall, similar
from .stored import images, relative, upper_half

__all__ = ["measure"]

HALVES = 32
"""Images that are stored and completed from their upper half."""
DRAWS = 5
"""Sets of images, each stored in a memory of its own."""
COMPLETIONS = {"memory via PC": "PC", "covPCN, implicit": "implicit", "covPCN, dendritic": "dendritic"}


def measure(reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> list[Figure]:
    """Each on the golden machine and on the RTL, with cycles and energy a query."""
    asked: dict[str, Asked] = {}
    figures = _bits(asked, reporter, backend, build)
    stored = images(100)
    noisy = stored + np.random.default_rng(0).normal(0, 0.5, stored.shape)
    asked["Euclidean, max"] = similar("stored_norm", "max", stored, noisy, reporter, backend, build)
    figures.append(_nearest(stored, noisy, asked["Euclidean, max"]))
    figures += _halves(asked, reporter, backend, build)
    wrong, words = sum(a.mismatches for a in asked.values()), sum(a.words for a in asked.values())
    figures.append(Figure(f"memories on the RTL, {words:,} words compared: mismatches", wrong, "0", "words",
                          wrong == 0 and words > 0))
    return figures + [Figure(f"{name}: energy a query of {a.cycles:,.0f} cycles", round(a.energy, 1), "reported", "nJ",
                             None)
                      for name, a in asked.items()]


def _bits(asked: dict[str, Asked], reporter: Reporter, backend: str, build: Path) -> list[Figure]:
    """Random patterns; only the classical network may err, by how much is reported."""
    patterns, queries, wanted = bits()
    figures = []
    for how in ("softmax", "max", "activation"):
        found = asked[f"Hopfield, {how}"] = hopfield_recall(how, patterns, queries, reporter, backend, build)
        share = 100 * float(((found.outputs["z"] >= 0) != (wanted > 0)).mean())
        exact = None if how == "activation" else bool((found.outputs["z"] == wanted).all())
        figures.append(Figure(f"Hopfield, {how}, 20 patterns of 100 bits, 20 % flips: wrong bits", round(share, 2),
                              "reported" if exact is None else "0, values exact", "%", exact))
    return figures


def _halves(asked: dict[str, Asked], reporter: Reporter, backend: str, build: Path) -> list[Figure]:
    """Completed images, the first draw on the RTL too."""
    figures, stored = [], images(HALVES)
    for name, kind in COMPLETIONS.items():
        found = complete(kind, stored, reporter, backend, build)
        asked[name], shares = found.asked, [found.share, *_other_draws(kind)]
        what = (f"{name}, {HALVES} images from their upper halves: squared error against that of their mean, worst of "
                f"{DRAWS} draws (mean {np.mean(shares):.1f})")
        figures.append(Figure(what, round(max(shares), 1), f"<= {LIMIT}", "%", max(shares) <= LIMIT))
    return figures


def _other_draws(kind: str) -> list[float]:
    """Percent of the mean image's error on the golden machine, all draws but the first."""
    shares = []
    for seed in range(1, DRAWS):
        stored = images(HALVES, seed)
        recalled = memory(kind, stored).run("query", upper_half(stored))["v"]
        shares.append(100 * relative(recalled, stored))
    return shares


def _nearest(stored: Reals, queries: Reals, found: Asked) -> Figure:
    """Answers that are not, bit for bit, the stored image nearest to the query as the machine sees it."""
    seen = np.floor(32 * queries + 0.5) / 32
    nearest = stored[((seen[:, None] - stored) ** 2).sum(axis=2).argmin(axis=1)]
    wrong = int((8 * found.outputs["z"] != nearest).any(axis=1).sum())
    return Figure(f"Euclidean, max, {len(stored)} images with noise of 0.5: answers other than the nearest image",
                  wrong, "0", "answers", not wrong)
