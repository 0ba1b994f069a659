"""Transition counts of a SAIF file (Switching Activity Interchange Format, IEEE 1801), by instance and signal."""

import re
from pathlib import Path

from hebbar.contract.errors import BadInput

__all__ = ["Counts", "read_saif"]

Counts = dict[tuple[str, ...], dict[str, dict[int, int]]]
"""Transitions by the path of an instance, by signal, by bit; a word of an array is a signal named ``memory[3]``."""

LINE = re.compile(r"\(INSTANCE (\S+)|\((\S+) \(T0 \d+\).*\(TC (\d+)\)\)|^ *(\))$", re.MULTILINE)
BIT = re.compile(r"(.*?)\\\[(\d+)\\\]$")


def read_saif(path: Path) -> Counts:
    """The counts of a file as Verilator writes it, a net a line. Raises BadInput where it holds none."""
    found: Counts = {}
    place: list[str] = []
    for instance, net, count, end in LINE.findall(path.read_text(encoding="utf-8")):
        if instance:
            place += [instance, ""]  # its list of nets is closed by a line, too
        elif net:
            bit = BIT.match(net)
            name, index = (bit[1], int(bit[2])) if bit else (net, 0)
            found.setdefault(tuple(p for p in place if p), {}).setdefault(name, {})[index] = int(count)
        elif end and place:
            place.pop()
    if not found:
        raise BadInput(f"{path} counts no transitions; give a SAIF file of Verilator.")
    return found
