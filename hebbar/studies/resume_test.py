"""Trainings on the RTL from the first sample to the last, and what survives kill -9."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.results import Figure
from sim.training import train

from .parts import MAIN, ONE_THREAD

__all__ = ["training", "resume"]

KILLS = 20


def training(config: Config, folder: Path, reporter: Reporter, epochs: int | None, target_s: float) -> Figure:
    """Seconds of a training through the fast shell, every barrier compared; the build is left out."""
    shorter = config.replace(training={"epochs": epochs}) if epochs else config
    trained = train(shorter, folder / "training", reporter, restart=True)
    what = f"{epochs} epoch" if epochs == 1 else f"whole training, {shorter.training.epochs} epochs"
    return Figure(f"{config.name} on the RTL, compared, {what}", trained.seconds, f"<= {target_s:g}", "s",
                  trained.seconds <= target_s)


def resume(folder: Path, kills: int, reporter: Reporter) -> Figure:
    """Trainings killed with SIGKILL at a random moment and resumed that end with the same fingerprint."""
    place = folder / "resume"
    shutil.rmtree(place, ignore_errors=True)
    _undisturbed(place / "first")  # builds and compiles what the others then find
    expected, seconds = _undisturbed(place / "whole")
    moments, equal = random.Random(0), 0
    with reporter.task(f"killing and resuming {kills} trainings", kills) as task:
        for i in range(kills):
            equal += _killed(place / str(i), moments.uniform(0.0, seconds)) == expected
            task.advance(i + 1, f"{equal} equal")
    return Figure(f"killed with SIGKILL at a random moment, resumed, same final hash, of {kills}", equal,
                  f"all {kills}", "runs", equal == kills)


def _undisturbed(folder: Path) -> tuple[str, float]:
    """Fingerprint and seconds of a training that nobody stops."""
    began = time.monotonic()
    _finish(_start(folder), folder)
    return _fingerprint(folder), time.monotonic() - began


def _killed(folder: Path, moment: float) -> str:
    """Fingerprint of a training killed ``moment`` seconds after its start, then resumed."""
    child = _start(folder)
    try:
        child.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        again = "--resume" if (folder / "checkpoint.npz").exists() else "--restart"
        _finish(_start(folder, again), folder)
    return _fingerprint(folder)


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MAIN, "train", "tiny", "--epochs", "8", "--every", "0.3", "--quiet", "--out",
               str(folder), *options]
    return subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def _finish(child: subprocess.Popen[str], folder: Path) -> None:
    _, words = child.communicate()
    if child.returncode:
        raise HebbarError(f"a training in {folder} ended with exit code {child.returncode}: {words[-500:]}")


def _fingerprint(folder: Path) -> str:
    return json.loads((folder / "result.json").read_text())["fingerprint"]
