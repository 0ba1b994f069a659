"""Memory macros of an ASIC: from Liberty files of a compiler, or from a law fitted to a published one."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.errors import BadInput

__all__ = ["LAW", "Macro", "Sram", "law", "macro", "read_sram"]

LAW = ("18719 + 247.8 w + 3.546 w d square micrometres, w bits, d words: fitted to ten SRAMs of IHP's SG13G2 compiler "
       "(130 nm, single port), 6 % where one of them is left out")
PORTS = 2
"""Banks in place of the one port more that a memory needs that is read and written in each cycle."""


@dataclass(frozen=True)
class Sram:
    """A macro that a Liberty file describes: a single port."""

    name: str
    words: int
    bits: int
    um2: float


@dataclass(frozen=True)
class Macro:
    """A memory of the design as macros: what of, how many, their area together."""

    words: int
    bits: int
    readers: int
    of: str
    count: int
    um2: float


def read_sram(path: Path) -> Sram:
    """The macro of a Liberty file; raises BadInput where it names no memory with its size and area."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the SRAM's Liberty file {path} cannot be read ({error}).") from None
    cell = re.search(r"\bcell\s*\(\s*\"?(\w+)", text)
    size = re.search(r"memory\s*\(\s*\)\s*\{[^}]*?address_width\s*:\s*(\d+)[^}]*?word_width\s*:\s*(\d+)", text)
    square = re.search(r"\barea\s*:\s*([\d.]+)", text[cell.start():]) if cell else None
    named = re.search(r"(\d+)x(\d+)", cell[1]) if cell else None
    if not cell or not square or not (size or named):
        raise BadInput(f"{path} names no memory with address_width, word_width and area; give the Liberty file of an "
                       "SRAM, or none for the fitted law.")
    if size:
        return Sram(cell[1], 1 << int(size[1]), int(size[2]), float(square[1]))
    assert named, "one of the two was found"
    return Sram(cell[1], int(named[1]), int(named[2]), float(square[1]))


def law(words: int, bits: int, readers: int) -> Macro:
    """A memory of the fitted law, a copy for each reader, two banks each for reading and writing in one cycle."""
    count = PORTS * readers
    return Macro(words, bits, readers, "the fitted law", count,
                 count * (18719 + 247.8 * bits + 3.546 * bits * math.ceil(words / PORTS)))


def macro(words: int, bits: int, readers: int, known: Sequence[Sram]) -> Macro:
    """The arrangement of one of the known macros that takes the least area, with banks and copies as in ``law``."""
    half = math.ceil(words / PORTS)
    counts = {sram: PORTS * readers * math.ceil(half / sram.words) * math.ceil(bits / sram.bits) for sram in known}
    best = min(known, key=lambda sram: (counts[sram] * sram.um2, sram.name))
    return Macro(words, bits, readers, best.name, counts[best], counts[best] * best.um2)
