"""The tail of an error sentence: the allowed values and the nearest correct name."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["suggest", "shown"]

SHOWN = 60
"""Characters of a value in a sentence."""


def shown(value: object, quotes: bool = True) -> str:
    """A value as it stands in a sentence: one line, cut where it is long."""
    try:
        text = repr(value) if quotes or not isinstance(value, str) else repr(value)[1:-1]
    except Exception:  # a number of thousands of digits, an object of the user's
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}.."


def suggest(given: str, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'? Allowed: a, b, x`` for a name that is none of ``allowed``."""
    names = [str(a) for a in allowed]
    near = get_close_matches(str(given)[:SHOWN], names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{hint} Allowed: {', '.join(names)}"
