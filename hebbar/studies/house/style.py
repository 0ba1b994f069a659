"""What mypy and Ruff find."""

import re
import sys
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.contract.processes import run
from hebbar.contract.results import Figure

from ..parts import ROOT

__all__ = ["findings", "measure"]

COMMANDS = {"mypy": ("mypy", r"Found (\d+) errors?"), "Ruff": ("ruff check .", r"Found (\d+) errors?")}


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Errors of mypy and findings of Ruff; needs both."""
    found = {name: findings(command, pattern) for name, (command, pattern) in COMMANDS.items()}
    return [Figure(f"findings of {name}", count, "0", "findings", not count) for name, count in found.items()]


def findings(command: str, pattern: str) -> int:
    """What a program says it found. Raises MissingTool where it did not run."""
    done = run([sys.executable, "-m", *command.split()], cwd=ROOT)
    if not done.returncode:
        return 0
    if said := re.search(pattern, done.stdout):
        return int(said.group(1))
    raise MissingTool(f"{command} did not run ({done.stderr.strip()[-200:]}); pip install -e '.[dev,test]' in a "
                      "checkout brings it.")
