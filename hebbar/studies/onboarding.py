"""What a newcomer meets: the start of the command, the first table, planted defects."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, MissingTool
from hebbar.contract.places import BUILD_VARIABLE
from hebbar.contract.results import Figure
from sim.defects import DEFECTS
from sim.inject_defect import inject_defect

from .parts import MAIN, ROOT

__all__ = ["help_start", "first_table", "defects"]



def help_start() -> Figure:
    """Processor seconds of ``hebbar --help``, median of nine starts."""
    times = []
    for _ in range(9):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", MAIN, "--help"], stdout=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    median = statistics.median(times)
    return Figure("start of hebbar --help, processor time", median, "<= 0.3", "s", median <= 0.3)


def first_table(folder: Path, reporter: Reporter) -> Figure:
    """Seconds of the main job's command on a fresh clone: nothing built, nothing compiled before."""
    if not (ROOT / ".git").exists():
        raise MissingTool("the first command is timed on a fresh clone, and this is no checkout; run hebbar bench "
                          "product in one.")
    place = folder.resolve() / "fresh"
    shutil.rmtree(place, ignore_errors=True)
    clone = place / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    reporter.say("hebbar run digits on a fresh clone ...")
    began = time.monotonic()
    answer = subprocess.run([sys.executable, "-c", MAIN, "run", "digits", "--out", "out/demo"], cwd=clone,
                            env=os.environ | {"PYTHONPATH": str(clone), BUILD_VARIABLE: str(place / "build"),
                                              "NUMBA_CACHE_DIR": str(place / "numba")}, capture_output=True, text=True)
    seconds = time.monotonic() - began
    if answer.returncode:
        raise HebbarError(f"hebbar run digits ended with exit code {answer.returncode} on a fresh clone: "
                          f"{answer.stderr[-1000:]}")
    shutil.rmtree(place)
    return Figure("first command to table, fresh clone, installation left out", seconds, "<= 180", "s", seconds <= 180)


def defects(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Planted defects that ``hebbar simulate tiny --break NAME`` finds, and the first difference of each."""
    names = list(DEFECTS)[:2 if quick else None]
    found = [inject_defect(load("tiny"), name, "fast", "train", 10, folder, reporter, wave=False) for name in names]
    caught = sum(d.found for d in found)
    return [Figure(f"planted defects found by --break, of {len(names)}", caught, f"all {len(names)}", "defects",
                   caught == len(names)),
            *(Figure(f"--break {d.name}", d.sentence, "named", "", None) for d in found)]
