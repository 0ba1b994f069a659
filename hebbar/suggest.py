"""The tail of an error sentence: the allowed values and the nearest correct name."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["suggest"]


def suggest(given: str, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'? Allowed: a, b, x`` for a name that is none of ``allowed``."""
    names = [str(a) for a in allowed]
    near = get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{hint} Allowed: {', '.join(names)}"
