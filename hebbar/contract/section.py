"""What all sections of a configuration have in common: they never change, and take numbers, text and tables as such.

A key is declared with ``key``: its default, its range, what it means, its unit. ``hebbar.compiler.keys`` lists them.
"""

from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

__all__ = ["Section", "key", "LONGEST"]

LONGEST = 4096
"""Entries that a list may have; the parts of a machine that a list describes are fewer."""

WORDS = {bool: "true or false", int: "a whole number", float: "a number"}


def key(default: Any, meaning: str, unit: str = "", example: Any = None, range: str = "", **limits: Any) -> Any:
    """A key of a section. ``limits`` are pydantic's (ge, gt, le, lt, max_length, pattern), ``range`` says in words what
    they do not; a default of ``...`` is none."""
    extra = {name: value for name, value in (("unit", unit), ("example", example), ("range", range))
             if value not in ("", None)}
    return Field(default, description=meaning, json_schema_extra=extra or None, **limits)


class Section(BaseModel):
    """A configuration section: immutable, unknown keys refused, numbers finite, nothing turned into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _typed(cls, value: Any, info: ValidationInfo) -> Any:
        _check(value, cls.model_fields[info.field_name or ""].annotation)
        return value


def _check(value: Any, kind: Any) -> None:
    """Raise ValueError for text or a truth value in place of a number, another number in place of a truth value, and
    a list that is too long."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if kind in WORDS and (isinstance(value, str | bytes) or isinstance(value, bool) is not (kind is bool)):
        raise ValueError(f"give {WORDS[kind]}" + (", without quotes" if isinstance(value, str | bytes) else ""))
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        if len(value) > LONGEST:
            raise ValueError(f"the list has {len(value)} entries; give at most {LONGEST}")
        for entry in value:
            _check(entry, get_args(kind)[0])
