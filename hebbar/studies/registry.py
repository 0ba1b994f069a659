"""The studies by area, as ``hebbar bench`` knows them; the command, its help and its refusal read this table.

An area is a module with ``measure(folder, quick, reporter, data)``, which returns its figures in the order of their
table, and ``SEEDS``, how many seeds are behind them in full and with --quick. A new study is a file here, and a line in
the ``measure`` of its area. An area that takes long has ``PARTS`` and ``one``, which measures one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

if TYPE_CHECKING:
    from hebbar.contract.console import Reporter
    from hebbar.contract.results import Figure

__all__ = ["AREAS", "Area", "Bench", "find"]


class Bench(Protocol):
    """What the module of an area defines."""

    SEEDS: Mapping[bool, int]
    """Seeds behind the figures, by whether they are quick."""

    def measure(self, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
        """The figures of the area; ``quick``: fewer seeds and samples, so that figures are not the targets'."""


@dataclass(frozen=True)
class Area:
    """Figures that are measured together, in a module that is imported when they are; ``meaning`` says of what."""

    name: str
    module: str
    meaning: str

    def load(self) -> Bench:
        """The module."""
        return cast(Bench, import_module(self.module))

    def measure(self, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None,
                part: str | None = None) -> list[Figure]:
        """The figures of the area, or those of one of its parts; raises BadInput for a part that there is not."""
        module = self.load()
        if part is None:
            return module.measure(folder, quick, reporter, data)
        parts: tuple[str, ...] = getattr(module, "PARTS", ())
        if part not in parts:
            there = f"give one of {', '.join(parts)}" if parts else "it is measured as a whole"
            raise BadInput(f"bench {self.name} has no part {part!r}; {there}.")
        figures: list[Figure] = module.one(part, folder, quick, reporter, data)  # type: ignore[attr-defined]
        return figures


AREAS = {area.name: area for area in (
    Area("product", f"{__package__}.product", "speed, start and resuming of the tool itself"),
    Area("spine", f"{__package__}.spine", "RTL = golden, accuracy, exact cycles, planted defects"),
    Area("rules", f"{__package__}.rules", "every learning system on one export, and what it learns"),
    Area("analog", f"{__package__}.analog", "wires, speed of a tile, noisy RTL, learning on published devices"),
    Area("costs", f"{__package__}.costs", "the laws behind the estimates against published figures"),
    Area("strangers", f"{__package__}.strangers", "wrong inputs, interruptions, random bus traffic, planted edits"),
    Area("clock", f"{__package__}.clock", "clock, cells and area of the machines, against e9c8550 in the same run"),
    Area("house", f"{__package__}.house", "files that a change touches, sizes, imports, findings, planted defects"),
    Area("chain", f"{__package__}.chain", "how busy the lanes are, and with sweeps that overlap without draining"),
    Area("scale", f"{__package__}.scale", "speed of the compiled golden machine and of the float engines"),
    Area("depth", f"{__package__}.depth", "deep networks: PC-ALM beside backprop and predictive coding"),
    Area("kit", f"{__package__}.kit", "the export alone: test benches, drivers, FuseSoC, the wheel elsewhere"))}
"""Areas by name."""


def find(name: str) -> Area:
    """The area of a name; raises BadInput with the names there are for another one."""
    if name not in AREAS:
        raise BadInput(f"there is no bench area {name!r}{suggest(name, AREAS)}. hebbar bench --help says what each "
                       "measures.")
    return AREAS[name]
