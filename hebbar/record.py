"""What every command leaves beside its results: result.json, manifest.json and junit.xml."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadInput
from .files import output_folder, versions, write_json, write_text
from .processes import run

__all__ = ["Check", "write_record"]


@dataclass(frozen=True)
class Check:
    """One thing that was checked; ``message`` says what was found, in a sentence when it failed."""

    name: str
    passed: bool
    message: str = ""


def write_record(folder: Path, command: Sequence[str], result: Any, checks: Sequence[Check], seconds: float,
                 config: dict[str, Any] | None = None, files: Sequence[Path] = ()) -> None:
    """Write the three files into ``folder``.

    The manifest says how to get the same again: command line, seed, configuration, versions, the
    source's commit where there is one, and the SHA-256 of ``files`` and of result.json.
    """
    write_json(output_folder(folder) / "result.json", result)
    kept = [folder / "result.json", *(path for path in files if path.is_file())]
    write_json(folder / "manifest.json", {
        "command": " ".join(command), "seed": (config or {}).get("training", {}).get("seed"), "config": config,
        "versions": versions() | {"python": platform.python_version()}, "git": _commit(),
        "files": {os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}})
    write_text(folder / "junit.xml", _junit(command, checks, seconds))


def _junit(command: Sequence[str], checks: Sequence[Check], seconds: float) -> str:
    from junitparser import Failure, JUnitXml, TestCase, TestSuite

    suite = TestSuite(" ".join(command[:2]))
    for check in checks:
        case = TestCase(check.name, " ".join(command[:2]))
        if not check.passed:
            case.result = [Failure(check.message)]
        suite.add_testcase(case)
    suite.time = round(seconds, 3)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return xml.tostring().decode()


def _commit() -> str | None:
    """The commit of Hebbar's own checkout, with ``+`` when files differ from it."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        head, changes = (run(["git", "-C", str(root), *arguments], timeout_s=10)
                         for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"]))
    except (BadInput, subprocess.SubprocessError):  # no git, or too slow a disk
        return None
    if head.returncode or changes.returncode:
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


