"""What can go wrong, as exit codes. Every message is a sentence naming the place and the fix."""

import warnings
from collections.abc import Iterable
from enum import IntEnum

__all__ = ["Exit", "HebbarError", "BadInput", "Mismatch", "MissingTool", "TimedOut", "HebbarWarning", "warn"]


class Exit(IntEnum):
    """Exit codes of every command."""

    PASS = 0
    MISMATCH = 1
    BAD_INPUT = 2
    MISSING_TOOL = 3
    TIME_OUT = 4


class HebbarError(Exception):
    """An error the user can act on; ``code`` is the exit code of the command."""

    code = Exit.MISMATCH


class Mismatch(HebbarError):
    """A comparison or a check failed."""


class BadInput(HebbarError):
    """The configuration, data or command line cannot be used as given."""

    code = Exit.BAD_INPUT


class MissingTool(HebbarError):
    """A program that this step needs is not installed."""

    code = Exit.MISSING_TOOL


class TimedOut(HebbarError):
    """A run did not end in the time it was given."""

    code = Exit.TIME_OUT


class HebbarWarning(UserWarning):
    """A result that exists and may be void: saturated, untested, or of samples that teach nothing."""


def warn(sentences: Iterable[str]) -> None:
    """A HebbarWarning for each sentence, at the line that called the function this is called from."""
    for sentence in sentences:
        warnings.warn(sentence, HebbarWarning, stacklevel=3)
