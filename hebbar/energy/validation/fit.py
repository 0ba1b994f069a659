"""Predictions of every macro: untuned, and from the other chips; intervals; summaries.

Constants are fitted as the most probable ones: a prior around the untuned value, as wide as its sources disagree, and a
loss of the logarithm of published over predicted that stops growing beyond a factor of two, so that a chip which
publishes something else than the law describes does not move the law.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from .laws import AREA, LAWS, Law, law_of
from .tables import Design, designs

__all__ = ["COVERAGE", "Prediction", "Summary", "areas", "fitted", "laws_fitted", "macro_factor", "predictions", "role",
           "summary"]

TURN = math.log(2)
"""Where the loss has half of its final value: a factor of two."""

COVERAGE = 0.8
"""Share of the published figures that an interval is made to hold."""

REACH, POINTS, ROUNDS = 3.0, 25, 3
"""Standard deviations of the prior that the search covers, points of an axis, refinements."""

Values = tuple[float, ...]


@dataclass(frozen=True)
class Prediction:
    """A macro's energy of a pass in pJ, or area in mm2; ``left_out`` and ``factor`` come from other chips alone.

    The interval is ``left_out`` times and divided by ``factor``.
    """

    design: Design
    law: str
    published: float
    untuned: float
    left_out: float
    factor: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the published figure."""
        return abs(math.log(self.published / self.left_out)) <= math.log(self.factor) + 1e-12


def role(design: Design) -> str:
    """Why a row counts or does not: "macro" counts; all others are printed and kept out of medians."""
    if (law := law_of(design)) is None:
        return "no in-memory-computing macro"
    if design.kind != "silicon":
        return design.kind
    if missing := design.missing(law.needs):
        return "not published: " + ", ".join(missing)
    if design.system_level == "y":
        return "figure of a whole system"
    return "further point of a supply sweep" if design.sweep == "y" else "macro"


def _ratios(law: Law, known: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
    """Features (designs, constants) and published figures (designs,)."""
    return np.array([law.features(d) for d in known]), np.array([law.published(d) for d in known])


def fitted(law: Law, known: Sequence[Design]) -> Values:
    """The most probable constants given these designs; without any, the untuned ones."""
    constants = law.constants()
    middle = np.array([math.log(c.value) for c in constants])
    if not known:
        return tuple(c.value for c in constants)
    features, published = _ratios(law, known)
    prior, wide = middle.copy(), np.array([c.spread for c in constants])
    reach = REACH * wide
    for _ in range(ROUNDS):
        axes = [np.linspace(m - r, m + r, POINTS) for m, r in zip(middle, reach, strict=True)]
        points = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)
        off = np.log(np.exp(points) @ features.T / published) ** 2
        cost = (off / (off + TURN**2)).sum(axis=1) + 0.5 * (((points - prior) / wide) ** 2).sum(axis=1)
        middle, reach = points[cost.argmin()], reach * 4 / POINTS
    return tuple(float(v) for v in np.exp(middle))


def _factor(law: Law, known: Sequence[Design], values: Values) -> float:
    """The factor within which a share COVERAGE of these designs lie: the order statistic of n + 1, as a design yet
    unseen is one more."""
    features, published = _ratios(law, known)
    off = np.abs(np.log(features @ np.array(values) / published))
    return math.exp(float(np.quantile(off, COVERAGE, method="weibull")))


def predictions(found: Sequence[Design]) -> list[Prediction]:
    """The energy of every macro with full inputs, in the order of ``found``."""
    return _predicted(found, law_of, [d for d in found if role(d) == "macro"])


def areas(found: Sequence[Design]) -> list[Prediction]:
    """The area of every SRAM macro of silicon that publishes it, once for a chip and area."""
    once: dict[tuple[str, float], Design] = {}
    for design in found:
        if law_of(design) and design.text["class"].startswith("sram") and design.kind == "silicon" \
                and not design.missing(AREA.needs) and design.system_level != "y":
            once.setdefault((design.chip, round(design.given["pub_area_mm2"], 3)), design)
    macros = list(once.values())
    return _predicted(macros, lambda _: AREA, macros)


def _predicted(found: Sequence[Design], which: Callable[[Design], Law | None], macros: Sequence[Design]
               ) -> list[Prediction]:
    """Predictions by the law that ``which`` gives; constants from the macros of other chips."""
    results = []
    others: dict[tuple[str, str], tuple[Values, float]] = {}
    for design in found:
        if (law := which(design)) is None or design.missing(law.needs):
            continue
        key = law.name, design.chip
        if key not in others:
            known = [d for d in macros if which(d) is law and d.chip != design.chip]
            values = fitted(law, known)
            others[key] = values, _factor(law, known, values)
        values, factor = others[key]
        results.append(Prediction(design, law.name, law.published(design), law.predict(design),
                                  law.predict(design, values), factor))
    return results


@dataclass(frozen=True)
class Summary:
    """What some predictions come to: rows, chips, median relative error, median factor, shares within 1.5, 2 and 3
    times."""

    rows: int
    chips: int
    median: float
    factor: float
    within_1_5: float
    within_2: float
    within_3: float
    bias: float


def summary(pairs: Sequence[tuple[float, float]], chips: int) -> Summary:
    """The summary of pairs (predicted, published)."""
    ratio = np.array([predicted / published for predicted, published in pairs])
    factor = np.maximum(ratio, 1 / ratio)
    return Summary(len(ratio), chips, float(np.median(np.abs(ratio - 1))), float(np.median(factor)),
                   float(np.mean(factor <= 1.5)), float(np.mean(factor <= 2)), float(np.mean(factor <= 3)),
                   float(np.median(ratio)))


@cache
def macro_factor(name: str) -> float:
    """The factor around a law's untuned predictions within which a share COVERAGE of all published macros lie."""
    law = LAWS[name]
    macros = [d for d in designs() if role(d) == "macro" and law_of(d) is law]
    return _factor(law, macros, tuple(c.value for c in law.constants()))


def laws_fitted(found: Sequence[Design]) -> dict[str, Values]:
    """The constants fitted to all macros, by law."""
    macros = [d for d in found if role(d) == "macro"]
    return {name: fitted(law, [d for d in macros if law_of(d) is law]) for name, law in LAWS.items()}
