"""A machine by the sources of an earlier commit: each question is asked in a process of its own."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hebbar.contract.errors import HebbarError
from hebbar.contract.processes import run

from ..house.history import AGAINST, checkout, lacking
from ..parts import ROOT

__all__ = ["AGAINST", "asked", "lacking", "trees"]

FIRST = """\
import json, sys
sys.path.insert(0, sys.argv[1])
try:
    from hebbar.compiler.config import load
    from hebbar.compiler.program import compile_config
    from hebbar.compiler.cycles import Cycles
    from hebbar.contract.counters import CYCLES
except ModuleNotFoundError:  # the names of before
    from hebbar.config import load
    from hebbar.compiler import compile_config
    from hebbar.cycles import Cycles
    from hebbar.counters import CYCLES
program = compile_config(load(sys.argv[2]))
"""
"""The program of a preset, by whatever names its modules have."""


@contextmanager
def trees() -> Iterator[dict[str, Path]]:
    """The sources now and those of AGAINST, by how a row calls them."""
    with checkout(AGAINST) as tree:
        yield {"now": ROOT, AGAINST: tree}


def asked(tree: Path, code: str, *arguments: str) -> Any:
    """What ``code``, behind FIRST, prints as JSON in its last line; the sources are those in ``tree``."""
    command = [sys.executable, "-P", "-c", FIRST + code, str(tree), *arguments]
    done = run(command, cwd=tree, env=os.environ | {"PYTHONPATH": ""})
    if done.returncode:
        raise HebbarError(f"{arguments[0]} could not be measured by {tree}:\n{done.stderr[-1000:]}")
    return json.loads(done.stdout.splitlines()[-1])
