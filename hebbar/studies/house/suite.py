"""Processor time of the whole suite, now and before: one run each on one computer, side by side.

What else a computer does slows every processor down, by half and more where they share caches and a host; two suites
that run one after the other would each be measured in weather of its own.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder, write_text
from hebbar.contract.results import Figure

from ..parts import ROOT
from .history import AGAINST, checkout, lacking, pytest

__all__ = ["cpu", "measure"]

QUICK = {"now": ("tests/golden/test_fixed.py",), AGAINST: ("tests/test_fixed.py",)}
"""What a quick run measures: a file that both have, by where it stands."""
RAN = (0, 1)
"""Exit codes of pytest with which all tests ran."""


COUNTED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_utime + used.ru_stime))
sys.exit(code)
"""
"""Runs a command and writes its processor seconds, and those of all that it starts, to a file."""


def cpu(folder: Path, arguments: tuple[str, ...], said: Path) -> float:
    """Processor seconds of the tests in a checkout and of all that they start, with caches that are empty at first:
    what an earlier run left would be taken off the one or the other. What pytest says is kept in ``said``, as the
    place where a test that failed is named. Raises HebbarError when they do not run."""
    with temporary_folder("hebbar-caches-") as caches:
        counted = caches / "seconds"
        variables = {"XDG_CACHE_HOME": str(caches), "NUMBA_CACHE_DIR": str(caches / "numba"),
                     "PYTEST_DEBUG_TEMPROOT": str(caches), "PYTHONDONTWRITEBYTECODE": ""}
        done = pytest(folder, arguments, variables, (sys.executable, "-c", COUNTED, str(counted), sys.executable))
        write_text(said, done.stdout)
        if done.returncode not in RAN:
            raise HebbarError(f"the tests of {folder} did not run:\n{done.stdout[-2000:]}")
        return float(counted.read_text(encoding="utf-8"))


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The ratio; what pytest said of each stands in ``folder``, which has to be there."""
    title = f"CPU of {'one file of' if quick else 'the whole'} suite against {AGAINST}"
    if why := lacking(AGAINST):
        return [Figure(title, f"skipped: {why}", "<= 1", "", None)]
    asked = QUICK if quick else dict.fromkeys(QUICK, ())
    folder.mkdir(parents=True, exist_ok=True)
    with checkout(AGAINST) as tree, reporter.busy():
        reporter.say(f"the tests as they are beside those of {AGAINST} ...")
        work = [(place, asked[name], folder / f"{name}.txt") for name, place in (("now", ROOT), (AGAINST, tree))]
        with ThreadPoolExecutor(len(work)) as pool:
            now, then = pool.map(lambda suite: cpu(*suite), work)
    return [Figure(f"{title}, side by side: {now:.0f} s now, {then:.0f} s then", now / then, "<= 1", "x", now <= then)]
