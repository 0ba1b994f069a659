"""PC-ALM in a window that goes down with the credit, beside PC-ALM that sweeps every layer in every step.

Rates and windows are chosen on images that nothing learns from: of each rule the better of two rates, and of the
windows the one of the fewest cycles that loses no more than 0.3 points there. The test set is seen once, by the chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .accuracy import mean, validation
from .rtl import replayed
from .trainings import Asked, Training, best, measured
from .window_costs import Group, cost, keep

__all__ = ["Depth", "Window", "chosen", "measure"]

LOST = 0.3
RATES = (0, 1)


@dataclass(frozen=True)
class Window:
    """Options of the rule ``pc_alm_window``, in steps."""

    window: int
    lead: int
    stride: int

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """As those of a rule are given."""
        return tuple(vars(self).items())


@dataclass(frozen=True)
class Depth:
    """``layers`` that learn ``samples`` with each of ``seeds``, the windows to choose from, the most cycles against all
    sweeps, and how many samples are compared with the RTL."""

    layers: int
    samples: int
    seeds: tuple[int, ...]
    windows: tuple[Window, ...]
    most: float
    replayed: int

    def asked(self, window: Window | None) -> list[Asked]:
        """Every rate of a window, or of no window, seed by seed."""
        rule, options = ("pc_alm_window", window.options) if window else ("pc_alm", ())
        return [Asked(rule, rate, seed, self.layers, self.samples, options=options)
                for seed in self.seeds for rate in RATES]


NARROW = (Window(8, 4, 4), Window(12, 6, 4), Window(16, 8, 4), Window(24, 12, 4))
WIDE = (Window(48, 24, 8), *(Window(60, lead, 8) for lead in (20, 28, 36, 44)), Window(96, 48, 8), Window(128, 64, 16))
DEPTHS = {False: (Depth(32, 25_000, (1, 2), NARROW, 0.45, 20), Depth(128, 10_000, (1,), WIDE, 0.25, 2)),
          True: (Depth(32, 20, (1,), NARROW[:1], 0.45, 1),)}


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Every training is kept in ``folder``, and what the RTL was compared with; ``window.csv`` and ``window.svg`` there
    are cycles, energy and accuracy by the width of the window."""
    groups = {depth: _group(depth, folder, reporter, images) for depth in DEPTHS[quick]}
    keep(folder, {depth.layers: group for depth, group in groups.items()})
    return [figure for depth, group in groups.items() for figure in _figures(depth, group, folder, reporter, images)]


def _group(depth: Depth, folder: Path, reporter: Reporter, images: Path | None) -> Group:
    """Each at the better of two rates, with all sweeps and with every window of a depth."""
    every = (best(measured(depth.asked(window), folder, images, reporter)) for window in (None, *depth.windows))
    runs = [tuple(of) for found in every for of in found.values()]
    return {of: cost(of[0].asked, images) for of in runs}


def _figures(depth: Depth, group: Group, folder: Path, reporter: Reporter, images: Path | None) -> Iterator[Figure]:
    (dense, whole), *narrower = group.items()
    runs = {window: of for window, (of, _) in zip(depth.windows, narrower, strict=True)}
    cycles = {window: group[of].cycles / whole.cycles for window, of in runs.items()}
    name = f"depth {depth.layers}, {depth.samples:,} samples"
    for window, of in runs.items():
        yield Figure(f"window of {window.window} steps, {name}: cycles against all sweeps, validation "
                     f"{validation(of) - validation(dense):+.2f} points, energy "
                     f"{group[of].nj[1] / whole.nj[1]:.3f} x", round(cycles[window], 3), "beside it", "x", None)
    narrowest = chosen(dense, runs, cycles)
    if narrowest is None:
        yield Figure(f"window, {name}: none of {len(runs)} loses {LOST} points or less on validation", "none",
                     f"<= {depth.most}", "x", False)
        return
    lost = mean(dense) - mean(runs[narrowest])
    yield Figure(f"window, {name}, test set: points lost ({narrowest.window} steps, {narrowest.lead} before the wave; "
                 f"{mean(dense):.2f} % without, mean of {len(dense)} seeds)", round(lost, 2), f"<= {LOST}", "points",
                 lost <= LOST)
    yield Figure(f"window, {name}: cycles against all sweeps", round(cycles[narrowest], 3), f"<= {depth.most}", "x",
                 cycles[narrowest] <= depth.most)
    yield from replayed(runs[narrowest][0].asked.config(images), f"window, depth {depth.layers}", depth.replayed,
                        folder / "rtl", reporter)


def chosen(dense: Sequence[Training], runs: Mapping[Window, Sequence[Training]], cycles: dict[Window, float]
           ) -> Window | None:
    """The window of the fewest cycles that loses no more than LOST on validation, None where all do."""
    good = [window for window, of in runs.items() if validation(dense) - validation(of) <= LOST]
    return min(good, key=cycles.__getitem__, default=None)
