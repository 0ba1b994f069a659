"""Processor time of the whole suite, now and before: one run each on one computer."""

import json
import platform
import resource
import sys
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder, write_json, write_text
from hebbar.contract.results import Figure

from ..parts import ROOT
from .history import checkout, lacking, pytest

__all__ = ["before", "cpu", "measure"]

AGAINST = "e9c8550"
QUICK = {"now": ("tests/golden/test_fixed.py",), AGAINST: ("tests/test_fixed.py",)}
"""What a quick run measures: a file that both have, by where it stands."""
RAN = (0, 1)
"""Exit codes of pytest with which all tests ran."""


def cpu(folder: Path, arguments: tuple[str, ...], said: Path) -> float:
    """Processor seconds of the tests in a checkout and of all that they start, with caches that are empty at first:
    what an earlier run left would be taken off the one or the other. What pytest says is kept in ``said``, as the
    place where a test that failed is named. Raises HebbarError when they do not run."""
    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    began = used()
    with temporary_folder("hebbar-caches-") as caches:
        done = pytest(folder, arguments, {"XDG_CACHE_HOME": str(caches), "NUMBA_CACHE_DIR": str(caches / "numba"),
                                          "PYTEST_DEBUG_TEMPROOT": str(caches), "PYTHONDONTWRITEBYTECODE": ""})
    write_text(said, done.stdout)
    if done.returncode not in RAN:
        raise HebbarError(f"the tests of {folder} did not run:\n{done.stdout[-2000:]}")
    return used() - began


def before(folder: Path, arguments: tuple[str, ...], reporter: Reporter) -> float:
    """Processor seconds of the tests of AGAINST, whose sources do not change any more: from the record in ``folder``
    where that is of this computer and this Python, or measured."""
    record = folder / "before.json"
    state = {"commit": AGAINST, "arguments": list(arguments), "python": sys.version, "computer": platform.node()}
    if record.exists() and (known := json.loads(record.read_text(encoding="utf-8")))["state"] == state:
        return float(known["cpu_s"])
    reporter.say(f"the tests of {AGAINST} ...")
    with checkout(AGAINST) as tree:
        seconds = cpu(tree, arguments, folder / "before.txt")
    write_json(record, {"state": state, "cpu_s": seconds})
    return seconds


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The ratio; the simulators of the one before are built anew as those of now are. Today's tests run first, as one
    of them that fails can be mended meanwhile."""
    title = f"CPU of {'one file of' if quick else 'the whole'} suite against {AGAINST}"
    if why := lacking(AGAINST):
        return [Figure(title, f"skipped: {why}", "<= 1", "", None)]
    asked = QUICK if quick else dict.fromkeys(QUICK, ())
    with reporter.busy():
        reporter.say("the tests as they are ...")
        now = cpu(ROOT, asked["now"], folder / "now.txt")
        reporter.say(f"{now:.0f} s of processor time")
        then = before(folder, asked[AGAINST], reporter)
    return [Figure(f"{title}: {now:.0f} s now, {then:.0f} s then", now / then, "<= 1", "x", now <= then)]
