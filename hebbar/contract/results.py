"""What ``hebbar.api`` answers with: plain, frozen records."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

__all__ = ["Curve", "Check", "SampleCycles", "Figure", "whole"]


def whole(value: float) -> float:
    """A number that is whole as an integer, so that it is shown without a point."""
    return int(value) if value == int(value) else value


@dataclass(frozen=True)
class Curve:
    """``accuracy`` (0 to 1) on the held-out samples after every epoch.

    ``saturations``: values clipped in every epoch of training, by "error", "state", "feedback" and "weight";
    ``at_bound``: share of the weights of an edge at an end of their format, by "source:target"; ``dead``: hidden units
    whose activity no input changes, by population; ``warnings``: what may make the result void, in sentences.
    """

    accuracy: tuple[float, ...]
    saturations: tuple[dict[str, int], ...] = ()
    at_bound: dict[str, float] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """A comparison of the RTL with the golden machine.

    ``words`` compared and ``mismatches`` among them; ``first`` names the first difference, None when
    there is none; ``updates``: weights that changed, summed over the updates compared; ``counters`` of
    the RTL by name (``hebbar.contract.counters``).
    """

    words: int
    mismatches: int
    first: str | None
    updates: int
    counters: dict[str, int]


@dataclass(frozen=True)
class SampleCycles:
    """Clock cycles of one training sample by cause (``hebbar.contract.counters.CYCLES``), host stalls left out.

    ``minimum``: the cycles if every multiplier worked on a weight in every cycle; ``padded``: the same
    with every block padded to whole words and row groups. ``upper``: True where an EXIT may end a sample
    sooner, which depends on the data; everything here is then of a sample in which none leaves. Both minima are None
    for a rule of one's own that declares no ``visits``. Where samples take turns (``Program.second``), a number is the
    mean of two and may be a half.
    """

    issue: float
    bubbles: float
    drain: float
    stream: float
    separate: float
    control: float
    minimum: float | None
    padded: float | None
    upper: bool = False

    @property
    def total(self) -> float:
        """The sum of all causes; ``minimum`` and ``padded`` are beside it, not in it."""
        return whole(self.issue + self.bubbles + self.drain + self.stream + self.separate + self.control)

    def __str__(self) -> str:
        most = "at most " if self.upper else ""
        least = f"minimum {self.minimum:g}" if self.minimum is not None else "no minimum"
        return (f"{most}{self.total} cycles a sample (issue {self.issue}, bubbles {self.bubbles}, drain {self.drain}, "
                f"stream {self.stream}, separate {self.separate}, control {self.control}; {least})")


@dataclass(frozen=True)
class Figure:
    """A measured figure beside its target; ``met`` is None where there is nothing to meet."""

    figure: str
    value: Any
    target: str
    unit: str
    met: bool | None

    def record(self) -> dict[str, Any]:
        """The figure as JSON holds it, a value that is not finite in words."""
        value = self.value if not isinstance(self.value, float) or isfinite(self.value) else str(self.value)
        return {"figure": self.figure, "value": value, "target": self.target,
                "unit": self.unit, "met": self.met}
