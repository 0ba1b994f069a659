"""Pictures of what a run costs: blocks and verbs as stacked bars, and energy against size, steps and bits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from hebbar.energy.splits import VERBS, by_block, by_verb
from hebbar.energy.technology import Range

from .figures import BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, panels
from .svg import INK, STYLE

if TYPE_CHECKING:
    from hebbar.energy.run import Priced

__all__ = ["against", "blocks_and_verbs"]

COLOURS = dict(zip(VERBS, (BLUE, SKY, ORANGE, GREEN, PURPLE, YELLOW, RED), strict=True))
HATCHES = dict(zip(VERBS, ("", "//", "..", "\\\\", "xx", "--", "++"), strict=True))
"""So that no bar is told by its colour alone."""


def blocks_and_verbs(found: "Priced") -> Figure:
    """A bar for each block, typical nJ a sample, stacked by verb; a line from low to high."""
    places = found.places
    sums, verbs = by_block(places), list(by_verb(places))
    blocks = list(sums)
    with rc_context(STYLE):
        figure, (axes,) = panels(1.1 + 0.3 * len(blocks))
        left = [0.0] * len(blocks)
        for verb in verbs:
            widths = [places[block, verb].typical / 1000 if (block, verb) in places else 0.0 for block in blocks]
            axes.barh(range(len(blocks)), widths, left=left, height=0.62, color=COLOURS[verb], hatch=HATCHES[verb],
                      edgecolor=INK, linewidth=0.3, label=verb)
            left = [at + width for at, width in zip(left, widths, strict=True)]
        for i, whole in enumerate(sums.values()):
            axes.plot([whole.low / 1000, whole.high / 1000], [i, i], color=INK, linewidth=1.2, marker="|", markersize=6)
        axes.set(yticks=range(len(blocks)), yticklabels=blocks,
                 xlabel=f"nJ a sample, typical, {found.estimate.technology.name}; lines from low to high")
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.legend(loc="lower right", ncols=2)
        return figure


def against(sweeps: Mapping[str, Sequence[tuple[float, str, Range, bool]]], technology: str) -> Figure:
    """Typical nJ a sample with low to high against each axis: place, label, pJ a sample, whether it is the
    configuration's own, which has a ring."""
    with rc_context(STYLE):
        figure, axes = panels(2.8, len(sweeps), sharey=True)
        for a, (axis, points) in zip(axes, sweeps.items(), strict=True):
            at = range(len(points))
            low, typical, high = ([getattr(e, level) / 1000 for _, _, e, _ in points]
                                  for level in ("low", "typical", "high"))
            a.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0, label="low to high")
            a.plot(at, typical, "-s", color=BLUE, markersize=3.5, label="typical")
            for i, (_, _, energy, own) in enumerate(points):
                if own:
                    a.plot([i], [energy.typical / 1000], "o", color=ORANGE, markersize=9, markerfacecolor="none",
                           label="the configuration")
            a.set(xlabel=axis, xticks=list(at), xticklabels=[label for _, label, _, _ in points])
            a.tick_params(axis="x", rotation=60 if axis == next(iter(sweeps)) else 0)
        axes[0].set_ylim(0, None)
        axes[0].set_ylabel(f"nJ a sample, {technology}")
        axes[-1].legend(loc="upper left")
        return figure
