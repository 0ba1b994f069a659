"""What windows cost: cycles and energy of a training sample beside accuracy, as a table and a picture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from golden.trace import Job
from hebbar.compiler.workload import sample_cycles
from hebbar.contract.files import write_text
from hebbar.report.figures import panels
from hebbar.report.svg import STYLE, save
from sim.backends import golden

from ..parts import as_csv
from .accuracy import validation
from .energies import nanojoules
from .rtl import first
from .trainings import Asked, Training

__all__ = ["COLUMNS", "Cost", "Group", "cost", "keep"]

COLUMNS = ("layers", "window", "lead", "validation %", "cycles", "nJ low", "nJ typical", "nJ high")
ALL = "all sweeps"


@dataclass(frozen=True)
class Cost:
    """What a training sample takes: ``cycles`` in the steady state, and ``nj``, low, typical and high."""

    cycles: float
    nj: tuple[float, float, float]


Group = Mapping[tuple[Training, ...], Cost]
"""Costs by trainings, a seed each: those of all sweeps first, then of windows."""


def cost(asked: Asked, images: Path | None) -> Cost:
    """Cycles by the cycle model, energy by the counters of the first sample in the golden machine."""
    program, given, image = first(asked.config(images), 1)
    counters = golden.run(Job(program, "train", image, given, steps=False)).counters
    return Cost(sample_cycles(program).total, nanojoules(program, counters, 1))


def keep(folder: Path, groups: Mapping[int, Group]) -> None:
    """Write ``window.csv`` and ``window.svg``; ``groups`` by layers of weights."""
    rows = [row for layers, group in groups.items() for row in _rows(layers, group)]
    write_text(folder / "window.csv", as_csv(COLUMNS, rows))
    save(_drawn(groups), folder / "window.svg")


def _rows(layers: int, group: Group) -> Iterator[tuple[object, ...]]:
    for runs, spent in group.items():
        options = dict(runs[0].asked.options)
        yield (layers, options.get("window", ALL), options.get("lead", "-"), f"{validation(runs):.2f}",
               round(spent.cycles), *(f"{nj:.0f}" for nj in spent.nj))


def _drawn(groups: Mapping[int, Group]) -> Drawing:
    """Accuracy by the width of the window, and cycles and energy against those of all sweeps."""
    with rc_context(STYLE):
        figure, (left, right) = panels(3.2, 2)
        for (layers, group), marker in zip(groups.items(), "os", strict=False):
            (dense, whole), *windows = group.items()
            widths = [dict(runs[0].asked.options)["window"] / layers for runs, _ in windows]
            lost = [validation(runs) - validation(dense) for runs, _ in windows]
            left.plot(widths, lost, marker, markersize=4, label=f"{layers} layers")
            right.plot(widths, [each.cycles / whole.cycles for _, each in windows], marker, markersize=4,
                       label=f"cycles, {layers} layers")
            right.plot(widths, [each.nj[1] / whole.nj[1] for _, each in windows], marker, markersize=4,
                       fillstyle="none", label=f"energy, {layers} layers")
        left.axhline(0, linewidth=0.6)
        left.set_ylabel("points gained on validation")
        right.set_ylabel("against all sweeps")
        right.set_ylim(0, None)
        for axes in (left, right):
            axes.set_xlabel("window, steps a layer")
            axes.legend(fontsize=6)
        return figure
