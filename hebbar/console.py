"""What the user sees while something runs: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Reporter"]

PLAIN_SECONDS = 1.5


class Reporter:
    """Progress on stderr; ``quiet`` shows nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(text, markup=False)

    @contextmanager
    def task(self, name: str, total: int, start: int = 0) -> Iterator["Task"]:
        """A task of ``total`` steps, of which ``start`` were done before."""
        task = Task(self, name, total, start)
        with task.bar or _nothing():
            if not task.bar:
                self.say(f"{name} ...")
            yield task


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class Task:
    """Advances a bar, or prints a line now and then when there is no terminal."""

    def __init__(self, reporter: Reporter, name: str, total: int, start: int) -> None:
        self._reporter, self._name, self._total, self._start = reporter, name, total, start
        self._began = self._last = time.monotonic()
        self.bar: Progress | None = None
        if reporter.console.is_terminal:
            self.bar = Progress(TextColumn("{task.description}"), BarColumn(),
                                TextColumn("{task.completed}/{task.total} {task.fields[note]}"),
                                TimeElapsedColumn(), TimeRemainingColumn(),
                                console=reporter.console)
            self._id = self.bar.add_task(name, total=total, note="")

    def advance(self, done: int, note: str = "") -> None:
        """Say that ``done`` steps are complete."""
        done = min(done, self._total)
        if self.bar:
            self.bar.update(self._id, completed=done, note=note)
        elif time.monotonic() - self._last > PLAIN_SECONDS or done == self._total:
            self._last = time.monotonic()
            self._reporter.say(f"  {self._name}: {done}/{self._total} {note}{self._left(done)}".rstrip())

    def _left(self, done: int) -> str:
        """The time that is left at the pace so far; nothing when it is short or not known yet."""
        steps = done - self._start
        seconds = (self._total - done) * (time.monotonic() - self._began) / steps if steps else 0.0
        return f", about {seconds:.0f} s left" if seconds > PLAIN_SECONDS else ""
