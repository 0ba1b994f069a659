"""Planted defects, one by one in a copy of the sources: does the test that is named for each fail?"""

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, MissingTool
from hebbar.contract.files import output_folder, write_json
from sim.defects import Defect

from .parts import ROOT, sources
from .pytest_forks import BROKEN, FAILED, PASSED, Forks

__all__ = ["ROOT", "Copy", "planted", "survivors"]

SOURCES = ("hebbar", "golden", "hw", "sim", "tests")
LIMIT_CPU_S = 300
"""Processor seconds of one test, which takes seconds on the sources as they are: an edited machine that does not come
to an end is noticed."""
LIMIT_S = 1800.0
"""Seconds after which a test is given up. Whether it would have failed is not known on a computer that is so busy."""


def planted(name: str = "PLANTED") -> Sequence[Defect]:
    """A list of ``tests/planted.py``; raises MissingTool where the tests are not there."""
    if not (ROOT / "tests" / "planted.py").exists():
        raise MissingTool("the planted defects are part of the tests, which are not installed; run this bench in a "
                          "checkout.")
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        return tuple(getattr(importlib.import_module("planted"), name))
    finally:
        sys.path.pop(0)


class Copy:
    """A fresh copy of the sources in ``folder`` that holds one defect at a time; its bytecode is compiled once."""

    def __init__(self, folder: Path) -> None:
        self.folder = output_folder(folder)
        for name in SOURCES:
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        # A variable of the caller's would have every test compile all sources again.
        env = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(folder)}
        self._forks = Forks(self.folder, env)

    def catches(self, defect: Defect, still: Callable[[], None] = lambda: None) -> bool:
        """Whether the test of ``defect`` fails while it is planted; ``still`` is called every second until it ends.

        A fixture that ends in an error counts when it does not on the sources as they are. Raises HebbarError when the
        test does not run.
        """
        path = self.folder / defect.file
        sound = path.read_bytes()
        try:
            defect.plant(self.folder)
            _forget(path)
            code, said = self._run(defect.test, still)
        finally:
            path.write_bytes(sound)
            _forget(path)
        if code == FAILED and " error" in said.splitlines()[-1]:
            code = FAILED if self._run(defect.test, still)[0] == PASSED else BROKEN
        if code not in (PASSED, FAILED):
            raise HebbarError(f"{defect.test} did not run on an edited copy of the sources:\n{said[-2000:]}")
        return code == FAILED

    def close(self) -> None:
        """End the process that runs the tests."""
        self._forks.close()

    def _run(self, test: str, still: Callable[[], None]) -> tuple[int, str]:
        """The exit code of pytest and what it says; a test that computes for longer than it may has failed."""
        return self._forks.run(test, LIMIT_CPU_S, LIMIT_S, still)


def survivors(defects: Sequence[Defect], folder: Path, reporter: Reporter) -> list[Defect]:
    """The ``defects`` that their test does not notice.

    What has been tried in ``folder`` with these very sources is not tried again. Raises HebbarError as ``Copy.catches``
    does.
    """
    record, state = output_folder(folder) / "tried.json", sources(*SOURCES)
    kept = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    tried: dict[str, bool] = kept["caught"] if kept.get("sources") == state else {}
    copy = Copy(folder / "sources") if any(_key(d) not in tried for d in defects) else None
    with closing(copy) if copy else nullcontext(), reporter.task("planting defects", len(defects)) as task:
        for number, defect in enumerate(defects):
            if copy and _key(defect) not in tried:
                tried[_key(defect)] = copy.catches(defect, partial(task.advance, number, defect.file))
                write_json(record, {"sources": state, "caught": tried})
            if not tried[_key(defect)]:
                reporter.say(f"survives: {defect.file}: {defect.old[:60]!r} becomes {defect.new[:60]!r}")
            task.advance(number + 1, defect.file)
    shutil.rmtree(folder / "sources", ignore_errors=True)
    return [defect for defect in defects if not tried[_key(defect)]]


def _key(defect: Defect) -> str:
    return f"{defect.file}\n{defect.old}\n{defect.new}\n{defect.test}"


def _forget(path: Path) -> None:
    """Bytecode of another text must not be taken for the file's."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
