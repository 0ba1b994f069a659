"""Areas of ``hebbar bench`` that take long: a part keeps its figures and is not measured again on the same sources."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json
from hebbar.contract.record import commit
from hebbar.contract.results import Figure

__all__ = ["MAIN", "ONE_THREAD", "ROOT", "SOURCES", "as_csv", "hashed", "kept", "measured", "sources"]

ROOT = Path(__file__).parents[2]
MAIN = "from hebbar.cli import main; main()"
"""The command for a new Python."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
"""Environment variables by which the numerical libraries of a process use one thread."""
SOURCES = ("hebbar", "golden", "hw", "sim")
RESULTS = "benchmarks/results"


def measured(area: str, part: str, folder: Path, quick: bool, reporter: Reporter, packages: Sequence[str] = SOURCES,
             data: Path | None = None, **more: Any) -> list[Figure]:
    """The figures of module ``part`` of a package of studies, from its record in ``folder`` where that is of these
    sources; ``more`` goes to its ``measure``."""
    known = kept(part, folder, quick, packages, data)
    if known is not None:
        reporter.say(f"{part}: measured before")
        return known
    reporter.say(f"{part} ...")
    module = import_module(f"hebbar.studies.{area}.{part}")
    figures: list[Figure] = module.measure(folder / part, quick, reporter, **more)
    write_json(folder / f"{part}.json", {"state": _state(quick, packages, data), "commit": commit(),
                                         "figures": [figure.record() for figure in figures]})
    return figures


def kept(part: str, folder: Path, quick: bool, packages: Sequence[str] = SOURCES,
         data: Path | None = None) -> list[Figure] | None:
    """The recorded figures of a part, None where there are none of these very sources."""
    record = folder / f"{part}.json"
    if not record.exists():
        return None
    found = json.loads(record.read_text(encoding="utf-8"))
    return [Figure(**f) for f in found["figures"]] if found["state"] == _state(quick, packages, data) else None


def _state(quick: bool, packages: Sequence[str], data: Path | None) -> dict[str, Any]:
    return {"sources": sources(*packages), "quick": quick, "data": str(data) if data else None}


def sources(*packages: str) -> str:
    """A hash over every file of the packages, whatever git says of them, and over files of their own; what was measured
    is no source."""
    paths = sorted(p for package in packages for p in (ROOT / package, *(ROOT / package).rglob("*"))
                   if p.is_file() and "__pycache__" not in p.parts and not p.is_relative_to(ROOT / RESULTS))
    return hashed((str(p.relative_to(ROOT)), p.read_bytes()) for p in paths)


def hashed(files: Iterable[tuple[str, bytes]]) -> str:
    """A hash over names and contents of files, in their order."""
    return hashlib.sha256(b"\0".join(os.fsencode(name) + b"\0" + content for name, content in files)).hexdigest()


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
