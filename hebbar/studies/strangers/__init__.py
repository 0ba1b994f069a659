"""``hebbar bench strangers``: what happens when the project is used from outside, wrongly, twice or at a bad moment."""

import hashlib
import json
from importlib import import_module
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json
from hebbar.contract.record import commit
from hebbar.contract.results import Figure

__all__ = ["PARTS", "SEEDS", "measure", "measured", "sources"]

SEEDS = {False: 1, True: 1}
"""Seeds behind the random inputs; every part begins with seed 0."""

ROOT = Path(__file__).parents[3]
PACKAGES = ("hebbar", "golden", "hw", "sim")

PARTS = ("reproducers", "presets", "fuzz_toml", "fuzz_files", "fuzz_api", "interrupt", "other_user", "random_bus",
         "edits", "aborts")
"""Modules of this package, in the order of the table; each measures its rows."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``quick`` takes a part of the random inputs and moments.

    It takes most of an hour: a part that was measured in ``folder`` with these very sources is not measured again.
    ``data``: a folder of reproducers other than those of the checkout.
    """
    figures = []
    for name in PARTS:
        figures += measured(name, folder, quick, reporter, data)
    return figures


def measured(name: str, folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """The figures of one part, from its record where that is of these sources."""
    record, state = folder / f"{name}.json", {"sources": sources(), "quick": quick, "data": str(data) if data else None}
    if record.exists() and (kept := json.loads(record.read_text(encoding="utf-8")))["state"] == state:
        reporter.say(f"{name}: measured before, at commit {kept['commit']}")
        return [Figure(**figure) for figure in kept["figures"]]
    reporter.say(f"{name} ...")
    more = {"faults": data} if name == "reproducers" else {}
    figures = import_module(f"{__name__}.{name}").measure(folder / name, quick, reporter, **more)
    write_json(record, {"state": state, "commit": commit(), "figures": [figure.record() for figure in figures]})
    return figures


def sources() -> str:
    """A hash over every file of the packages, whatever git says of them."""
    paths = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*")
                   if p.is_file() and "__pycache__" not in p.parts)
    return hashlib.sha256(b"\0".join(str(p.relative_to(ROOT)).encode() + b"\0" + p.read_bytes()
                                     for p in paths)).hexdigest()
