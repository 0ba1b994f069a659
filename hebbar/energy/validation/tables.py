"""The tables of published figures: components, designs, cells of libraries, memories of a compiler."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from hebbar.contract.errors import BadInput

from .units import quantity

__all__ = ["KINDS", "Component", "Design", "component", "components", "designs", "rows"]

KINDS = frozenset({"silicon", "synthesis", "study", "layout", "compiler", "predictive", "table", "fit"})
"""What a figure was taken from; only silicon counts in the medians."""

NUMBERS = ("node_nm", "vdd_v", "array_rows", "array_cols", "rows_active", "rows_per_adc", "cols_active", "dot_len",
           "bits_in", "bits_w", "adc_bits", "n_conv", "passes", "t_pass_ns", "cores", "core_kbit", "pub_fj_per_1b_op",
           "pub_pj_per_pass", "pub_tops_w_1b", "pub_tops_1b", "pub_tops_mm2_1b", "pub_area_mm2")
"""Columns of designs that hold a number above zero, or nothing."""


MAY_BE_ZERO = ("adc_bits",)
"""A digital macro converts nothing."""


@dataclass(frozen=True)
class Component:
    """A figure as published; ``value`` has its unit, or is None where the source gives a formula in ``text``."""

    name: str
    value: Any
    text: str
    node_nm: float | None
    voltage_v: float | None
    kind: str
    source: str
    year: int
    verified: str
    note: str


@dataclass(frozen=True)
class Design:
    """A published design, one row of ``designs.csv``: ``given`` has its numbers by column, ``text`` everything.

    Columns carry their units in their names: nm, V, ns, fJ, pJ, mm2, kbit. A 1b operation is half a
    multiplication of one bit by one bit with its addition.
    """

    text: dict[str, str]
    given: dict[str, float]

    def __getattr__(self, name: str) -> str:
        if name in ("text", "given") or name not in self.text:
            raise AttributeError(name)
        return self.text[name]

    def missing(self, needed: tuple[str, ...]) -> list[str]:
        """Which of the columns the source does not give."""
        return [name for name in needed if name not in self.given]


def rows(name: str, folder: Path | None = None) -> list[dict[str, str]]:
    """The rows of a table that ships with Hebbar, or of one of that name in ``folder``."""
    place = (folder or resources.files(__package__ or "").joinpath("data")) / name
    try:
        found = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{place}: cannot be read ({error}); check the path.") from None
    for number, row in enumerate(found, start=2):
        if None in row or None in row.values():
            raise BadInput(f"{place} line {number}: has {'more' if None in row else 'fewer'} fields than the first "
                           "line; quote a text that holds a comma.")
    return found


def number(row: dict[str, str], name: str, place: str) -> float:
    """A field as a number above zero."""
    try:
        value = float(row[name])
    except ValueError:
        raise BadInput(f"{place}: {name} is {row[name]!r}; give a number, or nothing.") from None
    if not (0 < value < float("inf") or (value == 0 and name in MAY_BE_ZERO)):
        raise BadInput(f"{place}: {name} is {row[name]}; give a number above zero, or nothing.")
    return value


def sourced(row: dict[str, str], place: str) -> None:
    """Raise BadInput for a figure without a source, or of a kind nobody knows."""
    if not row["source"].strip():
        raise BadInput(f"{place}: has no source; a figure without one is refused, name the publication.")
    if row["kind"] not in KINDS:
        raise BadInput(f"{place}: kind is {row['kind']!r}; it is one of {', '.join(sorted(KINDS))}.")


def components(folder: Path | None = None) -> list[Component]:
    """Every component, its unit checked; refused without source, with an unknown unit or kind."""
    return [_component(row, f"components.csv, {row['component']}") for row in rows("components.csv", folder)]


def _component(row: dict[str, str], place: str) -> Component:
    sourced(row, place)
    try:
        value = float(row["value"])
    except ValueError:
        value = None
    size = quantity(1.0 if value is None else value, row["unit"], place)
    optional = {name: number(row, name, place) if row[name] else None for name in ("node_nm", "voltage")}
    return Component(row["component"], None if value is None else size, row["value"], optional["node_nm"],
                     optional["voltage"], row["kind"], row["source"], int(row["year"]), row["verified"], row["note"])


@cache
def _known() -> tuple[Component, ...]:
    return tuple(components())


def component(name: str, node_nm: float | None = None, voltage_v: float | None = None) -> Component:
    """The one component of that name, node and voltage."""
    found = [c for c in _known() if c.name == name and node_nm in (None, c.node_nm)
             and voltage_v in (None, c.voltage_v)]
    if len(found) != 1:
        raise BadInput(f"components.csv has {len(found)} rows {name!r}, node {node_nm}, voltage {voltage_v}; one is "
                       "needed.")
    return found[0]


def designs(name: str = "designs.csv", folder: Path | None = None,
            keep: Callable[[Design], bool] = lambda design: True) -> list[Design]:
    """Every published design of a table for which ``keep`` holds."""
    found = []
    for row in rows(name, folder):
        place = f"{name}, {row['id']}"
        sourced(row, place)
        found.append(Design(row, {n: number(row, n, place) for n in NUMBERS if row[n]}))
    return [design for design in found if keep(design)]
