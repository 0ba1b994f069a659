"""cocotb's runner, whatever the simulator: build a model, run a test bench on it, judge the result.

The runner reads and sets process-wide state, so it runs in a child process of its own, which also
makes every run stoppable.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from xml.etree import ElementTree

from hebbar.contract.errors import HebbarError, Mismatch, TimedOut
from hebbar.contract.files import output_folder, usable
from hebbar.contract.processes import start

from .toolchain import cocotb_folders, environment

__all__ = ["call_runner", "run_bench", "locked", "tail", "watched"]

# Paths are taken as they are given: the runner would resolve the links that ``plain`` made.
_RUNNER = """
import json, os, pathlib, sys
from cocotb_tools import config, runner
simulator, method, arguments, config.libs_dir, config.share_dir = json.load(sys.stdin)
config.libs_dir, config.share_dir = map(pathlib.Path, (config.libs_dir, config.share_dir))
runner.get_abs_path = lambda path: pathlib.Path(os.path.abspath(path))
try:
    getattr(runner.get_runner(simulator), method)(**arguments)
except RuntimeError as error:
    sys.exit(str(error))
"""
_POLL_S = 0.5
_TAIL = 20


def run_bench(simulator: str, build_dir: Path, top: str, test_module: str, test_dir: Path | None = None,
              pythonpath: Sequence[Path] = (), env: Mapping[str, str] = {}, timeout_s: float = 600.0,
              waves: bool = False, announce: bool = True) -> None:
    """Run every cocotb test of ``test_module`` on the model in ``build_dir``; returns when all pass.

    ``simulator``: its name in cocotb; the rest as in ``sim.verilator.run_cocotb``. Raises Mismatch when
    a test fails, TimedOut when the run takes longer than ``timeout_s`` seconds of wall time.
    """
    test_dir = (test_dir or build_dir).resolve()
    output_folder(test_dir)
    results, log = test_dir / "results.xml", test_dir / "run.log"
    results.unlink(missing_ok=True)
    arguments = {"test_module": test_module, "hdl_toplevel": top, "hdl_toplevel_lang": "verilog", "waves": waves,
                 "build_dir": str(build_dir), "test_dir": str(test_dir), "results_xml": str(results)}
    folders = [*(Path(folder).resolve() for folder in pythonpath), Path(__file__).parent.parent, *map(Path, sys.path)]
    child = {**environment(), **env, "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders)}
    status = call_runner(simulator, "test", arguments, child, log, f"simulating {top} ({test_module})", timeout_s,
                         announce)
    _judge(results, log, f"{test_module} on {top}", status)


def _judge(results: Path, log: Path, what: str, status: int) -> None:
    """Raise unless the results file holds at least one test and no failing one."""
    if not results.is_file():
        raise HebbarError(f"The simulation of {what} broke off; the end of {log}:\n{tail(log)}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    failures = [f"{case.get('name')}: {reason.get('message') or reason.text or reason.get('type') or reason.tag}"
                for case in cases for reason in case if reason.tag in ("failure", "error")]
    if failures:
        raise Mismatch(f"{len(failures)} of {len(cases)} tests failed, {what} (see {log}):\n" + "\n".join(failures))
    if not cases:
        raise HebbarError(f"No test ran, {what}: the module has no function under @cocotb.test().")
    if status != 0:
        raise HebbarError(f"All tests passed but the simulator reported an error, {what}; the end of {log}:\n"
                          f"{tail(log)}")


@contextmanager
def locked(build_dir: Path) -> Iterator[None]:
    """One build at a time in a folder, also between processes."""
    import fcntl

    with usable(build_dir):
        lock = open(build_dir / "lock", "w")  # noqa: SIM115 - only what opening raises is said as a place of the user's
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def call_runner(simulator: str, method: str, arguments: Mapping[str, object], env: Mapping[str, str], log: Path,
                what: str, timeout_s: float, announce: bool) -> int:
    """Call a method of cocotb's runner in a child process; its exit status. Output goes to ``log``."""
    from hebbar.contract.console import busy  # with Rich, which only a build or a run needs

    request = json.dumps([simulator, method, arguments, *cocotb_folders()], default=str)
    # -P: the current folder may hold a package of the same name as one the runner imports.
    command = [sys.executable, "-P", "-c", _RUNNER]
    with usable(log), open(log, "w") as output, \
            start(command, env=dict(env), cwd=log.parent, stdin=subprocess.PIPE, stdout=output, stderr=output) as child:
        try:
            assert child.stdin is not None
            with suppress(BrokenPipeError), child.stdin as pipe:  # its exit status says why it was not read
                pipe.write(request)
            with busy(what) if announce else nullcontext():
                return child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"{what[0].upper()}{what[1:]} did not end in {timeout_s:g} s and was stopped: allow more "
                           f"time, or look for what it waits for in {log}.") from None


def tail(log: Path) -> str:
    """The last lines of a log, and the compiler's errors even when they stand further up."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines[:-_TAIL] if "%Error" in line or " error: " in line]
    return "\n".join(errors[:_TAIL] + lines[-_TAIL:])


@contextmanager
def watched(path: Path, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Pass the number in a file on to ``progress`` while the simulator writes it."""
    done = threading.Event()

    def poll() -> None:
        while not done.wait(_POLL_S):
            text = path.read_text() if path.exists() else ""
            if text.isdigit() and progress:
                progress(int(text))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
