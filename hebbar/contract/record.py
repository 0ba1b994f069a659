"""What every command leaves beside its results: result.json, manifest.json and junit.xml."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import BadInput
from .files import output_folder, versions, whole, write_json, write_text
from .processes import run
from .sources import text_of

__all__ = ["RULE", "Check", "commit", "write_record"]

RULE = "rule.py"
"""The copy of the file that defines a user's rule."""


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
    source's commit where there is one, date and kind of computer, and the SHA-256 of ``files`` and of
    result.json. The source of a user's rule is kept beside it, so that a later edit changes nothing here.
    """
    write_json(output_folder(folder) / "result.json", result)
    kept = [folder / "result.json", *(path for path in files if path.is_file())]
    write_json(folder / "manifest.json", {
        "command": " ".join(command), "seed": (config or {}).get("training", {}).get("seed"), "config": config,
        "versions": versions() | {"python": platform.python_version()}, "git": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "host": _host(), "rule": _rule(folder, config),
        "files": {os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}})
    write_text(folder / "junit.xml", _junit(command, checks, seconds))


def _host() -> dict[str, Any]:
    """The kind of computer, without its name or its user's."""
    return {"system": platform.system(), "release": platform.release(), "machine": platform.machine(),
            "processors": os.cpu_count()}


def _rule(folder: Path, config: dict[str, Any] | None) -> dict[str, str] | None:
    """A copy of the file that defines the rule, as it ran, and its SHA-256; None for a rule that comes with Hebbar."""
    source = Path((config or {}).get("rule", {}).get("source") or "")
    if not source.is_file():
        return None
    content = text_of(source)
    with whole(folder / RULE) as partial:
        partial.write_bytes(content)
    return {"source": str(source), "copy": RULE, "sha256": hashlib.sha256(content).hexdigest()}


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


def commit() -> str | None:
    """The commit of Hebbar's own checkout, with ``+`` when files differ from it."""
    root = Path(__file__).parents[2]
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
