"""What users write: configurations and rules, read whole but never without end."""

import errno
from pathlib import Path

__all__ = ["bounded", "LARGEST"]

LARGEST = 1 << 20
"""Bytes of a file; the largest network that fits a machine takes a tenth of it."""


def bounded(path: Path) -> bytes:
    """The contents of a file; raises OSError for one that cannot be read or has more than ``LARGEST`` bytes."""
    try:
        with open(path, "rb") as file:
            found = file.read(LARGEST + 1)
    except ValueError as error:  # a null byte
        raise OSError(errno.EINVAL, str(error)) from None
    if len(found) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST} bytes")
    return found
