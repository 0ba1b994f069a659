"""A configuration as the TOML text that gives it back."""

import json
from typing import Any

__all__ = ["to_toml"]


def to_toml(config: dict[str, Any]) -> str:
    """``config`` (strings, numbers, lists, sections, lists of sections one level down) as TOML."""
    lines = [f"{key} = {_value(v)}" for key, v in config.items() if not isinstance(v, dict)]
    for name, section in config.items():
        if isinstance(section, dict):
            lines += _section(name, section)
    return "\n".join(lines).strip() + "\n"


def _section(name: str, section: dict[str, Any]) -> list[str]:
    tables = {k: v for k, v in section.items() if _tables(v)}
    lines = ["", f"[{name}]"]
    lines += [f"{k} = {_value(v)}" for k, v in section.items() if k not in tables]
    for key, rows in tables.items():
        for row in rows:
            lines += ["", f"[[{name}.{key}]]", *(f"{k} = {_value(v)}" for k, v in row.items())]
    return lines


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _value(value: Any) -> str:
    """JSON writes strings, booleans, numbers and lists of them as TOML does."""
    return json.dumps(value, ensure_ascii=False)
