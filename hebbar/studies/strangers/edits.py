"""Edits of the RTL that random programs do not notice, planted one by one: how many survive the tests named for
them."""

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, MissingTool
from hebbar.contract.files import output_folder
from hebbar.contract.results import Figure

__all__ = ["measure", "survivors"]

ROOT = Path(__file__).parents[3]
SOURCES = ("hebbar", "golden", "hw", "sim", "tests")
QUICK = 3
"""Edits that a quick run tries, spread over the list."""

LIMIT_S = 300.0
"""For one test, which takes seconds on the sources as they are; an edited machine that does not come to an end is
noticed."""

PASSED, FAILED, NOTHING_RAN = 0, 1, 5
"""Exit codes of pytest."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The edits of tests/edits.py; needs a checkout with the tests."""
    if not (ROOT / "tests" / "edits.py").exists():
        raise MissingTool("the edits are part of the tests, which are not installed; run hebbar bench strangers in a "
                          "checkout.")
    edits = _edits()
    tried = edits[::len(edits) // QUICK] if quick else edits
    left = survivors(tried, folder, reporter)
    return [Figure(f"listed edits of the RTL that survive the tests, of {len(tried)}", len(left), "0", "edits",
                   not left)]


def survivors(edits: list[Any], folder: Path, reporter: Reporter) -> list[Any]:
    """Those of ``edits`` (``Change`` with ``test``) that their test does not notice.

    Raises HebbarError when a test fails for another reason than an assertion, or does not run.
    """
    copy, left = output_folder(folder) / "sources", []
    _copied(copy)
    with reporter.task("planting edits in the RTL", len(edits)) as task:
        for number, edit in enumerate(edits):
            with _planted(edit, copy):
                if _passes(edit.test, copy, lambda n=number, e=edit: task.advance(n, e.file)):
                    left.append(edit)
                    reporter.say(f"survives: {edit.file}: {edit.old[:60]!r} becomes {edit.new[:60]!r}")
            task.advance(number + 1, edit.file)
    shutil.rmtree(copy, ignore_errors=True)
    return left


def _edits() -> list[Any]:
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        return list(importlib.import_module("edits").EDITS)
    finally:
        sys.path.pop(0)


def _copied(copy: Path) -> None:
    """A fresh copy of the sources; their bytecode is compiled once for all edits."""
    for name in SOURCES:
        shutil.rmtree(copy / name, ignore_errors=True)
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)


@contextmanager
def _planted(edit: Any, copy: Path) -> Iterator[None]:
    """The edit in the copy, and out of it again; bytecode of another text must not be taken for the file's."""
    path = copy / edit.file
    try:
        edit.plant(copy)
        _forget(path)
        yield
    finally:
        shutil.copy(ROOT / edit.file, path)
        _forget(path)


def _forget(path: Path) -> None:
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


def _passes(test: str, copy: Path, still: Any) -> bool:
    """Whether a test passes on the copy in the time that it has; ``still`` is called every second until it ends."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    env = os.environ | {"PYTHONPATH": str(copy)}
    child = subprocess.Popen(command, cwd=copy, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + LIMIT_S
    try:
        while True:
            try:
                said, _ = child.communicate(timeout=1.0)
                break
            except subprocess.TimeoutExpired:
                still()
            if time.monotonic() > end:
                return False
    finally:
        child.kill()
    if child.returncode not in (PASSED, FAILED) or " error" in said.splitlines()[-1]:
        raise HebbarError(f"{test} did not run on an edited copy of the sources:\n{said[-2000:]}")
    return child.returncode == PASSED
