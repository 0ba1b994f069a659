"""Ctrl-C and its like: the command ends soon, as a whole, with a sentence, wherever it is.

The first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt in the main thread. That may come late (inside a
compiled kernel or a simulator) or be swallowed by a library; a second thread, which the C part of the signal
handler wakes, therefore ends the child processes at once and, after ``GRACE_S``, the command itself.
Imports little, so that it watches before anything heavy is imported.
"""

import os
import signal
import sys
import threading
import warnings
from typing import NoReturn

__all__ = ["catch", "caught", "ignore", "leave"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 1.5
"""Seconds that the main thread has to get out by itself."""

_caught: list[int] = []
_leaving = threading.Lock()


def catch() -> None:
    """Watch from now on. A signal that whoever started us ignores (nohup, a shell's background) stays ignored."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True, name="interrupts").start()
    sys.unraisablehook, threading.excepthook = _unraisable, _in_thread
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def caught() -> int | None:
    """The signal that ends this command, None as long as there is none."""
    return _caught[0] if _caught else None


def ignore() -> None:
    """Watch no longer: what is left of the process takes milliseconds and changes nothing."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def leave(number: int) -> NoReturn:
    """End child processes, take away what is half-written, say so and end with 128 and the signal's number."""
    if not _leaving.acquire(blocking=False):
        threading.Event().wait()  # the other thread is at it, and ends this one too
    try:
        from .files import tidy
        from .processes import end_all

        end_all()
        tidy()
        cursor = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar hides it
        by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
        os.write(2, f"{cursor}hebbar: interrupted{by}; nothing half-written was left.\n".encode())
    finally:
        os._exit(128 + number)


def _raise(number: int, frame: object) -> None:
    if not _caught:
        _caught.append(number)
        warnings.simplefilter("ignore")  # libraries wonder about their children, which have been ended
        raise KeyboardInterrupt


def _watch(reader: int) -> None:
    while (number := os.read(reader, 1)[0]) not in SIGNALS:
        pass
    from .processes import end_all

    end_all()
    threading.Event().wait(GRACE_S)
    leave(number)


def _unraisable(error: "sys.UnraisableHookArgs") -> None:
    """An interrupt inside a callback or a destructor is not lost: ``_watch`` sees to it. It and what follows from it
    in objects that were half made is nobody's business."""
    if not _caught:
        sys.__unraisablehook__(error)


def _in_thread(error: "threading.ExceptHookArgs") -> None:
    if not _caught:
        threading.__excepthook__(error)
