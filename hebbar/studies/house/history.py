"""Earlier commits of the checkout, each in a worktree for as long as it is looked at."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder
from hebbar.contract.processes import run

from ..parts import ROOT

if TYPE_CHECKING:
    import subprocess

__all__ = ["AGAINST", "BEFORE", "checkout", "git", "lacking", "pytest", "said_cases"]

AGAINST = "e9c8550"
BEFORE = {AGAINST: "before anything of this", "f0334d0": "before the packages moved"}
"""The commits that figures are held against."""


def git(folder: Path, *arguments: str) -> str:
    """What git says in ``folder``. Raises HebbarError, with its words, when it fails."""
    done = run(["git", "-C", str(folder), *arguments])
    if done.returncode:
        raise HebbarError(f"git {' '.join(arguments)} ended with exit code {done.returncode} in {folder}: "
                          f"{done.stderr.strip()[-500:]}")
    return done.stdout


def lacking(commit: str) -> str:
    """Why a commit cannot be looked at, as a part of a sentence, or an empty string."""
    if not (ROOT / ".git").exists():
        return "this is no checkout"
    try:
        git(ROOT, "cat-file", "-e", f"{commit}^{{commit}}")
    except (HebbarError, FileNotFoundError):
        return f"the history does not reach back to {commit}"
    return ""


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A worktree of a commit, removed afterwards; those that a command left which was ended are forgotten first."""
    git(ROOT, "worktree", "prune")
    with temporary_folder("hebbar-commit-") as folder:
        place = folder / "tree"
        git(ROOT, "worktree", "add", "--quiet", "--detach", str(place), commit)
        try:
            yield place
        finally:
            git(ROOT, "worktree", "remove", "--force", str(place))


def pytest(folder: Path, arguments: Sequence[str], variables: Mapping[str, str] = {},
           python: Sequence[str] = (sys.executable,)) -> "subprocess.CompletedProcess[str]":
    """pytest on the sources in ``folder``, in one process, with these variables in its environment; ``python``: the
    command that runs it."""
    env = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | dict(variables)
    return run([*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments],
               cwd=folder, env=env)


def said_cases(said: str) -> int:
    """The number of tests in the last line of ``pytest --collect-only -q``. Raises HebbarError without one."""
    found = re.findall(r"^(\d+)(?:/\d+)? tests? collected", said, re.MULTILINE)
    if not found:
        raise HebbarError(f"pytest did not say how many tests there are:\n{said[-1000:]}")
    return int(found[-1])
