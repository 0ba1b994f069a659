"""``hebbar bench costs``: the laws behind the estimates against published figures, each beside its target."""

from collections.abc import Sequence
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.energy.validation import sram
from hebbar.energy.validation.fit import Prediction, Summary, areas, predictions, summary
from hebbar.energy.validation.given import given
from hebbar.energy.validation.laws import law_of
from hebbar.energy.validation.page import groups
from hebbar.energy.validation.tables import component, designs
from hebbar.energy.validation.units import in_units
from hebbar.synth.aqfp.balance import balanced
from hebbar.synth.aqfp.network import adder, array_multiplier
from hebbar.synth.aqfp.target import VECTORS, equivalent

from . import counter_agreement
from .gate_costs import against_opensta, tiers

__all__ = ["SEEDS", "measure"]

SEEDS = {False: 0, True: 0}
"""Nothing is drawn."""
TECHNOLOGY = "cmos130"
"""Tier A's table beside tier C: the node of SG13G2, the library that the recorded figures are of."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick``: one sample of every program. ``data``: a Liberty file of
    standard cells, without which the rows of tier C are left out."""
    agreed = counter_agreement.measure(quick, reporter)
    reporter.say("predicting published macros ...")
    found = designs()
    predicted = predictions(found)
    by = dict(groups(predicted))
    held = [agreed, *_given(), *_untuned(by), *_left_out(by), *_intervals(by), *_fresh(), *_area(areas(found)),
            *_sram()]
    reporter.say("mapping adders and multipliers to AQFP ...")
    held += _aqfp()
    if data:
        held += [*against_opensta(data, folder, reporter), *tiers(data, TECHNOLOGY, folder, reporter)]
    return held


def _percent(name: str, value: float, limit: float, least: bool = False) -> Figure:
    """A share in percent beside the most, or the least, that it may be."""
    met = value >= limit - 1e-9 if least else value <= limit + 1e-9
    return Figure(name, round(100 * value, 2), f"{'>=' if least else '<='} {100 * limit:g}", "%", met)


def _given() -> list[Figure]:
    parts = given()
    return [Figure("components given, designs", len({g.source for g in parts}), ">= 7", "designs",
                   len({g.source for g in parts}) >= 7),
            _percent("components given, largest error", max(abs(g.error) for g in parts), 0.02)]


def _of(found: Sequence[Prediction], column: str) -> Summary:
    return summary([(getattr(p, column), p.published) for p in found], len({p.design.chip for p in found}))


def _untuned(by: dict[str, list[Prediction]]) -> list[Figure]:
    whole = _of(by["all macros"], "untuned")
    current = _of(by["current, all"], "untuned").factor
    return [Figure("predicted, nothing tuned: macros", whole.rows, ">= 60", "rows", whole.rows >= 60),
            Figure("predicted, nothing tuned: chips", whole.chips, ">= 40", "chips", whole.chips >= 40),
            _percent("predicted, nothing tuned: median error", whole.median, 0.40),
            _percent("predicted, nothing tuned: within a factor of two", whole.within_2, 0.70, least=True),
            _percent("- voltage-mode SRAM, median error", _of(by["voltage-mode SRAM"], "untuned").median, 0.30),
            _percent("- digital, median error", _of(by["digital, all"], "untuned").median, 0.25),
            Figure("- current mode, median factor", round(current, 3), "<= 2", "times", current <= 2)]


def _left_out(by: dict[str, list[Prediction]]) -> list[Figure]:
    limits = (("voltage-mode SRAM", 0.26), ("digital, all", 0.20), ("all macros", 0.40))
    return [_percent(f"leave one chip out: {name}, median error", _of(by[name], "left_out").median, limit)
            for name, limit in limits]


def _intervals(by: dict[str, list[Prediction]]) -> list[Figure]:
    whole = by["all macros"]
    held = _percent("intervals from the other chips hold", sum(p.holds for p in whole) / len(whole), 0.80, least=True)
    widths = {name: sorted(p.factor for p in by[f"{name}, all"]) for name in ("voltage", "digital")}
    middle = {name: found[len(found) // 2] for name, found in widths.items()}
    return [held, *(Figure(f"intervals, median width, {name}", round(width, 3), "<= 3", "times", width <= 3)
                    for name, width in middle.items())]


def _fresh() -> list[Figure]:
    """The designs that were looked up after the laws were frozen: reported whatever they are."""
    pairs = [(law.predict(d), law.published(d)) for d in designs("fresh.csv") if (law := law_of(d))]
    found = summary(pairs, len(pairs))
    return [Figure("fresh designs, laws frozen before", found.rows, ">= 6", "designs", found.rows >= 6),
            Figure("fresh designs, median error", round(100 * found.median, 2), "printed", "%", None),
            Figure("fresh designs, median factor", round(found.factor, 3), "printed", "times", None),
            Figure("fresh designs, within a factor of two", round(100 * found.within_2, 2), "printed", "%", None)]


def _area(found: Sequence[Prediction]) -> list[Figure]:
    return [_percent("area of macros, leave one chip out, median error", _of(found, "left_out").median, 0.50)]


def _sram() -> list[Figure]:
    limits = {"read_pj": 0.07, "write_pj": 0.05, "area_um2": 0.05}
    means = {term: sum(map(abs, sram.leave_one_out(term))) / 10 for term in sram.TERMS}
    return [_percent(f"law of an SRAM, leave one out, {term.partition('_')[0]}, mean error", means[term], limits[term])
            for term in sram.TERMS]


def _aqfp() -> list[Figure]:
    """Junctions of the full adders that published netlists have, and of majority gates beside them."""
    found = []
    for name, published, build, bits in (("8-bit adder", "AQFP 8-bit adder", adder, 8),
                                         ("8 x 8 multiplier", "AQFP 8x8 multiplier", array_multiplier, 8),
                                         ("16 x 16 multiplier", "AQFP 16x16 multiplier c6288", array_multiplier, 16)):
        want = in_units(component(published).value, "JJ", published)
        for majority in (False, True):
            network = build(bits, majority)
            mapped = balanced(network)
            equivalent(network, mapped, VECTORS)
            off = mapped.junctions / want - 1
            what = f"AQFP, {name}, majority full adders" if majority else f"AQFP, {name}, full adders of seven gates"
            found.append(Figure(f"{what}: junctions", mapped.junctions, "printed", "junctions", None))
            found.append(Figure(f"{what}: against {want:g} published", round(100 * off, 2),
                                "printed" if majority else "within 25", "%", None if majority else abs(off) <= 0.25))
    return found
