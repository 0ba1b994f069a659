"""A technology: energies with their sources, read from TOML."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from hebbar.contract.errors import BadInput
from hebbar.contract.section import Section
from hebbar.contract.suggest import suggest

from .derived import derived
from .validation.units import in_units, quantity

__all__ = ["Entry", "Range", "Technology", "load_technology", "technology_names"]

NEEDED = ("add_8", "add_16", "add_32", "mul_8", "mul_32", "register_bit", "wire_bit_mm")
"""Entries that every technology must have, beside memories of at least two depths."""


@dataclass(frozen=True)
class Range:
    """An energy in pJ: low, typical and high."""

    low: float
    typical: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def __mul__(self, factor: float) -> "Range":
        return Range(self.low * factor, self.typical * factor, self.high * factor)

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.typical, self.high))


class Entry(Section):
    """One sourced energy: ``value`` (low, typical, high) in ``unit``, pJ or another unit of energy.

    ``words``: for memories, the depth of the 64-bit memory it belongs to. ``range`` says where low
    and high come from, ``unverified`` what was not checked against the original publication.
    """

    value: tuple[float, float, float]
    unit: str
    node_nm: float = Field(gt=0)
    voltage_v: float = Field(gt=0)
    source: str
    year: int = Field(ge=1970, le=2100)
    kind: Literal["silicon", "layout", "compiler", "predictive", "table"]
    words: int = Field(0, ge=0)
    range: str = ""
    unverified: str = ""

    @field_validator("source")
    @classmethod
    def _sourced(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("is empty; an energy without a source is refused, name the publication")
        return text

    @field_validator("value")
    @classmethod
    def _ordered(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if not 0 <= value[0] <= value[1] <= value[2]:
            raise ValueError("must be low <= typical <= high, none below zero")
        return value

    @field_validator("unit")
    @classmethod
    def _energy(cls, unit: str) -> str:
        if unit != "pJ":
            in_units(quantity(1.0, unit, "unit"), "pJ", "unit")
        return unit

    @property
    def energy(self) -> Range:
        """The energy in pJ."""
        if self.unit == "pJ":
            return Range(*self.value)
        return Range(*self.value) * in_units(quantity(1.0, self.unit, "unit"), "pJ", "unit")


class Technology(Section):
    """A table of energies; ``excluded`` says what no estimate made with it contains."""

    name: str
    title: str
    node_nm: float = Field(gt=0)
    voltage_v: float = Field(gt=0)
    excluded: tuple[str, ...]
    entries: dict[str, Entry]

    def memories(self, write: bool) -> list[tuple[str, Entry]]:
        """The memory entries of reads or writes by name, shallow first."""
        prefix = "sram_write_" if write else "sram_read_"
        found = [(n, e) for n, e in self.entries.items() if n.startswith(prefix)]
        return sorted(found, key=lambda pair: pair[1].words)


def technology_names() -> list[str]:
    """Names of the technologies that ship with Hebbar."""
    files = resources.files("hebbar.energy").joinpath("technologies").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load_technology(name_or_path: str | Path = "cmos45") -> Technology:
    """A shipped technology by name or a TOML file by path.

    Raises BadInput, naming entry and fix, for an entry without a source or an incomplete table.
    """
    source = str(name_or_path)
    try:
        technology = Technology.model_validate(_table(source))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source}: cannot be read ({error}); check the path.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: not valid TOML, {error}.") from None
    except ValidationError as error:
        raise BadInput(f"{source}: {_sentence(error)}") from None
    _complete(technology, source)
    return technology


def _table(source: str) -> dict[str, Any]:
    """The table of a file, completed from the one it names as its base."""
    table = tomllib.loads(_text(source))
    if "base" not in table:
        return table
    base = _table(str(table["base"]))
    for key in ("node_nm", "voltage_v"):
        if not isinstance(table.get(key), int | float):
            raise BadInput(f"{source}: {key} is missing or no number; give it, the base is scaled to it.")
    return derived(base, table)


def _text(source: str) -> str:
    path = Path(source)
    if path.suffix or path.exists():
        return path.read_text(encoding="utf-8-sig")
    if source not in technology_names():
        raise BadInput(f"{source!r} is neither a file nor a technology"
                       f"{suggest(source, technology_names())}.")
    return resources.files("hebbar.energy").joinpath("technologies", f"{source}.toml").read_text(encoding="utf-8")


def _complete(technology: Technology, source: str) -> None:
    missing = [name for name in NEEDED if name not in technology.entries]
    if missing:
        raise BadInput(f"{source}: the table has no entry {missing[0]}; add it with its source.")
    for write, what in ((False, "sram_read"), (True, "sram_write")):
        depths = [e.words for _, e in technology.memories(write)]
        if len(set(depths)) < 2 or 0 in depths:
            raise BadInput(f"{source}: the {what} entries have depths {depths}; give two or more "
                           "different ones, each with words above zero.")


def _sentence(error: ValidationError) -> str:
    """The first finding as a sentence with its place."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing" and first["loc"][-1] == "source":
        return f"{key} is missing; an energy without a source is refused, name the publication."
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{key} is missing; add it."
    return f"{key} is {first['input']!r}: {message}."
