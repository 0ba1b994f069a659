"""The text of the Python files that ran as part of a configuration, for records that keep what ran."""

from pathlib import Path

__all__ = ["keep", "text_of"]

_TEXTS: dict[Path, bytes] = {}


def keep(path: Path, text: bytes) -> None:
    """Remember the text with which the file at ``path``, a resolved path, ran in this process."""
    _TEXTS[path] = text


def text_of(path: Path) -> bytes:
    """The text of a source file as it ran in this process, without a later change; of one that did not run as it is."""
    return _TEXTS.get(path.resolve()) or path.read_bytes()
