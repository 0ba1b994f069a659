"""Arguments of the Python interface that are no arrays: taken as what they are, or refused in a sentence."""

import os
from collections.abc import Mapping
from contextlib import suppress
from operator import index
from pathlib import Path
from typing import Any

from .compiler.config import Config, load, parse
from .contract.console import Reporter
from .contract.errors import BadInput
from .contract.suggest import suggest

__all__ = ["configuration", "file_path", "new_file", "reporter_of", "whole"]


def configuration(source: Any, sections: Mapping[str, Any]) -> Config:
    """The configuration ``source`` names or is, with some keys of some sections changed and all validated again."""
    if isinstance(source, Config):
        config = source
    elif isinstance(source, Mapping):
        config = parse(dict(source), "configuration")
    elif isinstance(source, str | os.PathLike):
        config = load(str(file_path("source", source)))
    else:
        raise BadInput(f"source is {_short(source)}; give a preset, the path of a TOML file, a dictionary or a Config.")
    known = [name for name in Config.model_fields if name != "name"]
    for name, keys in sections.items():
        if name not in known:
            raise BadInput(f"there is no section {name!r}{suggest(name, known)}.")
        if not isinstance(keys, Mapping):
            raise BadInput(f"section {name} is {_short(keys)}; give a dictionary of its keys.")
    return config.replace(**{name: dict(keys) for name, keys in sections.items()}) if sections else config


def whole(name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``, NumPy's integers too; True and 2.0 are none."""
    try:
        number = None if isinstance(value, bool) or type(value).__name__ == "bool" else index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise BadInput(f"{name} is {_short(value)}; give a whole number of {least} or more.")
    return number


def file_path(name: str, value: Any) -> Path:
    """A path from text or a path object, which the system can look for."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise BadInput(f"{name} is {_short(value)}; give the name of a file or folder.")
    try:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.stat(value)
        return Path(value)
    except (OSError, ValueError, TypeError) as error:  # too long, a zero byte, bytes
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"{name} is {_short(value)}, which cannot be a path ({why}); give another.") from None


def new_file(name: str, value: Any) -> Path:
    """A path to write a file to; a folder is refused before the work and not after it."""
    path = file_path(name, value)
    if path.is_dir():
        raise BadInput(f"{name} is the folder {str(path)!r}; give the name of a file in it.")
    return path


def reporter_of(value: Any) -> Reporter:
    """The given reporter, one that shows progress for True, a quiet one for False or None."""
    if value is not None and not isinstance(value, bool | Reporter):
        raise BadInput(f"reporter is {_short(value)}; give True, a hebbar.contract.console.Reporter, or None.")
    return value if isinstance(value, Reporter) else Reporter(quiet=not value)


def _short(value: Any) -> str:
    """What was given, in at most about 60 characters; an array by its shape."""
    shape = getattr(value, "shape", None)
    text = repr(value) if shape is None or shape == () else f"an array of shape {shape}"
    text = f"an object of type {type(value).__name__}" if " object at 0x" in text else text
    return text if len(text) <= 60 else f"{text[:50]} .. ({type(value).__name__})"
