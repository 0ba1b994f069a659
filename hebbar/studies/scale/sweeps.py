"""A study of 40 runs, killed twice with SIGKILL and started again, and on two workers of Dask: the table's bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.results import Figure

from ..parts import MAIN, ONE_THREAD
from ..sweeps.extras import installed

__all__ = ["measure"]

SEEDS = {False: 10, True: 2}
KILLS = {False: (7, 23), True: (2, 5)}
"""Runs that are kept when the study is killed."""
COMMAND = ("sweep", "tiny", "--epochs", "1", "--set", "rule.steps=2,4", "--set", "rule.gamma=0.25,0.5", "--jobs", "2",
           "--quiet")
POINTS = 4
TABLES = ("table.csv", "table.parquet", "result.json")
LONGEST_S = 300


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """One figure of both; ``images`` is unused, the samples are the digits of scikit-learn."""
    seeds, kills = SEEDS[quick], KILLS[quick]
    shutil.rmtree(folder, ignore_errors=True)
    reporter.say("a sweep that nobody disturbs ...")
    expected = _finished(folder / "whole", seeds)
    stopped = []
    for kept in kills:
        reporter.say(f"a sweep that is killed when {kept} runs are kept ...")
        stopped.append(_killed(folder / "killed", seeds, kept))
    reporter.say("the same sweep goes on ...")
    before = _written(folder / "killed")
    resumed = _finished(folder / "killed", seeds)
    again = sum(_written(folder / "killed")[name] != when for name, when in before.items())
    parts = [_same(resumed == expected and not again)]
    if installed("distributed"):
        reporter.say("on two workers of Dask ...")
        parts.append(_same(_finished(folder / "dask", seeds, "--scheduler", "dask") == expected))
    else:
        parts.append("not measured without pip install 'hebbar[sweep]'")
    said = f"killed with {' and '.join(map(str, stopped))} kept, {again} of them run again"
    return [Figure(f"sweep of {POINTS * seeds} runs killed twice and resumed; on two dask workers ({said})",
                   "; ".join(parts), "same bytes", "", parts == ["same table"] * 2)]


def _same(same: bool) -> str:
    return "same table" if same else "another table"


def _finished(folder: Path, seeds: int, *options: str) -> Mapping[str, bytes]:
    """The table of a sweep that runs to its end, in all its forms."""
    with _started(folder, seeds, *options) as child:
        _, words = child.communicate(timeout=LONGEST_S)
    if child.returncode:
        raise HebbarError(f"a sweep in {folder} ended with exit code {child.returncode}: {words[-500:]}")
    return {name: (folder / name).read_bytes() for name in TABLES if (folder / name).exists()}


def _killed(folder: Path, seeds: int, kept: int) -> int:
    """Kill a sweep with all its processes when so many runs are kept; how many there are then."""
    latest = time.monotonic() + LONGEST_S
    with _started(folder, seeds) as child:
        while child.poll() is None and len(_written(folder)) < kept and time.monotonic() < latest:
            time.sleep(0.01)
        if child.poll() is not None:
            raise HebbarError(f"a sweep in {folder} ended by itself before it could be killed at {kept} runs.")
    return len(_written(folder))


@contextmanager
def _started(folder: Path, seeds: int, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The sweep in a group of its own, all of which is dead afterwards."""
    command = [sys.executable, "-c", MAIN, *COMMAND, "--seeds", str(seeds), "--out", str(folder), *options]
    child = subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):  # all of it has ended
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _written(folder: Path) -> dict[str, int]:
    """When each run that is kept was written, in ns."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.json")}
