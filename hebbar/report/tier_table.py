"""One layout for an energy estimate of any tier: parts of the machine by what takes the energy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from hebbar.contract.console import terminal
from hebbar.synth.toggles import KINDS

from .numbers import grouped

__all__ = ["COLUMNS", "PARTS", "Tier", "print_tiers", "record_tier"]

PARTS = ("tile", "neuron unit", "sequencer", "bus and counters", "memories and tables")
COLUMNS = (*KINDS, "all gates", "memories")
"""What takes the energy; ``all gates`` where arithmetic cannot be told from others."""


@dataclass(frozen=True)
class Tier:
    """``pj``: typical pJ a sample by part and column. ``name``: A, B or C; ``of``: the technology or library; ``how``:
    what the figures are made from, ``without``: what is not in them. ``cycles`` of a sample; ``bits`` of
    flip-flops by module, where they are counted."""

    name: str
    of: str
    how: str
    without: str
    pj: Mapping[tuple[str, str], float]
    cycles: float
    bits: Mapping[str, int] = field(default_factory=dict)

    def sum(self, part: str = "", column: str = "") -> float:
        """pJ a sample of a part, a column, or all."""
        return sum(pj for (p, c), pj in self.pj.items() if part in ("", p) and column in ("", c))


def print_tiers(found: Sequence[Tier]) -> None:
    """A table a tier, all of the same parts and columns; what a tier does not price is a dash."""
    console = terminal()
    for tier in found:
        table = Table(title=f"tier {tier.name}, {tier.of}: nJ a sample")
        for column in ("part", *COLUMNS, "all"):
            table.add_column(column, justify="left" if column == "part" else "right")
        for part in PARTS:
            if tier.sum(part):
                table.add_row(part, *(_cell(tier, part, column) for column in COLUMNS),
                              grouped(tier.sum(part) / 1000, 4))
        table.add_section()
        table.add_row("all", *(_cell(tier, "", column) for column in COLUMNS), grouped(tier.sum() / 1000, 4))
        console.print(table)
        console.print(f"Tier {tier.name}: {tier.how}. Not in it: {tier.without}.", highlight=False, soft_wrap=True)
    first, *others = found
    for tier in others:
        parts = [part for part in PARTS if tier.sum(part) and first.sum(part)]
        said = ", ".join(f"{part} {tier.sum(part) / first.sum(part):.2f}" for part in parts)
        console.print(f"Tier {tier.name} over tier {first.name}: {said}.", highlight=False, soft_wrap=True)


def _cell(tier: Tier, part: str, column: str) -> str:
    priced = any(c == column and part in ("", p) for p, c in tier.pj)
    return grouped(tier.sum(part, column) / 1000, 4) if priced else "-"


def record_tier(tier: Tier) -> dict[str, Any]:
    """The tier as plain data."""
    return {"tier": f"{tier.name}: {tier.how}", "of": tier.of, "without": tier.without, "cycles_sample": tier.cycles,
            "pj_sample": tier.sum(), "pj_sample_by_part_and_kind": {f"{p}, {c}": pj for (p, c), pj in tier.pj.items()}}
