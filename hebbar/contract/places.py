"""Where things that can be made again are kept: built simulators, and the caches of the libraries.

The user's cache folder, as the system has it; where there is none that can be written (no home, a foreign user, a
read-only disk), a folder of the user's own below the one for temporary files.
"""

import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from .errors import BadInput

__all__ = ["BUILD_VARIABLE", "build_folder", "cache_folder", "free_bytes", "plain", "plain_home", "settle",
           "user_cache", "writable"]

BUILD_VARIABLE = "HEBBAR_BUILD"
PLAIN = re.compile(r"[A-Za-z0-9_./+@-]+")


def build_folder() -> Path:
    """Where simulators are built unless a command or a call says otherwise: HEBBAR_BUILD, else in ``cache_folder``."""
    given = os.environ.get(BUILD_VARIABLE)
    return Path(given).absolute() if given else cache_folder() / "build"


@cache
def cache_folder() -> Path:
    """Hebbar's part of the user's cache, or of ``_own_temporary`` where that cannot be written."""
    user = user_cache()
    return user / "hebbar" if user is not None else _own_temporary()


@cache
def user_cache() -> Path | None:
    """The user's cache folder (on Linux XDG_CACHE_HOME or ~/.cache); None when nothing can be written there."""
    from platformdirs import user_cache_path

    folder = user_cache_path()
    # The home itself is never made: a wrong HOME would get a folder.
    known = folder.is_absolute() and (folder.exists() or folder.parent.is_dir() or "XDG_CACHE_HOME" in os.environ)
    return folder if known and writable(folder) else None


@cache
def settle() -> None:
    """Point the caches of Numba, YoWASP, wasmtime, ccache and Matplotlib to a place that can be written.

    Nothing changes for whoever has a home. Must run before these are imported or started.
    """
    if (numba := os.environ.get("NUMBA_CACHE_DIR")) and not writable(Path(numba)):
        del os.environ["NUMBA_CACHE_DIR"]
    if user_cache() is None:
        own = cache_folder()
        os.environ["XDG_CACHE_HOME"] = str(own)
        os.environ.setdefault("MPLCONFIGDIR", str(own / "matplotlib"))
        os.environ.setdefault("NUMBA_CACHE_DIR", str(own / "numba"))
        for name in ("YOWASP_CACHE_DIR", "CCACHE_DIR"):
            if name in os.environ and not writable(Path(os.environ[name])):
                del os.environ[name]


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``, which is made for it: really tried, since rights do not tell."""
    try:
        made = [f for f in (folder, *folder.parents) if not f.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"\0")
        finally:
            for empty in made:
                with suppress(OSError):
                    empty.rmdir()
        return True
    except (OSError, ValueError):
        return False


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of ``folder``, which need not be there yet."""
    import shutil

    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def plain(path: Path) -> Path:
    """``path``, absolute, under a name that make, compilers and shells take: itself, else a symbolic link to it.

    A blank, ``#``, ``$``, a quote or a letter outside of ASCII ends or changes a word for one of them.
    """
    path = Path(os.path.abspath(path))
    if PLAIN.fullmatch(str(path)):
        return path
    if PLAIN.fullmatch(path.name):  # a file keeps its suffix
        return plain(path.parent) / path.name
    suffix = path.suffix if PLAIN.fullmatch(path.suffix) else ""
    link = plain_home() / "links" / (sha256(os.fsencode(path)).hexdigest()[:16] + suffix)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or os.readlink(link) != str(path):
        partial = link.with_name(f"{link.name}.{os.getpid()}")
        partial.symlink_to(path)
        partial.replace(link)
    return link


@cache
def plain_home() -> Path:
    """A folder of the user's own whose name every tool takes."""
    home = next((f for f in (cache_folder(), _own_temporary()) if PLAIN.fullmatch(str(f))), None)
    if home is None:
        raise BadInput(f"{cache_folder()} and {_own_temporary()} have blanks or special letters in their names, which "
                       "make cannot take; set TMPDIR to a folder that has none.")
    home.mkdir(parents=True, exist_ok=True)
    return home


@cache
def _own_temporary() -> Path:
    """A folder below the one for temporary files that nobody else can write: what is built there is run."""
    for parent in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))):
        folder = parent / f"hebbar-{os.getuid()}"
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
            if status.st_uid == os.getuid() and not status.st_mode & 0o077 and writable(folder):
                return folder
    return Path(tempfile.mkdtemp(prefix="hebbar-"))
