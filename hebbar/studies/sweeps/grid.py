"""Keys of a configuration and the values that a study gives them: what ``--set KEY=VALUES`` says."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from hebbar.compiler.config import Config
from hebbar.contract.errors import BadInput
from hebbar.contract.section import Section
from hebbar.contract.suggest import shown

__all__ = ["LARGEST", "Axis", "Point", "at", "axis", "distinct", "grid", "toml_values"]

LARGEST = 10_000
"""Runs of one study; a grid of several keys grows beyond use in a moment."""
SEEDED = ("training.seed", "data.seed")
RANGE = ".."


@dataclass(frozen=True)
class Axis:
    """A key, dotted as in ``rule.steps``, and its values; ``between``: the two values are the ends of a range, from
    which only a search takes others."""

    key: str
    values: tuple[Any, ...]
    between: bool = False


@dataclass(frozen=True)
class Point:
    """A configuration of a study; ``settings``: what was set in it, by key."""

    config: Config
    settings: dict[str, Any] = field(default_factory=dict)


def toml_values(text: str, given: str) -> list[Any]:
    """The values in ``text``, written in TOML with commas between them; raises BadInput, beginning with ``given``."""
    try:
        found = tomllib.loads(f"values = [{text}]")
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{given}: {str(error).rstrip('.') or 'nested too deep'}; give values of TOML with commas, as "
                       "in 0,0.1,0.3, and text in quotation marks of its own, as in '\"il\",\"ipc\"'.") from None
    if set(found) != {"values"} or not found["values"]:
        raise BadInput(f"{given} has no values; give them with commas, as in 0,0.1,0.3.")
    return list(found["values"])


def axis(given: str) -> Axis:
    """The axis that ``KEY=VALUE,VALUE`` or ``KEY=LOW..HIGH`` says; raises BadInput for other text."""
    key, sign, text = (part.strip() for part in given.partition("="))
    where = f"--set {shown(given)}"
    if not sign or not all(key.split(".")):
        raise BadInput(f"{where} has no key; give one and its values, as in rule.steps=4,8.")
    if key in SEEDED:
        raise BadInput(f"{where}: a study has seeds of its own, for {' and '.join(SEEDED)} alike; give --seeds.")
    annotation = Config.model_fields[key].annotation if key in Config.model_fields else None
    if isinstance(annotation, type) and issubclass(annotation, Section):
        raise BadInput(f"{where}: {key} is a whole section; give one of its keys, as in "
                       f"{key}.{next(iter(annotation.model_fields))}.")
    if RANGE in text and not any(mark in text for mark in "\"'"):
        return _between(key, text, where)
    values = toml_values(text, where)
    written = [json.dumps(value, default=str) for value in values]
    if twice := [one for one in written if written.count(one) > 1]:
        raise BadInput(f"{where} has {twice[0]} twice; give it once.")
    return Axis(key, tuple(values))


def _between(key: str, text: str, where: str) -> Axis:
    ends = [value for end in text.split(RANGE, 1) for value in toml_values(end, where)]
    if len(ends) != 2 or not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends) \
            or not ends[0] < ends[1]:
        raise BadInput(f"{where} is no range; give a smaller and a larger number, as in 0.1..0.5.")
    return Axis(key, tuple(ends), between=True)


def distinct(axes: Sequence[Axis]) -> None:
    """Raise BadInput where two axes set the same key, or one a part of the other's."""
    for i, one in enumerate(axes):
        for other in axes[:i]:
            if f"{one.key}.".startswith(f"{other.key}.") or f"{other.key}.".startswith(f"{one.key}."):
                raise BadInput(f"--set is given for {other.key} and for {one.key}; give a key once.")


def at(config: Config, settings: dict[str, Any]) -> Point:
    """The configuration with some keys set, validated; raises BadInput as every configuration does."""
    changes: dict[str, Any] = {}
    for key, value in settings.items():
        *tables, last = key.split(".")
        table = changes
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = value
    return Point(config.changed(changes) if settings else config, settings)


def grid(configs: Sequence[Config], axes: Sequence[Axis], seeds: int) -> list[Point]:
    """Every configuration with every combination of values, the last axis first to change.

    Raises BadInput for a range, for more than LARGEST runs of ``seeds`` seeds, and for what no configuration may be.
    """
    for one in axes:
        if one.between:
            raise BadInput(f"--set {one.key} is a range, of which a grid has no values; list them, as in "
                           f"{one.key}={one.values[0]},{one.values[1]}, or search with --search.")
    runs = len(configs) * seeds * prod(len(one.values) for one in axes)
    if runs > LARGEST:
        raise BadInput(f"the grid has {runs:,} runs; give fewer values or seeds, {LARGEST:,} runs at most, or "
                       "--search.")
    return [at(config, dict(zip((one.key for one in axes), values))) for config in configs
            for values in product(*(one.values for one in axes))]
