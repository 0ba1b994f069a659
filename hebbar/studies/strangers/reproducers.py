"""Small programs that each exit 1 while a fault is there: how many still do."""

import os
import subprocess
import sys
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.contract.files import temporary_folder
from hebbar.contract.processes import run
from hebbar.contract.results import Figure

from ..parts import ROOT
from .other_user import install

__all__ = ["measure"]

KEPT = ROOT / "benchmarks" / "reproducers"

SECONDS = 600.0
"""A reproducer that takes longer has failed."""


def measure(folder: Path, quick: bool, reporter: Reporter, faults: Path | None = None) -> list[Figure]:
    """``faults``: a folder of folders, each with a repro.py or a repro.sh, other than those of the checkout; ``quick``
    leaves the shell scripts out. Raises MissingTool where there are none."""
    name, failing, scripts = "reproducers that still fail", [], sorted((faults or KEPT).glob("*/repro.*"))
    if not scripts:
        raise MissingTool(f"{faults or KEPT} holds no repro.py or repro.sh; run hebbar bench strangers in a checkout.")
    scripts = [s for s in scripts if not (quick and s.suffix == ".sh")]
    with temporary_folder() as place, reporter.task(name, len(scripts)) as task:
        prefix = place / "prefix"
        place.chmod(0o755)  # for scripts that try it as another user
        if any(s.suffix == ".sh" for s in scripts):
            install(prefix)
        for done, script in enumerate(scripts, 1):
            if not mended(script, prefix):
                failing.append(script.parent.name)
            task.advance(done)
    detail = f" ({', '.join(failing)})" if failing else ""
    return [Figure(f"{name}, of {len(scripts)}{detail}", len(failing), "0", "faults", not failing)]


def mended(script: Path, prefix: Path) -> bool:
    """Whether a reproducer exits 0; a shell script is given the ``prefix`` of a plain installation."""
    command = [sys.executable, script.name] if script.suffix == ".py" else ["bash", script.name, str(prefix)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    try:
        answer = run(command, SECONDS, cwd=script.parent, env=os.environ | {"PATH": path,
                                                                            "PYTHONDONTWRITEBYTECODE": "1"})
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0
