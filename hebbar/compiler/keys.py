"""Every key of a configuration, read off the sections that declare them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hebbar.contract.errors import BadInput
from hebbar.contract.section import Section
from hebbar.contract.suggest import suggest

from .config import Config

__all__ = ["Key", "Table", "tables", "find_tables"]

KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}
SIGNS = {"ge": ">= {}", "gt": "> {}", "le": "<= {}", "lt": "< {}", "max_length": "at most {} long"}


@dataclass(frozen=True)
class Key:
    """One key as a reader sees it; every part is text."""

    name: str
    kind: str
    default: str
    range: str
    unit: str
    meaning: str
    example: str


@dataclass(frozen=True)
class Table:
    """One table of the file: its header, such as ``[machine]``, what it is, its keys."""

    name: str
    header: str
    meaning: str
    keys: tuple[Key, ...]


def tables() -> list[Table]:
    """All tables in the order of the file, the keys outside of any first."""
    return list(_walk(Config, "", False))


def find_tables(section: str) -> list[Table]:
    """The tables of a section and those below it. Raises BadInput for one that does not exist."""
    found = [t for t in tables() if t.name == section or t.name.startswith(f"{section}.")]
    if not found:
        raise BadInput(f"there is no section {section!r}{suggest(section, [t.name for t in tables() if t.name])}.")
    return found


def _walk(model: type[BaseModel], path: str, many: bool) -> Iterator[Table]:
    fields = model.model_fields
    inner = {name: found for name, field in fields.items() if (found := _section(field.annotation))}
    header = f"[[{path}]]" if many else f"[{path}]" if path else ""
    yield Table(path, header, _meaning(model),
                tuple(_key(name, field) for name, field in fields.items() if name not in inner))
    for name, (section, repeated) in inner.items():
        yield from _walk(section, f"{path}.{name}".lstrip("."), repeated)


def _meaning(model: type[BaseModel]) -> str:
    """The docstring of a section without the header in front."""
    text = " ".join((model.__doc__ or "").replace("``", "`").split())
    text = text.partition("`: ")[2] if text.startswith("`[") else text
    return text[:1].upper() + text[1:]


def _section(kind: Any) -> tuple[type[BaseModel], bool] | None:
    """The section that a key holds, and whether it holds a list of them."""
    if get_origin(kind) is tuple:
        found = _section(get_args(kind)[0])
        return (found[0], True) if found else None
    return (kind, False) if isinstance(kind, type) and issubclass(kind, Section) else None


def _key(name: str, field: FieldInfo) -> Key:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = "required" if field.is_required() else _toml(field.default)
    limits = str(extra.get("range") or _range(field.metadata, field.annotation))
    return Key(name, _kind(field.annotation), default, limits, str(extra.get("unit", "")), field.description or "",
               f"{name} = {_toml(extra.get('example', field.default))}")


def _plain(kind: Any) -> tuple[Any, list[Any]]:
    """A type without its limits, and the limits."""
    if get_origin(kind) is not Annotated:
        return kind, []
    inner, *limits = get_args(kind)
    return inner, [limit for found in limits for limit in getattr(found, "metadata", [found])]


def _kind(kind: Any) -> str:
    kind, _ = _plain(kind)
    if get_origin(kind) is tuple:
        return f"list of {_kind(get_args(kind)[0]).replace('number', 'numbers').replace('text', 'texts')}"
    if get_origin(kind) is dict:
        return "table"
    if get_origin(kind) is Literal:
        return KINDS[type(get_args(kind)[0])]
    return "text" if issubclass(kind, Enum) else KINDS[kind]


def _range(limits: list[Any], kind: Any) -> str:
    kind, more = _plain(kind)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(value) for value in kind)
    said = [text.format(_number(getattr(limit, name))) for limit in (*limits, *more) for name, text in SIGNS.items()
            if getattr(limit, name, None) is not None]
    if get_origin(kind) is tuple:
        each = _range([], get_args(kind)[0])
        said = [f"each {each}", *said] if each else said
    return ", ".join(said)


def _number(value: float) -> str:
    """A limit; one of many digits as a power of two."""
    return f"2^{value.bit_length() - 1}" if isinstance(value, int) and value >= 1 << 31 else f"{value:g}" \
        if isinstance(value, float) else str(value)


def _toml(value: Any) -> str:
    """A value as it stands in a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f" {name} = {_toml(entry)}" for name, entry in value.items()) + (" }" if value else "}")
    return str(value)
