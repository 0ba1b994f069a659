"""Dependences dropped: each of three programs in turn left out of the gaps, and what tells it on the RTL."""

from collections.abc import Sequence
from pathlib import Path

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.verify.dropped import Dropped, dropped

from ..replays import random_job
from .shorter import PRESETS

__all__ = ["counted", "measure"]


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All entries of the presets on Amaranth's simulator, a sample each; quickly those of one. ``folder`` is unused."""
    presets = PRESETS[:1] if quick else PRESETS
    found: list[Dropped] = []
    for preset in presets:
        program = compile_config(load(preset))
        for entry in program.entries:
            reporter.say(f"every dependence of {preset}, {entry}, dropped ...")
            for one in dropped(random_job(program, entry, 1)):
                found.append(one)
                reporter.say(f"  {' and '.join(map(str, one.dependences))}: "
                             f"{'slack' if one.slack else 'missed' if one.missed else 'told'}")
    return counted(presets, found)


def counted(presets: Sequence[str], found: Sequence[Dropped]) -> list[Figure]:
    """Two figures: dependences dropped alone, and together those that are one but for the way into a loop."""
    alone, ways = ([one for one in found if (len(one.dependences) == 1) is single] for single in (True, False))
    names = f"of {', '.join(presets)} that nothing tells on the RTL"
    return [_row(f"dependences {names}, each dropped", alone),
            _row(f"dependences {names}, dropped on all ways into a loop at once", ways)]


def _row(name: str, found: Sequence[Dropped]) -> Figure:
    told, same = [one for one in found if not one.slack and not one.missed], sum(one.same for one in found)
    board, wrong = sum(one.told for one in told), sum(one.wrong > 0 for one in told)
    slack, missed = sum(one.slack for one in found), sum(one.missed for one in found)
    return Figure(f"{name} ({len(found)}: {len(told)} told, by the scoreboard {board}, by wrong writes {wrong}; "
                  f"{slack} slack by the table, of {same} the gaps are the same)", missed, "0", "dependences",
                  missed == 0)
