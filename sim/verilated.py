"""The objects of Verilator's own library: the same for every model of a kind, so compiled once for a build folder.

They take two thirds of the time to build the model of a small machine. The makefile that Verilator writes compiles them
beside the first model; later ones are linked with copies.
"""

import hashlib
import shutil
from pathlib import Path

from hebbar.contract.files import usable, whole, write_text

from .builds import keep

__all__ = ["flags", "place", "store", "take"]

OBJECTS, NAMES = "verilated*.o", "names"
"""The objects in the folder of a model, and the file that says in the kept folder that all of them are there."""


def place(build: Path, key: str) -> Path:
    """The entry of a build folder for objects of the tools and options that ``key`` tells, made when it is missing."""
    return keep(build / f"verilated-{hashlib.sha256(key.encode()).hexdigest()[:16]}")


def take(kept: Path, work: Path) -> list[str]:
    """Copy what an earlier build has left in ``kept`` to ``work``; the names, of which there are none at first."""
    listed = kept / NAMES
    names = listed.read_text(encoding="utf-8").split() if listed.exists() else []
    with usable(work):
        for name in names:
            shutil.copy(kept / name, work / name)
    return names


def store(work: Path, kept: Path) -> None:
    """Keep the objects that were compiled in ``work``, unless an earlier build has; a process that builds at the same
    time finds all or none."""
    if (kept / NAMES).exists():
        return
    objects = sorted(work.glob(OBJECTS))
    for path in objects:
        with whole(kept / path.name) as partial:
            shutil.copy(path, partial)
    write_text(kept / NAMES, "\n".join(path.name for path in objects))


def flags(names: list[str]) -> str:
    """What MAKEFLAGS needs so that the makefile links the objects ``names`` and compiles none."""
    return " VM_GLOBAL_FAST= VM_GLOBAL_SLOW= LOADLIBES=" + "\\ ".join(names) if names else ""
