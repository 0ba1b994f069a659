"""Changes of some keys of a configuration that is given as nested tables and lists."""

from collections.abc import Mapping
from typing import Any

from hebbar.contract.errors import BadInput

__all__ = ["merged"]


def merged(given: Mapping[str, Any], changes: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """``given`` with ``changes``, table by table; a list takes the place of the whole list.

    A table of numbers beside a list, as ``{"0": {"alpha_shift": 3}}``, changes those entries of it alone. Raises
    BadInput, with the key, for an entry that the list has not.
    """
    found = dict(given)
    for key, value in changes.items():
        before, place = given.get(key), f"{where}.{key}".lstrip(".")
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            found[key] = merged(before, value, place)
        elif isinstance(value, Mapping) and isinstance(before, list | tuple):
            found[key] = _entries(before, value, place)
        else:
            found[key] = value
    return found


def _entries(given: "list[Any] | tuple[Any, ...]", changes: Mapping[str, Any], where: str) -> list[Any]:
    """A list with some entries changed."""
    names = [str(number) for number in range(len(given))]
    if unknown := [name for name in changes if name not in names]:
        raise BadInput(f"unknown key {where}.{unknown[0]}; {where} is a list of {len(given)}: give "
                       + (f"the number of an entry, 0 to {len(given) - 1}." if given else "it as a whole."))
    by_name = merged(dict(zip(names, given)), changes, where)
    return [by_name[name] for name in names]
