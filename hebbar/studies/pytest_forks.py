"""Runs of pytest that are forks of one process, which has loaded pytest and the libraries that the tests need.

A process of its own for each run takes most of a second to load them, longer than most planted defects take their test.
Nothing of Hebbar is loaded before the fork: its sources may differ from run to run.
"""

import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder
from hebbar.contract.processes import start

__all__ = ["BROKEN", "FAILED", "PASSED", "Forks"]

PASSED, FAILED, BROKEN = 0, 1, -1
"""Exit codes of pytest; what stands for a test that cannot run."""
LIBRARIES = """\
import amaranth.hdl, amaranth.sim, hypothesis.strategies, numpy, pydantic, rich.progress

def test_that_pytest_has_loaded_its_plugins():
    pass
"""
"""Imported as a test file: pytest rewrites the assertions of some and complains of those that others have imported."""
SERVER = """\
import json, os, resource, sys
import pytest
options = ["-q", "-x", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
def run(said, *arguments):
    place = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(place, 1), os.dup2(place, 2)
    code = pytest.main([*options, *arguments])
    sys.stdout.flush()
    return int(code)
answers = os.fdopen(os.dup(1), "w")
folder, said = sys.argv[1:]
code = run(said, "-c", os.devnull, "--rootdir", folder, os.path.join(folder, "test_libraries.py"))
print(code, file=answers, flush=True)
for line in sys.stdin:
    test, seconds = json.loads(line)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
        os._exit(run(said, test))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
"""


class Forks:
    """Runs of pytest in ``folder``, one at a time, with ``env`` as their environment."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder, self._env = folder, dict(env)
        self._open: ExitStack | None = None
        self._child: subprocess.Popen[str]
        self._said: Path

    def run(self, test: str, cpu_s: int, limit_s: float, still: Callable[[], None]) -> tuple[int, str]:
        """The exit code of pytest and what it says; FAILED for a test that computes for more than ``cpu_s`` seconds,
        BROKEN for one that takes longer than ``limit_s``. ``still`` is called every second until it ends."""
        if not self._open:
            self._begin()
        assert self._child.stdin
        self._child.stdin.write(json.dumps([test, cpu_s]) + "\n")
        self._child.stdin.flush()
        code = self._answer(limit_s, still)
        if code is None:
            return BROKEN, f"It took more than {limit_s:g} s; try again on a computer with less to do."
        if code == -signal.SIGXCPU:
            return FAILED, "no end"
        return code, self._said.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End the process, with a test that may still run."""
        if self._open:
            self._open.close()
        self._open = None

    def _begin(self) -> None:
        """Start the process and wait until it has loaded the libraries."""
        self._open = ExitStack()
        folder = self._open.enter_context(temporary_folder("hebbar-forks-"))
        (folder / "test_libraries.py").write_text(LIBRARIES, encoding="utf-8")
        self._said = folder / "said.txt"
        command = [sys.executable, "-c", SERVER, str(folder), str(self._said)]
        self._child = self._open.enter_context(start(command, cwd=self._folder, env=self._env, stdin=subprocess.PIPE,
                                                     stdout=subprocess.PIPE))
        if self._answer(600.0, lambda: None) != PASSED:
            said = self._said.read_text(encoding="utf-8", errors="replace")
            self.close()
            raise HebbarError(f"pytest could not be started in {self._folder}:\n{said[-2000:]}")

    def _answer(self, limit_s: float, still: Callable[[], None]) -> int | None:
        """The number in the next line; None, and the process is ended, when there is none in time."""
        end, out = time.monotonic() + limit_s, self._child.stdout
        assert out
        try:
            while time.monotonic() < end:
                if select.select([out], [], [], 1.0)[0]:
                    if line := out.readline():
                        return int(line)
                    raise HebbarError(f"the process that runs the tests of {self._folder} was ended; try again.")
                still()
        except BaseException:
            self.close()
            raise
        self.close()
        return None
