"""The table of a study: on the terminal, as CSV and as Parquet; the same lines give the same bytes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hebbar.contract.console import terminal
from hebbar.contract.files import whole, write_text

from ..parts import as_csv
from .extras import installed, needed
from .grid import Point
from .study import Line

__all__ = ["said", "show", "write_chosen", "write_csv", "write_parquet"]

SHORT = 8
"""Digits of a hash that a terminal shows."""


def write_csv(lines: Sequence[Line], path: Path) -> Path:
    """Write the lines with the columns of ``Line.record``; lists and truth values as JSON."""
    columns = _columns(lines)
    write_text(path, as_csv(columns, ([_plain(value) for value in cells] for cells in zip(*columns.values()))))
    return path


def write_parquet(lines: Sequence[Line], path: Path) -> Path | None:
    """Write the same table as Parquet; None, and nothing is written, where pyarrow is not installed. A column of mixed
    types holds JSON."""
    if not installed("pyarrow"):
        path.unlink(missing_ok=True)  # that of an earlier study
        return None
    arrow, parquet = needed("pyarrow", "Parquet"), needed("pyarrow.parquet", "Parquet")
    found = arrow.table({name: arrow.array(_of_one_type(cells)) for name, cells in _columns(lines).items()})
    with whole(path) as partial:
        parquet.write_table(found, partial)
    return path


def said(point: Point) -> str:
    """What was set in a point, as ``--set`` takes it."""
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in point.settings.items())


def write_chosen(point: Point, path: Path) -> Path:
    """Write the configuration of a point as TOML."""
    import tomli_w

    given = point.config.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    write_text(path, tomli_w.dumps(given))
    return path


def show(lines: Sequence[Line]) -> None:
    """A line a configuration, what was set in it, and seed."""
    columns, table = _columns(lines), Table()
    empty = [name for name in ("failed", "graded_on") if set(columns[name]) <= {"", "test"}]
    columns = {name: cells for name, cells in columns.items() if name not in (*empty, "run")}
    titles = {"name": "configuration", "accuracy_float": "float %", "accuracy_fixed": "fixed %",
              "weight_hash": "final weights"}
    for name, cells in columns.items():
        numbers = all(isinstance(cell, int | float) for cell in cells)
        table.add_column(titles.get(name, name.replace("_", " ")), justify="right" if numbers else "left",
                         overflow="fold")
    for line in zip(*columns.values()):
        table.add_row(*(_shown(name, cell) for name, cell in zip(columns, line)))
    terminal().print(table)


def _columns(lines: Sequence[Line]) -> dict[str, list[Any]]:
    records = [line.record() for line in lines]
    return {name: [record[name] for record in records] for name in records[0]}


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _of_one_type(cells: list[Any]) -> list[Any]:
    kinds = {type(cell) for cell in cells if cell is not None}
    return cells if len(kinds) <= 1 and kinds <= {bool, int, float, str} else [json.dumps(cell) for cell in cells]


def _shown(name: str, value: Any) -> str:
    if name.startswith("accuracy") and value is not None:
        return f"{100 * value:.2f}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return _plain(value)[:SHORT] if name == "weight_hash" else _plain(value)
