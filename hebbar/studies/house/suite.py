"""Processor time of the whole suite, now and before: one run each, one after the other on one computer."""

import resource
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder, write_text
from hebbar.contract.results import Figure

from ..parts import ROOT
from .history import checkout, lacking, pytest

__all__ = ["cpu", "measure"]

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


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The ratio; the simulators of the one before are built anew as those of now are."""
    title = f"CPU of {'one file of' if quick else 'the whole'} suite against {AGAINST}"
    if why := lacking(AGAINST):
        return [Figure(title, f"skipped: {why}", "<= 1", "", None)]
    asked = QUICK if quick else dict.fromkeys(QUICK, ())
    with reporter.busy():
        reporter.say("the tests as they are ...")
        now = cpu(ROOT, asked["now"], folder / "now.txt")
        reporter.say(f"{now:.0f} s of processor time; the tests of {AGAINST} ...")
        with checkout(AGAINST) as tree:
            before = cpu(tree, asked[AGAINST], folder / "before.txt")
    return [Figure(f"{title}: {now:.0f} s now, {before:.0f} s then", now / before, "<= 1", "x", now <= before)]
