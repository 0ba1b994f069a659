"""Ctrl-C, other signals, closed pipes and unforeseen exceptions at the command line."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from hebbar.studies.strangers import interrupt

# A command whose body is `what`, in the place of `presets`; it says when it is there.
COMMAND = """
import sys
import hebbar.cli.app as commands
import typer

app = typer.Typer()

@app.command()
def inside():
    print("here", file=sys.stderr, flush=True)
    {what}

@app.command()
def other():
    pass

commands.app = app
from hebbar.cli import main
sys.argv = ["hebbar", "inside"]
main()
"""
SWALLOWED = "import time\n    while True:\n        try: time.sleep(60)\n        except BaseException: pass"
KERNEL = ("import ctypes\n    ctypes.CDLL(None).usleep(30_000_000)  # no Python runs in the main thread, as in a kernel"
          "\n    ctypes.CDLL(None).sleep(60)\n    ctypes.CDLL(None).sleep(60)")
CHILD = ("from hebbar.contract.processes import run\n    run([sys.executable, '-c', 'import subprocess, sys, time;"
         "subprocess.Popen([sys.executable, \"-c\", \"import time; time.sleep(60)\"]); time.sleep(60)'])")
OTHERS = ("import subprocess\n    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
          " start_new_session=True).wait()")


STARTED: list[Any] = []


@pytest.fixture(autouse=True)
def ended():
    """What a failed test has started ends with it, and does not warn in the middle of another test."""
    yield
    while STARTED:
        with STARTED.pop() as child:
            child.kill()


def start(what, tmp_path, **options):
    child = subprocess.Popen([sys.executable, "-c", COMMAND.format(what=what)], cwd=tmp_path, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                             env=os.environ | {interrupt.TAG: str(tmp_path), "TMPDIR": str(tmp_path)},
                             preexec_fn=interrupt.expect_signals, **options)
    STARTED.append(child)
    assert child.stderr.readline() == "here\n"
    return child


def rest(child):
    """What it says until it ends. ``communicate`` would lose what came with the line that ``start`` has read."""
    late = threading.Timer(20, child.kill)
    late.start()
    said = child.stderr.read()
    child.wait()
    late.cancel()
    return said


@pytest.mark.parametrize("what", [SWALLOWED, KERNEL, CHILD, OTHERS], ids=["swallowed", "kernel", "child", "library"])
def test_ctrl_c_ends_a_command_wherever_it_is(tmp_path, what):
    """Without it a library that catches everything, a long kernel or a waiting compiler would go on."""
    child, began = start(what, tmp_path), time.monotonic()
    time.sleep(0.3)
    os.kill(child.pid, signal.SIGINT)
    said = rest(child)
    assert child.returncode == 130 and said == "hebbar: interrupted; nothing half-written was left.\n"
    assert time.monotonic() - began < 15 and interrupt._left(str(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_cleanly(tmp_path, number):
    """Without it a closed terminal or a batch system would leave a simulator behind."""
    child = start(CHILD, tmp_path)
    time.sleep(0.3)
    os.kill(child.pid, number)
    said = rest(child)
    assert child.returncode == 128 + number and number.name in said and "Traceback" not in said
    assert interrupt._left(str(tmp_path)) == []


def test_a_second_ctrl_c_changes_nothing(tmp_path):
    """Without it an impatient user would interrupt the cleaning."""
    child = start(SWALLOWED, tmp_path)
    for _ in range(5):
        os.kill(child.pid, signal.SIGINT)
        time.sleep(0.05)
    said = rest(child)
    assert child.returncode == 130 and said.count("interrupted") == 1 and "Traceback" not in said


def test_nothing_half_written_is_left(tmp_path):
    """Without it an interrupted write would look like a result."""
    what = ("import time\n    from pathlib import Path\n    from hebbar.contract.files import output_folder, "
            "temporary_folder, whole\n    output_folder(Path('made/deep'))\n    with temporary_folder(), "
            "whole(Path('out/x.json')) as partial:\n        partial.write_text('{')\n        "
            "print('there', file=sys.stderr, flush=True)\n"
            "        while True:\n            try: time.sleep(60)\n            except BaseException: pass")
    child = start(what, tmp_path)
    assert child.stderr.readline() == "there\n"
    assert list(tmp_path.glob("out/*.partial")) or list(tmp_path.glob("out/.*.partial"))
    os.kill(child.pid, signal.SIGINT)
    child.communicate(timeout=20)
    assert child.returncode == 130 and list(tmp_path.iterdir()) == []


def test_an_ignored_signal_stays_ignored(tmp_path):
    """Without it nohup would not keep a long training alive."""
    code = ("import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from hebbar.contract.interrupts import "
            "catch; catch();import os; os.kill(os.getpid(), signal.SIGHUP); print('alive')")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "alive\n"


def test_a_reader_that_has_seen_enough(tmp_path):
    """Without it `hebbar presets | head -1` would end in a stack trace or a defect."""
    child = start("for _ in range(100_000): print('x' * 100)", tmp_path)
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=20) == 141 and child.stderr.read() == ""
    child.stderr.close()


@pytest.mark.parametrize("what, code, words", [
    ("{}['gone']", 5, "a defect of Hebbar, not of what you gave it: KeyError ('gone')"),
    ("def f(): f()\n    f()", 5, "RecursionError"),
    ("assert 1 == 2", 5, "AssertionError"),
    ("sys.exit(1)", 5, "SystemExit"),
    ("raise MemoryError", 2, "not enough memory"),
    ("open('/proc/nowhere/x', 'w')", 2, "/proc/nowhere/x cannot be used (No such file or directory)"),
    ("import errno; raise OSError(errno.EMFILE, 'Too many open files', 'x.npz')", 2, "ulimit -n"),
    ("from hebbar.contract.errors import TimedOut; raise TimedOut('late.')", 4, "hebbar: late.")])
def test_every_exception_is_a_sentence_with_its_own_exit_code(tmp_path, what, code, words):
    """Without it a defect of Hebbar would look like a failed comparison."""
    child = start(what, tmp_path)
    said = rest(child)
    assert child.returncode == code and words in said and "Traceback" not in said and said.count("\n") == 1
    kept = list(tmp_path.glob("hebbar-defect-*.txt"))
    assert len(kept) == (code == 5)
    for path in kept:
        assert str(path) in said and "Traceback" in path.read_text() and "inside" in path.read_text()


def test_disk_and_rights(tmp_path):
    """Without it a full disk would be a defect of Hebbar and half a file a result."""
    what = ("from pathlib import Path\n    from hebbar.contract.files import write_text\n    import resource, signal\n"
            "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n    write_text(Path('out/x.txt'), 'x' * "
            "9999)")
    child = start(what, tmp_path)
    said = rest(child)
    assert child.returncode == 2 and "out/x.txt cannot be used (File too large); raise the limit" in said
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_does_not_reach_the_processes_of_a_sweep():
    """Without it one that is just starting would show where it was, before the sweep ends it."""
    code = ("import signal; from hebbar.contract.console import Reporter; "
            "from hebbar.studies.parameter_sweep import in_parallel\n"
            "def blocked(_=0): return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
            "print(in_parallel(blocked, [(k,) for k in range(4)], 2, Reporter(quiet=True), 'four', str), blocked())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[True, True, True, True] False\n", done.stderr


def test_ctrl_c_at_a_random_moment_of_the_slow_commands(tmp_path):
    """Without it training, sweeping and exporting could each have a moment of their own in which Ctrl-C fails."""
    for name in ("train", "sweep", "verilog"):
        for moment in (2.0, 1.0, 0.5, 0.0):  # sooner where the command has ended by then; 0: as soon as it watches
            found = interrupt.attempt(interrupt.COMMANDS[name], tmp_path / name, moment)
            if not found.late:
                break
        assert not found.late and found.wrong == "", name
