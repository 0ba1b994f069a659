"""Build Verilog with Verilator and run a cocotb test bench on it.

cocotb's runner reads and sets process-wide state, so it runs in a child process of its own, which
also makes every run stoppable.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from hebbar.errors import BadInput, HebbarError, Mismatch, TimedOut

from .toolchain import environment, require, tools

__all__ = ["WARNINGS", "build", "run_cocotb"]

# All warnings are errors; those taken out are how Yosys writes Verilog (a value assigned before a
# case and kept in the branches that do not name it reads as an incomplete case).
WARNINGS = ("-Wall", "-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-UNUSEDSIGNAL", "-Wno-PROCASSINIT",
            "-Wno-DECLFILENAME", "-Wno-CASEINCOMPLETE")
_NEEDS = ("verilator", "g++", "make", "perl", "libpython", "cocotb")
_RUNNER = """
import json, sys
from cocotb_tools.runner import get_runner
method, arguments = json.load(sys.stdin)
try:
    getattr(get_runner("verilator"), method)(**arguments)
except RuntimeError as error:
    sys.exit(str(error))
"""
_QUIET_S = 2.0
_TAIL = 20


def build(verilog: Path, top: str, build_dir: Path, public: Sequence[str] = (),
          parameters: Mapping[str, object] = {}, waves: bool = False, timeout_s: float = 1800.0,
          announce: bool = True) -> None:
    """Compile ``verilog`` into ``build_dir``, unless exactly this model is there already.

    A test bench reads and writes the ports of ``top`` and reads the signals and memories in
    ``public``: ``"name"`` in ``top``, ``"module.name"`` in another module (its name, not its path).
    Nothing else is visible, which makes the simulation 3 to 5 times faster. ``announce``: say on
    stderr what is going on when it takes more than two seconds.
    """
    require(*_NEEDS)
    verilog, build_dir = verilog.resolve(), build_dir.resolve()
    _no_blanks(verilog, build_dir, Path(environment()["VERILATOR_ROOT"]))
    build_dir.mkdir(parents=True, exist_ok=True)
    control, log = build_dir / "public.vlt", build_dir / "build.log"
    visible = _visible(top, public)
    arguments = {
        "sources": [str(control), str(verilog)], "hdl_toplevel": top, "build_dir": str(build_dir),
        "parameters": dict(parameters), "waves": waves,
        # The runner makes everything public; the first argument takes that back. The linker's exports all
        # of VPI, so that a bench can call vpi_get_value_array, which cocotb does not, through ctypes.
        "build_args": ["--no-public-flat-rw", "-O3", "--x-assign", "fast", "-LDFLAGS", "-rdynamic", *WARNINGS],
    }
    key = _key(verilog, visible, arguments)
    with _locked(build_dir):
        if _is_built(build_dir, top, key):
            return
        (build_dir / "key").unlink(missing_ok=True)
        control.write_text(visible)
        status = _run_child("build", arguments, environment(), log, f"building {top} with Verilator", timeout_s,
                            announce)
        if status != 0:
            raise HebbarError(f"Verilator could not build {top} from {verilog}; the end of {log}:\n{_tail(log)}")
        _all_visible(build_dir, public, verilog)
        (build_dir / "key").write_text(key)


def run_cocotb(build_dir: Path, top: str, test_module: str, test_dir: Path | None = None,
               pythonpath: Sequence[Path] = (), env: Mapping[str, str] = {}, timeout_s: float = 600.0,
               waves: bool = False, announce: bool = True) -> None:
    """Run every cocotb test of ``test_module`` on the model in ``build_dir``; returns when all pass.

    ``test_dir`` (``build_dir`` when None) is the working folder and takes results.xml, run.log and
    dump.vcd; ``env`` is added to the test bench's environment. Raises Mismatch when a test fails,
    TimedOut when the run takes longer than ``timeout_s`` seconds of wall time.
    """
    require(*_NEEDS)
    build_dir, test_dir = build_dir.resolve(), (test_dir or build_dir).resolve()
    if not (build_dir / top).is_file():
        raise BadInput(f"{build_dir} holds no model of {top}: build it first.")
    test_dir.mkdir(parents=True, exist_ok=True)
    results, log = test_dir / "results.xml", test_dir / "run.log"
    results.unlink(missing_ok=True)
    arguments = {"test_module": test_module, "hdl_toplevel": top, "hdl_toplevel_lang": "verilog", "waves": waves,
                 "build_dir": str(build_dir), "test_dir": str(test_dir), "results_xml": str(results)}
    folders = [*(Path(folder).resolve() for folder in pythonpath), Path(__file__).parent.parent, *map(Path, sys.path)]
    child = {**environment(), **env, "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders)}
    status = _run_child("test", arguments, child, log, f"simulating {top} ({test_module})", timeout_s, announce)
    _judge(results, log, f"{test_module} on {top}", status)


def _judge(results: Path, log: Path, what: str, status: int) -> None:
    """Raise unless the results file holds at least one test and no failing one."""
    if not results.is_file():
        raise HebbarError(f"The simulation of {what} broke off; the end of {log}:\n{_tail(log)}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    failures = [f"{case.get('name')}: {reason.get('message') or reason.text or reason.get('type') or reason.tag}"
                for case in cases for reason in case if reason.tag in ("failure", "error")]
    if failures:
        raise Mismatch(f"{len(failures)} of {len(cases)} tests failed, {what} (see {log}):\n" + "\n".join(failures))
    if not cases:
        raise HebbarError(f"No test ran, {what}: the module has no function under @cocotb.test().")
    if status != 0:
        raise HebbarError(f"All tests passed but the simulator reported an error, {what}; the end of {log}:\n"
                          f"{_tail(log)}")


def _visible(top: str, public: Sequence[str]) -> str:
    """Verilator's control file: ports read-write, the named signals read-only."""
    lines = ["`verilator_config", f'public_flat_rw -module "{top}" -port "*"']
    for name in public:
        lines.append(f'public_flat_rd -module "{_module(name) or top}" -var "{_local(name)}"')
    return "\n".join(lines) + "\n"


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _local(name: str) -> str:
    return name.rpartition(".")[2]


