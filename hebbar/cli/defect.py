"""What is said and kept of an exception that nobody foresaw."""

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

__all__ = ["report"]

OURS = ("hebbar", "golden", "hw", "sim")


def report(error: BaseException) -> str:
    """Keep the stack trace of ``error`` in a file; a sentence that says what failed, where the file is, what to do."""
    kept = _keep(error)
    where = f"The stack trace is in {kept}; send it" if kept else "No stack trace could be kept; send this"
    return (f"this is a defect of Hebbar, not of what you gave it: {_what(error)}. {where} to Hebbar's maintainers "
            "with the command line and its configuration, please.")


def _what(error: BaseException) -> str:
    """The exception in one line, and the line of Hebbar that met it."""
    text = " ".join(str(error).split())[:200]
    root = Path(__file__).parents[2]
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if any(Path(f.filename).is_relative_to(root / package) for package in OURS)]
    place = f", {Path(frames[-1].filename).relative_to(root)} line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{f' ({text})' if text else ''}{place}"


def _keep(error: BaseException) -> Path | None:
    """The file, in the folder of results where there is one, else in the folder for temporary files."""
    from .options import Run

    text = (f"{' '.join(sys.argv)}\nPython {platform.python_version()} on {platform.platform()}\n\n"
            + "".join(traceback.format_exception(error)))
    name = f"hebbar-defect-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (Run.current, Path(tempfile.gettempdir())):
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8", errors="replace")
                return folder / name
        except OSError:
            continue
    return None
