"""Boolean expressions of Liberty, as trees and as Python: over pins that are 0 or 1, or arrays of these."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from hebbar.contract.errors import BadInput

__all__ = ["Tree", "evaluate", "names_in", "python", "tree"]

Tree = tuple[Any, ...]
"""An operator of Python and its one or two trees, or "pin" and a name or a constant."""
TOKEN = re.compile(r"\s*([A-Za-z_]\w*|[01]|[!'()*&+|^])")
BINARY = (("+|", "|"), ("*&", "&"), ("^", "^"))
"""Operators of Liberty, loosest first, and those of Python."""


def _tokens(text: str) -> list[str]:
    found, at, whole = [], 0, text.strip()
    while at < len(whole):
        match = TOKEN.match(whole, at)
        if not match:
            raise BadInput(f"the Liberty expression {text!r} has {whole[at]!r}, which is no operator; it cannot be "
                           "evaluated.")
        found.append(match[1])
        at = match.end()
    return found


@cache
def tree(text: str) -> Tree:
    """The expression, operators of one kind from the left. Raises BadInput for what is none."""
    tokens = _tokens(text)
    try:
        found = _operators(tokens, 0)
    except IndexError:
        tokens = ["end"]
    if tokens:
        raise BadInput(f"the Liberty expression {text!r} does not end as one; it cannot be evaluated.")
    return found


def _operators(tokens: list[str], level: int) -> Tree:
    if level == len(BINARY):
        return _factor(tokens)
    signs, ours = BINARY[level]
    found = _operators(tokens, level + 1)
    while tokens and (tokens[0] in signs or (ours == "&" and tokens[0] not in "+|^)")):
        if tokens[0] in signs:  # two factors beside each other are a product, too
            tokens.pop(0)
        found = (ours, found, _operators(tokens, level + 1))
    return found


def _factor(tokens: list[str]) -> Tree:
    token = tokens.pop(0)
    if token == "!":
        return ("!", _factor(tokens))
    if token == "(":
        found = _operators(tokens, 0)
        if tokens.pop(0) != ")":
            raise IndexError
    elif token in "01" or token[0].isalpha() or token[0] == "_":
        found = ("pin", token)
    else:
        raise IndexError
    while tokens and tokens[0] == "'":
        tokens.pop(0)
        found = ("!", found)
    return found


@cache
def names_in(text: str) -> tuple[str, ...]:
    """The pins of an expression."""
    return tuple(dict.fromkeys(t for t in _tokens(text) if t[0].isalpha() or t[0] == "_"))


@cache
def python(text: str) -> str:
    """The expression in Python's operators, every pin in braces, to be filled by ``str.format``."""
    return _python(tree(text))


def _python(part: Tree) -> str:
    match part:
        case ("pin", name):
            return str(name) if name in "01" else f"{{{name}}}"
        case ("!", inner):
            return f"(1 ^ {_python(inner)})"
    return f"({_python(part[1])} {part[0]} {_python(part[2])})"


@cache
def evaluate(text: str, pins: tuple[str, ...]) -> Callable[..., int]:
    """A function of the values of ``pins``, in their order."""
    if missing := set(names_in(text)) - set(pins):
        raise BadInput(f"the Liberty expression {text!r} names {min(missing)}, which is no pin of its cell.")
    body = python(text).format(**{pin: f"p{i}" for i, pin in enumerate(pins)})
    arguments = ", ".join(f"p{i}" for i in range(len(pins)))
    made: Callable[..., int] = eval(f"lambda {arguments}: {body}", {})  # of operators, p0 and on, 0 and 1 alone
    return made
