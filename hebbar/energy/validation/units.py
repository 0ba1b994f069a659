"""Units of published figures, by Pint; things that are counted are units too, so that pJ a MAC is no pJ."""

from functools import cache
from typing import Any

from hebbar.contract.errors import BadInput

__all__ = ["in_units", "quantity"]

COUNTED = ("MAC", "conversion = [conversion] = conv", "pulse", "sample", "junction = [junction] = JJ", "FLOP")
"""What is counted and is not a dimension of physics."""


@cache
def registry() -> Any:
    """The registry of units, made once: it takes half a second, so nothing imports it that does not need it."""
    import pint

    made: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=False)
    for name in COUNTED:
        made.define(name if "=" in name else f"{name} = [{name.lower()}]")
    made.define("bit_of_memory = [storage] = Bit")
    made.define("operation = [operation] = OP")
    return made


ALIASES = {"um2": "um**2", "mm2": "mm**2", "x": "", "share": "", "um2/bit": "um**2/Bit", "mW/Mb": "mW/MBit",
           "fF/bit": "fF/Bit", "pJ/bit/mm": "pJ/Bit/mm"}
"""Spellings of the tables that Pint does not read, or reads as something else."""


def quantity(value: float, unit: str, place: str) -> Any:
    """``value`` with its unit; BadInput names ``place`` when nobody knows the unit."""
    import pint

    try:
        return registry().Quantity(value, ALIASES.get(unit, unit))
    except (pint.errors.UndefinedUnitError, pint.errors.DefinitionSyntaxError, ValueError, TypeError,
            AttributeError) as error:
        raise BadInput(f"{place}: the unit {unit!r} is unknown ({error}); write it as pJ, fF, um2 or "
                       "pJ/conv.") from None


def in_units(value: Any, unit: str, place: str) -> float:
    """The number of a quantity in ``unit``; BadInput when the dimensions differ."""
    import pint

    try:
        return float(value.m_as(ALIASES.get(unit, unit)))
    except pint.errors.DimensionalityError as error:
        raise BadInput(f"{place}: {error}; a figure of another dimension cannot take its place.") from None
