"""Files that are made from a template in ``sim/templates``, and the name of the machine in them."""

import re
from typing import Any

from hw.verilog import TOP

__all__ = ["filled", "named"]

NAMES = re.compile(rf"\b(?:{TOP}|{TOP.upper()})(?![A-Za-z]|:accelerator)")
"""What is called after the machine: modules and files, and in C macros, types and functions."""


def filled(name: str, context: dict[str, Any]) -> str:
    """The template ``name`` with ``.j2`` behind it, or the plain file of that name."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only needed here

    loader = PackageLoader("sim")
    made = f"{name}.j2" in loader.list_templates()
    environment = Environment(loader=loader, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template(f"{name}.j2" if made else name).render(context)


def named(text: str, top: str) -> str:
    """``text`` of a machine called ``hebbar`` as that of one called ``top``; in capitals where it was."""
    return NAMES.sub(lambda found: top.upper() if found[0].isupper() else top, text)
