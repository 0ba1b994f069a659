"""What a command has started ends with it, also when some of it ends by itself at that moment."""

import subprocess
import sys

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
