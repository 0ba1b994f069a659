"""The build folder: one entry for each machine, those in use kept, the least recently used ones removed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.errors import BadInput
from hebbar.contract.files import output_folder, usable
from hebbar.contract.places import free_bytes

__all__ = ["LIMIT_BYTES", "Entry", "clean", "entries", "keep", "trim", "room_for_build"]

LIMIT_BYTES = 1 << 30
"""Above that the entries that were not used for the longest time go when a new one is made."""
NEEDED_BYTES = 200 << 20
"""A build takes up to so much while it compiles, nearly all of it precompiled headers."""
USED = "used"

_held: dict[Path, int] = {}
"""Open files of the marks of this process's entries: the lock lasts as long as they are open."""


@dataclass(frozen=True)
class Entry:
    """One folder of a build folder: its bytes and when (seconds since 1970) it was last used."""

    folder: Path
    size: int
    used: float


def keep(folder: Path) -> Path:
    """Make an entry, or take the one that is there, and hold it: it stays as long as this process runs."""
    folder = folder.absolute()
    mark, new = folder / USED, not (folder / USED).exists()
    while folder not in _held or not _same(_held[folder], mark):  # another process may be removing it
        output_folder(folder)
        if folder in _held:
            os.close(_held.pop(folder))
        with usable(folder):
            try:
                _held[folder] = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:  # it has gone since it was made
                continue
            fcntl.flock(_held[folder], fcntl.LOCK_SH)
    with usable(mark):
        os.utime(mark)
    if new:
        trim(folder.parent)
    return folder


def room_for_build(folder: Path) -> None:
    """Raise BadInput when there is too little room to build in ``folder``."""
    if (free := free_bytes(folder)) < NEEDED_BYTES:
        raise BadInput(f"{folder} has {free >> 20} MB left and a simulator needs {NEEDED_BYTES >> 20} MB while it is "
                       "built; make room, or give another folder with --build.")


def entries(build: Path) -> list[Entry]:
    """What is in a build folder, the least recently used first."""
    found = []
    for mark in build.glob(f"*/{USED}"):
        with suppress(FileNotFoundError):  # another process may be removing it
            found.append(Entry(mark.parent, sum(_sizes(mark.parent)), mark.stat().st_mtime))
    return sorted(found, key=lambda entry: entry.used)


def trim(build: Path, limit: int = LIMIT_BYTES) -> int:
    """Remove entries that no process holds, the least recently used first, until at most ``limit`` bytes are left.
    Returns the bytes removed."""
    known = entries(build)
    total, removed = sum(entry.size for entry in known), 0
    for entry in known:
        if total - removed <= limit:
            break
        if _remove(entry.folder):
            removed += entry.size
    return removed


def clean(build: Path) -> tuple[int, int]:
    """Remove every entry that no process holds; the bytes removed and the bytes left."""
    removed = trim(build, -1)
    return removed, sum(entry.size for entry in entries(build))


def _remove(folder: Path) -> bool:
    """Remove an entry that no process holds; whether it is gone. It is renamed first: nobody finds a half of it."""
    gone = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        with open(folder / USED) as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _same(mark.fileno(), folder / USED):  # it was removed, and made again
                return False
            folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
    except FileNotFoundError:  # another process has removed it
        return True
    except OSError:
        return False
    return True


def _same(opened: int, mark: Path) -> bool:
    """Whether an open file is the mark that is there now."""
    try:
        return os.path.samestat(os.fstat(opened), mark.stat())
    except FileNotFoundError:
        return False


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it may be of a build that goes on
            yield path.lstat().st_size
