"""What can go wrong, as exit codes. Every message is a sentence naming the place and the fix."""

import errno
import warnings
from collections.abc import Iterable
from enum import IntEnum

__all__ = ["Exit", "HebbarError", "BadInput", "Mismatch", "MissingTool", "TimedOut", "InternalError", "build_failed",
           "explained", "HebbarWarning", "warn"]


class Exit(IntEnum):
    """Exit codes of every command; a signal ends it with 128 and the signal's number, Ctrl-C so with 130."""

    PASS = 0
    MISMATCH = 1
    BAD_INPUT = 2
    MISSING_TOOL = 3
    TIME_OUT = 4
    DEFECT = 5


class HebbarError(Exception):
    """An error the user can act on; ``code`` is the exit code of the command."""

    code = Exit.MISMATCH


class Mismatch(HebbarError):
    """A comparison or a check failed."""


class BadInput(HebbarError):
    """The configuration, data, command line or a place on this computer cannot be used as given."""

    code = Exit.BAD_INPUT


class MissingTool(HebbarError):
    """A program that this step needs is not installed."""

    code = Exit.MISSING_TOOL


class TimedOut(HebbarError):
    """A run did not end in the time it was given."""

    code = Exit.TIME_OUT


class InternalError(HebbarError):
    """Hebbar made something that a tool refuses: a defect of Hebbar, not of what it was given."""

    code = Exit.DEFECT


_FIXES = {
    errno.ENOSPC: "make room there, or use another folder", errno.EDQUOT: "make room there, or use another folder",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or use another folder",
    errno.EROFS: "use a folder that can be written", errno.EACCES: "use a folder that you may read and write",
    errno.EPERM: "use a folder that you may read and write", errno.ENOTDIR: "use a folder, not a file",
    errno.EISDIR: "give a file, not a folder", errno.ENAMETOOLONG: "use a shorter path",
    errno.ENOENT: "look whether it is still there", errno.ELOOP: "mend the symbolic link",
    errno.EMFILE: "allow more open files (ulimit -n)", errno.ENFILE: "close other programs",
    errno.EAGAIN: "allow more processes (ulimit -u), or use fewer --jobs",
    errno.ENOMEM: "close other programs, or use a smaller network or fewer samples",
    errno.EIO: "look at the disk", errno.ESTALE: "mount the folder again", errno.ETXTBSY: "try again",
    errno.EINVAL: "use another name or folder", errno.ENODEV: "use another folder"}


def explained(error: BaseException, place: object = None) -> BadInput | None:
    """The sentence for an error of the computer: memory, disk, rights; None when ``error`` is none of them.

    ``place``: the file or folder concerned, where the error does not name it.
    """
    if isinstance(error, MemoryError):
        return BadInput("there is not enough memory for this; close other programs, or use a smaller network, fewer "
                        "samples or fewer --jobs.")
    if isinstance(error, OSError) and error.errno in _FIXES:
        where = place or error.filename or "a file or folder"
        return BadInput(f"{where} cannot be used ({error.strerror}); {_FIXES[error.errno]}.")
    return None


_NO_ROOM = {"No space left on device": "make room, or use another folder", "Disk quota exceeded": "make room, or use "
            "another folder", "File size limit exceeded": "raise the limit on the size of files (ulimit -f)",
            "File too large": "raise the limit on the size of files (ulimit -f)",
            "Cannot allocate memory": "close other programs", "virtual memory exhausted": "close other programs",
            "Killed signal terminated program": "the computer ran out of memory: close other programs",
            "Resource temporarily unavailable": "allow more processes (ulimit -u)",
            "Too many open files": "allow more open files (ulimit -n)",
            "Permission denied": "allow writing there, or use "
            "another folder", "Read-only file system": "use another folder"}
"""What compilers say when the computer is at fault, and what to do about it."""


def build_failed(what: str, said: str) -> HebbarError:
    """The error for a compiler that did not compile: the computer's fault or ours, never the user's Verilog."""
    for words, fix in _NO_ROOM.items():
        if words in said:
            return BadInput(f"{what}: {words}; {fix}.")
    return InternalError(f"{what}:\n{said}")


class HebbarWarning(UserWarning):
    """A result that exists and may be void: saturated, untested, or of samples that teach nothing."""


def warn(sentences: Iterable[str]) -> None:
    """A HebbarWarning for each sentence, at the line that called the function this is called from."""
    for sentence in sentences:
        warnings.warn(sentence, HebbarWarning, stacklevel=3)
