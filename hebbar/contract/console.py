"""What the user sees while something runs: a bar on a terminal, plain lines elsewhere, and never nothing for long."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Reporter", "busy", "hush", "terminal"]

PLAIN_SECONDS = 1.5
SILENT_SECONDS = 1.9
"""After that much silence the newest activity is named again, with the time it has taken."""


def terminal(highlight: bool = True, soft_wrap: bool = False) -> Console:
    """Standard output for tables and lines: what users named is shown as it is, square brackets and colons too."""
    return Console(markup=False, emoji=False, highlight=highlight, soft_wrap=soft_wrap)


class Reporter:
    """Progress on stderr; ``quiet`` shows nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, markup=False, emoji=False, highlight=False,
                               soft_wrap=True)
        self._saying = "working"

    def say(self, text: str) -> None:
        """One line; with ``...`` at its end it is what ``busy`` names from now on."""
        if not self.console.quiet:
            self._saying = text.strip().removesuffix("...").strip()
            _heart.spoke(self._saying)
        self.console.print(text)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Say what was said last again, with its time, whenever nothing else is said."""
        if self.console.quiet:
            yield
        else:
            with _heart.busy(lambda: self._saying):
                yield

    @contextmanager
    def task(self, name: str, total: int, start: int = 0) -> Iterator["Task"]:
        """A task of ``total`` steps, of which ``start`` were done before."""
        task = Task(self, name, total, start)
        if self.console.quiet:
            yield task
        elif task.bar:
            with _heart.bar(), task.bar:
                yield task
        else:
            self.say(f"{name} ...")
            with _heart.busy(lambda: task.status):
                yield task


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Name ``what`` on stderr after two seconds of silence, and again after every two more."""
    with _heart.busy(lambda: what):
        yield


def hush() -> None:
    """No more words from ``busy`` in this process."""
    _heart.hushed = True


class Task:
    """Advances a bar, or prints a line now and then when there is no terminal."""

    def __init__(self, reporter: Reporter, name: str, total: int, start: int) -> None:
        self._reporter, self._name, self._total, self._done, self._said = reporter, name, total, start, -1
        self._last = time.monotonic()
        self._first: tuple[int, float] | None = None
        self.bar: Progress | None = None
        if reporter.console.is_terminal:
            self.bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(),
                                TextColumn("{task.completed}/{task.total} {task.fields[note]}", markup=False),
                                TimeElapsedColumn(), TimeRemainingColumn(),
                                console=reporter.console)
            self._id = self.bar.add_task(name, total=total, completed=start, note="")

    @property
    def status(self) -> str:
        """The task and how far it is."""
        return f"{self._name}: {self._done}/{self._total}" if self._first else self._name

    def advance(self, done: int, note: str = "") -> None:
        """Say that ``done`` steps are complete."""
        self._done = done = min(done, self._total)
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        if self.bar:
            self.bar.update(self._id, completed=done, note=note)
        elif done != self._said and (now - self._last > PLAIN_SECONDS or done == self._total):
            self._last, self._said = now, done
            self._reporter.say(f"  {self._name}: {done}/{self._total} {note}{self._left(done, now)}".rstrip())

    def _left(self, done: int, now: float) -> str:
        """The time that is left at the pace since the first step, which may have compiled or built something; nothing
        when it is short or not known yet."""
        assert self._first
        steps, seconds = done - self._first[0], now - self._first[1]
        left = (self._total - done) * seconds / steps if steps > 0 else 0.0
        return f", about {left:.0f} s left" if left > PLAIN_SECONDS else ""


class _Heart:
    """One thread that speaks when nobody else does, as long as somebody is busy."""

    def __init__(self) -> None:
        self.hushed, self._bars = False, 0
        self._busy: list[Callable[[], str]] = []
        self._spoke = self._began = time.monotonic()
        self._named, self._beating, self._lock = "", False, threading.Lock()

    @contextmanager
    def busy(self, what: Callable[[], str]) -> Iterator[None]:
        """``what`` is named, unless something that began later is busy too."""
        with self._lock:
            self._busy.append(what)
            if not self._beating:
                self._beating, self._spoke = True, time.monotonic()
                threading.Thread(target=self._beat, daemon=True, name="heart").start()
        try:
            yield
        finally:
            with self._lock:
                self._busy.remove(what)

    @contextmanager
    def bar(self) -> Iterator[None]:
        """A bar is shown, which speaks for itself."""
        self._bars += 1
        try:
            yield
        finally:
            self._bars -= 1

    def spoke(self, what: str) -> None:
        """Somebody has said ``what``."""
        self._spoke = time.monotonic()
        if what != self._named:
            self._named, self._began = what, self._spoke

    def _beat(self) -> None:
        while True:
            time.sleep(0.1)
            with self._lock:
                if not self._busy:
                    self._beating = False
                    return
                if time.monotonic() - self._spoke < SILENT_SECONDS or self.hushed or self._bars:
                    continue
                silent, what = self._spoke, self._busy[-1]()
                if what != self._named:
                    self._named, self._began = what, silent
                self._spoke = time.monotonic()
                print(f"  {what}: {self._spoke - self._began:.0f} s", file=sys.stderr, flush=True)


_heart = _Heart()
