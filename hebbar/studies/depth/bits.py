"""The map of bits and depth: accuracy by the fraction bits of the neurons and the layers of weights."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from hebbar.contract.console import Reporter
from hebbar.contract.files import write_text
from hebbar.contract.results import Figure
from hebbar.report.figures import panels
from hebbar.report.svg import STYLE, save

from ..parts import as_csv
from .accuracy import mean, validation
from .trainings import Asked, Training, best, measured

__all__ = ["COLUMNS", "asked", "cells", "draw", "enough", "measure", "table"]

RULES = {"backprop": "backprop", "pc_alm": "PC-ALM", "il": "predictive coding"}
FRACS = {False: (6, 7, 8, 10, 12, 14), True: (8, 12)}
LAYERS = {False: (4, 8, 16, 32, 64, 128), True: (4, 8)}
SAMPLES = {False: 5000, True: 50}
SEEDS = {False: (1, 2), True: (1,)}
GRID = (-1, 0, 1)
"""How often every alpha is halved, one grid for all."""
COLUMNS = ("rule", "layers", "fraction_bits", "validation", "test", "alpha_halvings", "seeds")
NEAR = 1.0
"""Points below the most bits that still count as enough."""

Cells = dict[tuple[str, int, int], list[Training]]
"""The trainings of a rule, layers and fraction bits at their best rate, a seed each."""


def asked(quick: bool) -> list[Asked]:
    """All trainings, the shallow ones first, so that a map that is stopped has whole rows."""
    return [Asked(rule, halvings, seed, layers, SAMPLES[quick], frac=frac) for layers, frac, rule, halvings, seed
            in product(LAYERS[quick], FRACS[quick], RULES, GRID, SEEDS[quick])]


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Every training is kept in ``folder``; ``bits.csv`` and ``bits.svg`` there are the table and its drawing."""
    found = cells(measured(asked(quick), folder, images, reporter))
    write_text(folder / "bits.csv", table(found))
    save(draw(found), folder / "bits.svg")
    return list(_figures(found))


def cells(trainings: Sequence[Training]) -> Cells:
    """The trainings at the rate that is best on the images to choose on, cell by cell."""
    groups: dict[tuple[int, int], list[Training]] = {}
    for each in trainings:
        groups.setdefault((each.asked.layers, each.asked.frac), []).append(each)
    return {(rule, *where): runs for where, group in groups.items() for rule, runs in best(group).items()}


def _figures(found: Cells) -> Iterator[Figure]:
    for rule, layers in dict.fromkeys((rule, layers) for rule, layers, _ in found):
        points = {frac: mean(runs) for (r, n, frac), runs in found.items() if (r, n) == (rule, layers)}
        every = ", ".join(f"{frac}: {value:.1f}" for frac, value in sorted(points.items()))
        yield Figure(f"{RULES[rule]}, {layers} layers: fraction bits within {NEAR:g} point of 12, "
                     f"{found[rule, layers, min(points)][0].asked.samples:,} samples (test set, % by bits: {every})",
                     enough(points), "reported", "bits", None)


def enough(points: Mapping[int, float]) -> int:
    """The fewest fraction bits from which on, up to 12, no accuracy in percent is more than NEAR below that of the
    most, by the accuracy of each number of bits; more than 12 take from the range and are left out."""
    kept = {frac: value for frac, value in points.items() if frac <= 12}
    least = kept[max(kept)] - NEAR
    return min(frac for frac in kept if all(value >= least for f, value in kept.items() if f >= frac))


def table(found: Cells) -> str:
    """A row for each cell, as CSV; accuracies in percent."""
    return as_csv(COLUMNS, (
        (rule, layers, frac, f"{validation(runs):.2f}", f"{mean(runs):.2f}",
         runs[0].asked.halvings, len(runs)) for (rule, layers, frac), runs in found.items()))


def draw(found: Cells) -> Drawing:
    """A panel for each rule: accuracy by bits, a column, and layers, a row."""
    layers, fracs = sorted({n for _, n, _ in found}), sorted({frac for _, _, frac in found})
    with rc_context(STYLE):
        figure, axes = panels(2.8, len(RULES))
        for axis, (rule, name) in zip(axes, RULES.items(), strict=True):
            values = [[mean(found[rule, n, frac]) for frac in fracs] for n in layers]
            axis.imshow(values, aspect="auto", origin="lower", cmap="Blues", vmin=0, vmax=130)
            for (i, row), j in product(enumerate(values), range(len(fracs))):
                axis.text(j, i, f"{row[j]:.0f}", ha="center", va="center", fontsize=7)
            axis.set_xticks(range(len(fracs)), [str(frac) for frac in fracs])
            axis.set_yticks(range(len(layers)), [str(n) for n in layers])
            axis.set_xlabel("fraction bits")
            axis.set_title(name)
        axes[0].set_ylabel("layers of weights")
        return figure