def _all_visible(build_dir: Path, public: Sequence[str], verilog: Path) -> None:
    """Verilator ignores a name it does not find; the test bench would miss it much later."""
    lines = [line for path in build_dir.glob("Vtop__Syms*.cpp") for line in path.read_text().splitlines()]
    table = "\n".join(line for line in lines if "VLVT_" in line)  # one line for each visible variable
    missing = [name for name in public if f'"{_local(name)}", ' not in table]
    if missing:
        raise BadInput(f"{verilog} has no signal or memory {', '.join(missing)}: take it out of the public names, or "
                       "write it as module.name with the name of the Verilog module.")


def _no_blanks(*paths: Path) -> None:
    """make takes a blank in a path for the end of a word, whatever the quotes."""
    for path in paths:
        if any(character.isspace() for character in str(path)):
            raise BadInput(f"The path {str(path)!r} holds a blank, which make cannot take: move it.")


def _key(verilog: Path, visible: str, arguments: Mapping[str, object]) -> str:
    """A hash over all that decides what the build makes."""
    versions = [(tool.name, str(tool.found), tool.version) for tool in tools() if tool.name in _NEEDS]
    parts = [verilog.read_text(), visible, json.dumps(arguments, sort_keys=True, default=str), repr(versions)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _is_built(build_dir: Path, top: str, key: str) -> bool:
    stored = build_dir / "key"
    return (build_dir / top).is_file() and stored.is_file() and stored.read_text() == key


@contextmanager
def _locked(build_dir: Path) -> Iterator[None]:
    """One build at a time in a folder, also between processes."""
    import fcntl

    with open(build_dir / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run_child(method: str, arguments: Mapping[str, object], env: Mapping[str, str], log: Path, what: str,
               timeout_s: float, announce: bool) -> int:
    """Call a method of cocotb's runner in a child process; its exit status. Output goes to ``log``."""
    with open(log, "w") as output:
        # -P: the current folder may hold a package of the same name as one the runner imports.
        child = subprocess.Popen([sys.executable, "-P", "-c", _RUNNER], env=dict(env), cwd=log.parent, text=True,
                                 stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)
        try:
            assert child.stdin is not None
            with child.stdin as request:
                json.dump([method, arguments], request, default=str)
            return _wait(child, what, timeout_s) if announce else child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"{what[0].upper()}{what[1:]} did not end in {timeout_s:g} s and was stopped: allow more "
                           f"time, or look for what it waits for in {log}.") from None
        finally:
            _kill_group(child)


def _wait(child: subprocess.Popen[str], what: str, timeout_s: float) -> int:
    """Wait; after two seconds say on stderr what for."""
    try:
        return child.wait(min(_QUIET_S, timeout_s))
    except subprocess.TimeoutExpired:
        if timeout_s <= _QUIET_S:
            raise
    from rich.console import Console  # 40 ms, not needed for what is quick

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(f"{what} ..."):
            return child.wait(timeout_s - _QUIET_S)
    print(f"{what} ...", file=sys.stderr, flush=True)
    return child.wait(timeout_s - _QUIET_S)


def _kill_group(child: subprocess.Popen[str]) -> None:
    """End the child with all it started: the simulator is a grandchild and would run on."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail(log: Path) -> str:
    """The last lines of a log, and the compiler's errors even when they stand further up."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines[:-_TAIL] if "%Error" in line or " error: " in line]
    return "\n".join(errors[:_TAIL] + lines[-_TAIL:])
