"""Ctrl-C at random moments: exit 130, a sentence, nothing half-written, no process left."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psutil

from hebbar.contract.console import Reporter
from hebbar.contract.interrupts import SIGNALS
from hebbar.contract.results import Figure

from ..parts import MAIN

__all__ = ["COMMANDS", "Attempt", "attempt", "expect_signals", "measure"]

COMMANDS: dict[str, list[str]] = {
    "run": ["run", "tiny", "--epochs", "2", "--samples", "40"],
    "train": ["train", "tiny", "--epochs", "2", "--every", "0"],
    "sweep": ["sweep", "tiny", "array", "--epochs", "2", "--seeds", "4"],
    "verilog": ["verilog", "tiny"]}
MOMENTS = {True: 1, False: 20}
EARLIEST_S = 0.15
"""Before that Python itself is starting, and nothing of Hebbar runs that could answer."""
LATEST_S = 10.0
"""Seconds for a command to end after Ctrl-C; 2 s are usual."""
TAG = "HEBBAR_BENCH_TAG"


@dataclass(frozen=True)
class Attempt:
    """One interrupted command: what was wrong, "" for nothing; ``late``: it had ended before."""

    moment: float
    late: bool
    wrong: str


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Interrupts at MOMENTS random moments of every command; each second one with an empty build folder."""
    figures, moments = [], random.Random(0)
    for name, command in COMMANDS.items():
        count, attempts = MOMENTS[quick], list[Attempt]()
        with reporter.task(f"Ctrl-C during {name}", count) as task:
            seconds = _seconds(command, folder / name)
            while len([a for a in attempts if not a.late]) < count and len(attempts) < 3 * count:
                fresh = len(attempts) % 2 == 1
                moment = moments.uniform(EARLIEST_S, max(2 * EARLIEST_S, 0.9 * seconds))
                attempts.append(attempt(command, folder / name, moment, fresh))
                task.advance(len(attempts), attempts[-1].wrong)
                if attempts[-1].wrong:
                    reporter.say(f"{name}, {moment:.2f} s: {attempts[-1].wrong}")
        right = sum(not a.late and not a.wrong for a in attempts)
        figures.append(Figure(f"{name}: Ctrl-C at a random moment ends it with 130, a sentence, nothing half-written",
                              right, f"{count} of {count}", "runs", right == count))
    return figures


def _seconds(command: list[str], folder: Path) -> float:
    """What the command takes when nobody stops it and its simulator is built."""
    for _ in range(2):
        shutil.rmtree(folder / "out", ignore_errors=True)
        began = time.monotonic()
        child, _ = _start(command, folder, fresh=False)
        _, said = child.communicate()
        if child.returncode:
            raise AssertionError(f"{' '.join(command)} undisturbed: exit {child.returncode}: {said}")
    return time.monotonic() - began


def attempt(command: list[str], folder: Path, moment: float, fresh: bool = False,
            number: signal.Signals = signal.SIGINT) -> Attempt:
    """Start the command, send a signal to its whole group after ``moment`` seconds, as a terminal does, and look.

    On a loaded machine Python's own start outlasts the moment; the signal then comes right after that start.
    """
    for place in ("out", "temporary", *(["fresh"] if fresh else [])):
        shutil.rmtree(folder / place, ignore_errors=True)
    child, tag = _start(command, folder, fresh)
    try:
        child.wait(moment)
    except subprocess.TimeoutExpired:
        _await_watch(child)
        with suppress(ProcessLookupError):  # it ended by itself, and what it said is judged below
            os.killpg(child.pid, number)
    try:
        _, said = child.communicate(timeout=LATEST_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        _, said = child.communicate()
        return Attempt(moment, False, f"it did not end within {LATEST_S:g} s: {said[-300:]}")
    if child.returncode == 0:
        return Attempt(moment, True, "")
    faults = [f"exit {child.returncode}"] if child.returncode != 128 + number else []
    faults += [f"it said {said[-300:]!r}"] if "interrupted" not in said or "Traceback" in said else []
    faults += [f"{path} is not whole" for path in _broken(folder)] + _left(tag)
    return Attempt(moment, False, "; ".join(faults))


def _start(command: list[str], folder: Path, fresh: bool) -> tuple["subprocess.Popen[str]", str]:
    """The command in a session of its own, with a mark that all its descendants inherit."""
    tag, temporary = uuid.uuid4().hex, folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    build = folder / ("fresh" if fresh else "build")
    child = subprocess.Popen(
        [sys.executable, "-c", MAIN, *command, "--out", str(folder / "out")], cwd=folder, text=True,
        env=os.environ | {TAG: tag, "TMPDIR": str(temporary), "HEBBAR_BUILD": str(build)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=expect_signals)
    return child, tag


def expect_signals() -> None:
    """Make a child, before it begins, take signals: nohup or a shell's background, in which we may run, have made it
    ignore signals."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _await_watch(child: "subprocess.Popen[str]") -> None:
    """Until the command has a handler of its own for the last of the signals or has ended (Linux)."""
    latest = time.monotonic() + LATEST_S
    while child.poll() is None and time.monotonic() < latest:
        lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
        handled = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
        if handled >> SIGNALS[-1] - 1 & 1:
            return
        time.sleep(0.01)


def _broken(folder: Path) -> list[Path]:
    """Files of the run, its builds and its temporary folder that a reader could not use, or that should be gone."""
    broken = list(folder.rglob("*.partial")) + list((folder / "temporary").glob("hebbar-*"))
    for path in (folder / "out").rglob("*"):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".xml":
                ElementTree.parse(path)
            elif path.suffix == ".npz":
                with np.load(path) as data:
                    for name in data.files:
                        data[name]
        except Exception:
            broken.append(path)
    return broken


def _left(tag: str) -> list[str]:
    """Processes that carry the mark, a moment later."""
    def carriers() -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(TAG) == tag and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.name()} was left running")
            except psutil.Error:
                continue
        return found

    for _ in range(20):
        if not (left := carriers()):
            return []
        time.sleep(0.1)
    return left
