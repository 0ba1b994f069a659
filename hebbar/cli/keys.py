"""The command that lists the keys of a configuration."""

import textwrap
from typing import Annotated

import typer

from .options import Json

__all__ = ["keys"]

WIDTH = 100


def keys(section: Annotated[str | None, typer.Argument(help="A table, such as machine or machine.analog.read; "
                                                          "default: all.")] = None, as_json: Json = False) -> None:
    """List the keys of a configuration: default, type, range, unit, meaning, example."""
    import json
    from dataclasses import asdict

    from hebbar.compiler.keys import find_tables, tables

    found = find_tables(section) if section else tables()
    if as_json:
        typer.echo(json.dumps([asdict(table) for table in found]))
        return
    for table in found:
        typer.echo(f"{table.header or '(outside of any table)'}  {table.meaning}")
        for k in table.keys:
            default = f"{k.name} = {k.default}" if k.default != "required" else f"{k.name} (required)"
            facts = ", ".join(fact for fact in (k.kind, k.range, k.unit) if fact)
            told = k.default != "required" and k.example == f"{k.name} = {k.default}"
            example = "" if told else f" Example: {k.example}"
            typer.echo(f"  {default}  ({facts})")
            typer.echo(textwrap.indent(textwrap.fill(f"{k.meaning}{example}", WIDTH), "      "))
        typer.echo()
