"""The rooms of the house: how many lines of Python each holds."""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import ROOT, SOURCES

__all__ = ["FACE", "ROOMS", "lines", "measure"]

ROOMS = ("hebbar/contract", "hebbar/compiler", "golden", "hw", "sim", "hebbar/energy", "hebbar/verify", "hebbar/synth",
         "hebbar/report", "hebbar/studies")
FACE = "the face and the command line"
"""What is left of ``hebbar``: Experiment, arguments, doctor, cli."""
MOST = 0.30


def lines() -> dict[str, int]:
    """Lines of the Python files of every room; every file is in one of them."""
    found = dict.fromkeys((*ROOMS, FACE), 0)
    for path in (path for package in SOURCES for path in sorted((ROOT / package).rglob("*.py"))):
        where = path.relative_to(ROOT).as_posix()
        room = next((room for room in ROOMS if where.startswith(f"{room}/")), FACE)
        found[room] += len(path.read_text(encoding="utf-8").splitlines())
    return found


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The share of the largest room, and beside it that of every room."""
    found = lines()
    total, largest = sum(found.values()), max(found, key=lambda room: found[room])
    share = round(100 * found[largest] / total, 1)
    return [Figure(f"share of lines in the largest room, {largest}", share, f"<= {100 * MOST:.0f}", "%",
                   share <= 100 * MOST),
            *(Figure(f"lines of {room}", count, "beside it", "lines", None) for room, count in found.items())]
