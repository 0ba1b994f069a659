"""The syntax of Liberty: groups, in them attributes and groups.

Own code, as no library serves: liberty-parser of PyPI is GPL-3, which a package of the Apache licence cannot need, and
eda-liberty-parser has one release.
"""

import re
from dataclasses import dataclass, field

from hebbar.contract.errors import BadInput

__all__ = ["Group", "parse"]

SKIPPED = re.compile(r"/\*.*?\*/|\\\r?\n", re.DOTALL)
TOKEN = re.compile(r'\s*(?:"([^"]*)"|([^\s{}();:,"]+)|([{}();:,]))')


@dataclass
class Group:
    """``kind(names) { ... }``: the last value of every attribute ``a : v;``, the lists of every ``a(v, ..);``, and the
    groups inside."""

    kind: str
    names: list[str]
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def all(self, kind: str) -> list["Group"]:
        """The groups of a kind, in their order."""
        return [g for g in self.groups if g.kind == kind]

    def numbers(self, name: str) -> list[float]:
        """A list of numbers, in one string or in several; empty where there is none."""
        return [float(word) for part in self.lists.get(name, []) for word in re.split(r"[\s,]+", part) if word]


def parse(text: str, where: str) -> Group:
    """The library of a Liberty file. Raises BadInput, naming ``where``, for what is none."""
    tokens = [(match[1] if match[1] is not None else match[2] or match[3], match[3] is not None)
              for match in TOKEN.finditer(SKIPPED.sub(" ", text))]
    root = Group("", [])
    open_groups, i = [root], 0
    try:
        while i < len(tokens):
            i = _statement(tokens, i, open_groups)
    except IndexError:
        raise BadInput(f"{where} ends in the middle of a group or is no Liberty file; give a whole one.") from None
    found = root.all("library")
    if len(open_groups) != 1 or len(found) != 1:
        raise BadInput(f"{where} holds {len(found)} whole libraries; give a Liberty file with one.")
    return found[0]


def _statement(tokens: list[tuple[str, bool]], i: int, open_groups: list[Group]) -> int:
    """One attribute, or the head or the end of a group, from token ``i``; returns the first token after it."""
    word, sign = tokens[i]
    if sign:
        if word == "}":
            open_groups.pop()
            open_groups[-1]  # an end too many
        return i + 1
    if tokens[i + 1] == (":", True):
        end = i + 2
        while tokens[end] not in ((";", True), ("}", True)):
            end += 1
        open_groups[-1].values[word] = " ".join(text for text, _ in tokens[i + 2:end])
        return end
    if tokens[i + 1] != ("(", True):
        return i + 1
    end = tokens.index((")", True), i)
    names = [text for text, is_sign in tokens[i + 2:end] if not is_sign]
    if end + 1 < len(tokens) and tokens[end + 1] == ("{", True):
        group = Group(word, names)
        open_groups[-1].groups.append(group)
        open_groups.append(group)
        return end + 2
    open_groups[-1].lists[word] = names
    return end + 1
