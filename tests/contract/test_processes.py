"""What a command has started ends with it, also when some of it ends by itself at that moment."""

import subprocess
import sys
import time

import pytest

from hebbar.contract.processes import follow

SCRIPT = """
import subprocess, psutil, hebbar.contract.processes as processes
stays = subprocess.Popen(["sleep", "60"])
goes = subprocess.Popen(["sleep", "60"])
children, status = psutil.Process.children, psutil.Process.status

def vanishes(self):
    if self.pid == goes.pid:
        goes.kill(), goes.wait()
        raise psutil.NoSuchProcess(self.pid)
    return status(self)

psutil.Process.children = lambda self, recursive: sorted(children(self, recursive), key=lambda c: c.pid != goes.pid)
psutil.Process.status = vanishes
processes.end_all()
print(stays.wait())
"""


def test_a_child_that_vanishes_does_not_save_the_others():
    """Without it a simulator could go on computing after Ctrl-C because another process ended in the same moment."""
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30)
    assert answer.stdout == "-9\n", answer.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_is_followed_line_by_line_to_its_end(code):
    """Without it progress would come when all is over, standard error be lost, or a failure pass for a success."""
    script = ("import sys; print('a', flush=True); print('b', file=sys.stderr, flush=True); print('c'); "
              f"sys.exit({code})")
    lines = []
    done = follow([sys.executable, "-c", script], 30.0, lines.append)
    assert lines == ["a\n", "b\n", "c\n"]
    assert (done.said, done.code, done.late) == ("a\nb\nc\n", code, False)


def test_what_a_late_child_has_started_is_killed_with_it():
    """Without it a command would wait for a program that its child began, whatever its own time."""
    began = time.monotonic()
    assert follow(["sh", "-c", "sleep 20; echo end"], 0.5, lambda line: None).late
    assert time.monotonic() - began < 10


def test_a_child_that_is_late_is_killed_and_keeps_what_it_said():
    """Without it a program that hangs would hold the command for ever, or its last words be lost."""
    script = "import time; print('a', flush=True); time.sleep(600)"
    done = follow([sys.executable, "-c", script], 2.0, lambda line: None)
    assert done.late and done.said == "a\n" and done.code != 0
