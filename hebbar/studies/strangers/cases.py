"""Random cases in a process with bounds on memory and time: what each ended in.

A module of cases has ``case(rng, folder)``, which answers what is tried and a function that tries it: it returns what
is wrong, in words, or an empty string, or raises a HebbarError. The process is started anew after one that it did not
survive. Run as a module, this file is that process.
"""

import importlib
import json
import os
import queue
import resource
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder
from hebbar.contract.processes import start
from hebbar.contract.results import Figure

from ..parts import ROOT

__all__ = ["Ending", "attempt", "figures", "run_cases"]

BYTES = 4 << 30
SECONDS = 60
STARTING = 300
"""Seconds until the first case: imports and compilation."""
SHORTEST = 20
"""Characters of a sentence."""
ADVICE = ("Traceback", "allow_pickle")
"""What a sentence of ours never holds."""


@dataclass(frozen=True)
class Ending:
    """Case ``number``: ``what`` was tried, what was ``wrong`` about how it ended (empty: nothing), the time it took,
    and the most memory its process ever had, megabytes. ``right``: it gave a right answer, not a refusal."""

    number: int
    what: str
    wrong: str
    right: bool
    seconds: float
    megabytes: float


def run_cases(module: str, count: int, seed: int, name: str, reporter: Reporter) -> list[Ending]:
    """Try cases 0 .. ``count`` - 1 of ``module``, one after the other."""
    endings: list[Ending] = []
    with reporter.task(name, count) as task, temporary_folder() as folder:
        while len(endings) < count:
            for ending in _process(module, seed, len(endings), count, folder):
                endings.append(ending)
                wrong = sum(bool(e.wrong) for e in endings)
                task.advance(len(endings), f"{wrong} wrong")
                if ending.wrong:
                    reporter.say(f"  case {ending.number}, {ending.what}: {ending.wrong}")
    return endings


def figures(endings: Sequence[Ending], what: str) -> list[Figure]:
    """How many ended in neither a right answer nor a sentence, and the worst memory and time."""
    wrong, right = sum(bool(e.wrong) for e in endings), sum(e.right for e in endings)
    memory, seconds = max(e.megabytes for e in endings), max(e.seconds for e in endings)
    return [Figure(f"{what} that end in neither a right answer nor a sentence, of {len(endings):,}", wrong, "0",
                   "cases", not wrong),
            Figure(f"{what} that gave a right answer", right, "beside it", "cases", None),
            Figure(f"{what}: most memory", memory, f"<= {BYTES >> 20}", "MB", memory <= BYTES >> 20),
            Figure(f"{what}: longest", seconds, f"<= {SECONDS}", "s", seconds <= SECONDS)]


def _process(module: str, seed: int, first: int, count: int, folder: Path) -> Iterator[Ending]:
    """The endings of one process; the last is of the case that ended it, where one did."""
    command = [sys.executable, "-m", __name__, module, str(seed), str(first), str(count), str(folder)]
    lines: queue.Queue[str] = queue.Queue()
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as child:
        threading.Thread(target=_pass_on, args=(child.stdout, lines), daemon=True).start()
        began, at, allowed, what = time.monotonic(), first, STARTING, "starting"
        while at < count:
            try:
                line = lines.get(timeout=allowed)
            except queue.Empty:
                yield Ending(at, what, f"it took more than {allowed} s", False, time.monotonic() - began, 0.0)
                return
            if not line:
                yield Ending(at, what, f"its process died with {child.wait()}", False, time.monotonic() - began, 0.0)
                return
            told = json.loads(line)
            if isinstance(told, str):
                what = told
            else:
                yield Ending(**told)
                at += 1
            began, allowed = time.monotonic(), SECONDS


def _pass_on(source: IO[str], lines: "queue.Queue[str]") -> None:
    with suppress(ValueError, OSError):  # closed at the end
        for line in source:
            lines.put(line)
    lines.put("")


def attempt(number: int, module: str, seed: int, folder: Path,
            tell: Callable[[str], None] = lambda what: None) -> Ending:
    """Try one case in this process; ``tell`` is told what it is before it is tried."""
    what, began = "making the case", time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            what, call = importlib.import_module(module).case(Random(f"{seed} {number}"), folder)
            tell(what)
            began = time.monotonic()
            wrong, right = call(), True
    except HebbarError as error:
        wrong, right = _sentence(str(error)), False
    except Exception as error:
        wrong, right = "".join(traceback.format_exception(error)[-2:])[-400:], False
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Ending(number, what[:200], wrong, right and not wrong, time.monotonic() - began, memory)


def _sentence(text: str) -> str:
    """What keeps an error from being a sentence."""
    if not text.rstrip().endswith(".") or len(text) < SHORTEST:
        return f"no sentence: {text!r}"
    return next((f"a sentence with {words!r}: {text}" for words in ADVICE if words in text), "")


def _main(module: str, seed: int, first: int, count: int, folder: Path) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a case prints is not an answer
    importlib.import_module(module).prepare()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

    def say(told: object) -> None:
        print(json.dumps(told), file=answers, flush=True)

    say("ready")
    for number in range(first, count):
        say(vars(attempt(number, module, seed, folder, say)))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
