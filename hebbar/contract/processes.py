"""Child processes that never outlive the command: each leads a group, and the group ends with it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import explained

if TYPE_CHECKING:
    import psutil

__all__ = ["Followed", "start", "run", "follow", "end_all"]

_ended = False


@contextmanager
def start(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A child process (text) in a group of its own; it and all it started are dead afterwards.

    Raises BadInput when the computer has no room for it, KeyboardInterrupt once the command is being ended.
    """
    if _ended:
        raise KeyboardInterrupt
    try:
        child = subprocess.Popen(command, text=True, start_new_session=True, **options)
    except (OSError, MemoryError) as error:
        raise explained(error) or error from None
    try:
        yield child
    finally:
        _kill_group(child.pid)
        for stream in (child.stdin, child.stdout, child.stderr):
            with suppress(OSError):
                if stream:
                    stream.close()
        child.wait()


def run(command: Sequence[str], timeout_s: float | None = None, text: str | None = None,
        **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a child to its end with ``text`` on its standard input, and keep what it says.

    Raises subprocess.TimeoutExpired after ``timeout_s`` seconds, and as ``start`` does.
    """
    with start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as child:
        out, said = child.communicate(text, timeout_s)
        return subprocess.CompletedProcess(command, child.returncode, out, said)


@dataclass(frozen=True)
class Followed:
    """What a child said, standard error among it; its exit status; ``late``: whether it was killed for its time."""

    said: str
    code: int
    late: bool


def follow(command: Sequence[str], timeout_s: float, on_line: Callable[[str], None], **options: Any) -> Followed:
    """Run a child to its end and hand every line on as it comes; killed with all it has started after ``timeout_s``
    seconds.

    Raises as ``start`` does.
    """
    late, lines = threading.Event(), list[str]()
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options) as child:

        def stop() -> None:
            late.set()
            _kill_group(child.pid)

        timer = threading.Timer(timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            assert child.stdout is not None
            for line in child.stdout:
                lines.append(line)
                on_line(line)
            child.wait()
        finally:
            timer.cancel()
        return Followed("".join(lines), child.returncode, late.is_set())


def end_all() -> None:
    """Kill every process below this one with its group, those of libraries too; none is started afterwards.

    They are not waited for: whoever started them learns from the exit status that they were killed.
    """
    global _ended
    _ended = True
    import psutil

    with suppress(psutil.Error, OSError):
        for _ in range(20):  # one that is killed may just have started another
            alive = [c for c in psutil.Process().children(recursive=True) if _runs(c)]
            for child in alive:
                with suppress(OSError):
                    if (group := os.getpgid(child.pid)) != os.getpgid(0):
                        _kill_group(group)
                    os.kill(child.pid, signal.SIGKILL)
            if not alive:
                return
            time.sleep(0.02)


def _runs(child: "psutil.Process") -> bool:
    """Whether a process is there and has not ended; one that goes meanwhile must not end the search for others."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        return child.status() != psutil.STATUS_ZOMBIE
    return False


def _kill_group(group: int) -> None:
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)
